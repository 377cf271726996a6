//! `dialogs`: what masters were asked to answer in words.

use jiff::Timestamp;

use super::{Connection, Db, Error, Ready, Statement, statement};
use crate::dispatch::dialog::{Dialog, Question};
use crate::dispatch::{MasterId, OrderId, TelegramUserId};

/// Sets the master's dialog; one that another question has taken the place of cannot be answered any more.
pub(crate) const SET: Statement = statement!(
    "dialogs.set",
    [INT8, TEXT, INT8, INT4, TIMESTAMPTZ],
    "INSERT INTO dialogs AS dialog (master_id, kind, order_id, answered_message, asked_at)
     VALUES ($1 /* master */, $2 /* kind */, $3 /* order */, $4 /* answered by */, coalesce($5, now()) /* now */)
     ON CONFLICT (master_id) DO UPDATE
         SET kind = excluded.kind, order_id = excluded.order_id, answered_message = excluded.answered_message,
             asked_at = excluded.asked_at
         WHERE excluded.answered_message IS NULL
            OR (dialog.kind, dialog.order_id) = (excluded.kind, excluded.order_id)"
);

/// Runs [`SET`], if there is something to set.
pub(crate) async fn set(
    connection: &Connection,
    statement: &Ready,
    master: MasterId,
    dialog: Option<Dialog>,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    let Some(Dialog { question, order, answer }) = dialog else { return Ok(()) };
    connection.query(statement, &[&master.0, &question.as_str(), &order.0, &answer, &now]).await.map(drop)
}

/// Asks a master a question about an order; the one before it is forgotten.
///
/// # Errors
/// When the database failed.
pub async fn ask(db: &Db, master: MasterId, question: Question, order: OrderId) -> Result<(), Error> {
    db.run(async |connection: Connection| {
        let [statement] = connection.ready([&SET]).await?;
        let dialog = Dialog { question, order, answer: None };
        set(&connection, &statement, master, Some(dialog), db.now()).await
    })
    .await
}

/// Forgets a master's open question, if it is this one.
///
/// # Errors
/// When the database failed.
pub async fn forget(db: &Db, user: TelegramUserId, question: Question, order: OrderId) -> Result<(), Error> {
    const FORGET: Statement = statement!(
        "dialogs.forget",
        [INT8, TEXT, INT8],
        "DELETE FROM dialogs USING masters
         WHERE masters.id = master_id AND telegram_user_id = $1 /* user */ AND kind = $2 /* kind */
           AND order_id = $3 /* order */ AND answered_message IS NULL"
    );
    db.run(async |connection: Connection| {
        connection.fetch(&FORGET, &[&user.0, &question.as_str(), &order.0]).await.map(drop)
    })
    .await
}
