//! `dialogs`: what masters were asked to answer in words, and whether what they write answers it.

use jiff::Timestamp;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, column, masters, statement, updates};
use crate::model::dialog::{Dialog, DialogChange, Incoming, Question, Written};
use crate::model::{MasterId, MasterRef, OrderId, Origin, TelegramUserId};

/// Asks a master a question, instead of the one before.
pub(crate) const ASK: Statement = statement!(
    "dialogs.ask",
    [INT8, TEXT, INT8, TIMESTAMPTZ, INT4],
    "INSERT INTO dialogs (master_id, kind, order_id, asked_at, shown_in)
     VALUES ($1 /* master */, $2 /* kind */, $3 /* order */, coalesce($4, now()) /* now */, $5 /* message */)
     ON CONFLICT (master_id) DO UPDATE
         SET kind = excluded.kind, order_id = excluded.order_id, asked_at = excluded.asked_at, answered_by = NULL,
             written = NULL, written_in = NULL, shown_in = excluded.shown_in"
);

/// Ends a master's question, if it is this one: it was answered, or left.
pub(crate) const END: Statement = statement!(
    "dialogs.end",
    [INT8, TEXT, INT8],
    "UPDATE dialogs SET answered_by = 0
     WHERE master_id = $1 /* master */ AND kind = $2 /* kind */ AND order_id = $3 /* order */ AND answered_by IS NULL"
);

/// Runs [`ASK`] or [`END`], if a change of the order changes the question about it. `message`: the one that will show it.
pub(crate) async fn change(
    connection: &Connection,
    [ask, end]: [&Ready; 2],
    master: MasterId,
    order: OrderId,
    change: Option<DialogChange>,
    message: Option<i32>,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    match change {
        None => Ok(()),
        Some(DialogChange::Ask(question)) => {
            connection.query(ask, &[&master.0, &question.as_str(), &order.0, &now, &message]).await.map(drop)
        }
        Some(DialogChange::End(question)) => {
            connection.query(end, &[&master.0, &question.as_str(), &order.0]).await.map(drop)
        }
    }
}

/// Keeps what a master answered, to be confirmed; a row, if the question is open.
pub(crate) const KEEP: Statement = statement!(
    "dialogs.keep",
    [INT8, TEXT, INT8, TEXT, INT4],
    "UPDATE dialogs SET written = $4 /* text */, written_in = $5 /* message */
     WHERE master_id = $1 /* master */ AND kind = $2 /* kind */ AND order_id = $3 /* order */ AND answered_by IS NULL
     RETURNING true"
);

/// Runs [`KEEP`]; whether the question is open.
pub(crate) async fn keep(
    connection: &Connection,
    statement: &Ready,
    master: MasterId,
    question: Question,
    order: OrderId,
    written: &Written,
) -> Result<bool, Error> {
    let kept = [&master.0 as &(dyn ToSql + Sync), &question.as_str(), &order.0, &written.text, &written.message];
    Ok(!connection.query(statement, &kept).await?.is_empty())
}

/// Reads what a master wrote in that message about the order and has yet to confirm; `None`: something else by now.
///
/// # Errors
/// When the database failed.
pub async fn kept(
    store: &Store,
    question: Question,
    order: OrderId,
    master: MasterRef,
    message: i32,
) -> Result<Option<String>, Error> {
    const KEPT: Statement = statement!(
        "dialogs.kept",
        [INT8, INT8, TEXT, INT8, INT4],
        "SELECT written FROM dialogs
         WHERE master_id = coalesce($1 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $2 /* user */))
           AND kind = $3 /* kind */ AND order_id = $4 /* order */ AND written_in = $5 /* message */
           AND answered_by IS NULL"
    );
    store
        .run(async |connection: Connection| {
            let (id, user) = (master.id(), master.telegram_user());
            let rows = connection.fetch(&KEPT, &[&id, &user, &question.as_str(), &order.0, &message]).await?;
            rows.first().map_or(Ok(None), |row| column(row, "written"))
        })
        .await
}

/// Whether that message is the last answer that a master gave to a question about the order, confirmed or not.
///
/// # Errors
/// When the database failed.
pub async fn is_last_answer(
    store: &Store,
    question: Question,
    order: OrderId,
    master: MasterRef,
    message: i32,
) -> Result<bool, Error> {
    const IS_LAST: Statement = statement!(
        "dialogs.is_last_answer",
        [INT8, INT8, TEXT, INT8, INT4],
        "SELECT FROM dialogs
         WHERE master_id = coalesce($1 /* master */, (SELECT id FROM masters WHERE telegram_user_id = $2 /* user */))
           AND kind = $3 /* kind */ AND order_id = $4 /* order */ AND written_in = $5 /* message */"
    );
    store
        .run(async |connection: Connection| {
            let (id, user) = (master.id(), master.telegram_user());
            let rows = connection.fetch(&IS_LAST, &[&id, &user, &question.as_str(), &order.0, &message]).await?;
            Ok(!rows.is_empty())
        })
        .await
}

/// Notes which message asks a question now.
///
/// # Errors
/// When the database failed.
pub async fn note_message(store: &Store, user: TelegramUserId, order: OrderId, message: i32) -> Result<(), Error> {
    const NOTE: Statement = statement!(
        "dialogs.note_message",
        [INT8, INT8, INT4],
        "UPDATE dialogs SET shown_in = $3 /* message */
         WHERE master_id = (SELECT id FROM masters WHERE telegram_user_id = $1 /* user */)
           AND order_id = $2 /* order */ AND answered_by IS NULL"
    );
    store
        .run(async |connection: Connection| connection.fetch(&NOTE, &[&user.0, &order.0, &message]).await.map(drop))
        .await
}

/// Whether a question is a master's open one.
pub(crate) const IS_OPEN: Statement = statement!(
    "dialogs.is_open",
    [INT8, TEXT, INT8],
    "SELECT FROM dialogs
     WHERE master_id = $1 /* master */ AND kind = $2 /* kind */ AND order_id = $3 /* order */ AND answered_by IS NULL"
);

/// Runs [`IS_OPEN`].
pub(crate) async fn is_open(
    connection: &Connection,
    statement: &Ready,
    master: MasterId,
    question: Question,
    order: OrderId,
) -> Result<bool, Error> {
    Ok(!connection.query(statement, &[&master.0, &question.as_str(), &order.0]).await?.is_empty())
}

/// Ends a master's question, if it is this one.
///
/// # Errors
/// When the database failed.
pub async fn end(store: &Store, master: MasterId, question: Question, order: OrderId) -> Result<(), Error> {
    store
        .run(async |connection: Connection| {
            connection.fetch(&END, &[&master.0, &question.as_str(), &order.0]).await.map(drop)
        })
        .await
}

/// Reads what a message may be an answer to, and notes that the bot can write to its sender. A message without a date
/// ([`Origin::written`]) is taken as written after the question. `None`: no master sent it.
///
/// # Errors
/// When the database failed.
pub async fn incoming(store: &Store, master: MasterRef, origin: &Origin) -> Result<Option<Incoming>, Error> {
    const INCOMING: Statement = statement!(
        "dialogs.incoming",
        [INT8, INT8, TEXT, TEXT, TIMESTAMPTZ, TIMESTAMPTZ],
        include_str!("dialogs_incoming.sql")
    );
    store
        .run(async |connection: Connection| {
            let (id, user, update) = (master.id(), master.telegram_user(), &origin.update);
            let rows = connection
                .fetch(&INCOMING, &[&id, &user, &update.door.as_word(), &update.key, &origin.written, &store.now()])
                .await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let was_processed = column::<Option<&str>>(row, "processed")?.is_some();
            Ok(Some(Incoming {
                profile: masters::profile_of(row)?,
                processed: was_processed.then(|| updates::processed(row)).transpose()?,
                dialog: dialog(row, "order_id")?,
                answers: column::<Option<bool>>(row, "answers")?.unwrap_or(false),
            }))
        })
        .await
}

/// Reads an open question and what was answered, of the columns `question`, `written`, `written_in`, `shown_in` and that of the order; `None`:
/// there is none, or one that this release does not know.
pub(super) fn dialog(row: &Row, order: &'static str) -> Result<Option<Dialog>, Error> {
    let Some(question) = column::<Option<&str>>(row, "question")?.and_then(Question::parse) else { return Ok(None) };
    let text: Option<String> = column(row, "written")?;
    let message: Option<i32> = column(row, "written_in")?;
    let written = text.zip(message).map(|(text, message)| Written { text, message });
    Ok(Some(Dialog { question, order: OrderId(column(row, order)?), written, shown_in: column(row, "shown_in")? }))
}
