//! `dialogs`: what masters were asked to answer in words, and whether what they write answers it.

use jiff::Timestamp;

use super::{Connection, Error, Ready, Statement, Store, column, masters, statement, updates};
use crate::model::dialog::{Dialog, DialogChange, Incoming, Question};
use crate::model::{MasterId, MasterRef, OrderId, Origin};

/// Asks a master a question, instead of the one before.
pub(crate) const ASK: Statement = statement!(
    "dialogs.ask",
    [INT8, TEXT, INT8, TIMESTAMPTZ],
    "INSERT INTO dialogs (master_id, kind, order_id, asked_at)
     VALUES ($1 /* master */, $2 /* kind */, $3 /* order */, coalesce($4, now()) /* now */)
     ON CONFLICT (master_id) DO UPDATE
         SET kind = excluded.kind, order_id = excluded.order_id, asked_at = excluded.asked_at, answered_by = NULL"
);

/// Ends a master's question, if it is this one: it was answered, or left.
pub(crate) const END: Statement = statement!(
    "dialogs.end",
    [INT8, TEXT, INT8],
    "UPDATE dialogs SET answered_by = 0
     WHERE master_id = $1 /* master */ AND kind = $2 /* kind */ AND order_id = $3 /* order */ AND answered_by IS NULL"
);

/// Runs [`ASK`] or [`END`], if a change of the order changes the question about it.
pub(crate) async fn change(
    connection: &Connection,
    [ask, end]: [&Ready; 2],
    master: MasterId,
    order: OrderId,
    change: Option<DialogChange>,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    match change {
        None => Ok(()),
        Some(DialogChange::Ask(question)) => {
            connection.query(ask, &[&master.0, &question.as_str(), &order.0, &now]).await.map(drop)
        }
        Some(DialogChange::End(question)) => {
            connection.query(end, &[&master.0, &question.as_str(), &order.0]).await.map(drop)
        }
    }
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
                .fetch(&INCOMING, &[&id, &user, &update.bot.as_word(), &update.key, &origin.written, &store.now()])
                .await?;
            let Some(row) = rows.first() else { return Ok(None) };
            let question = column::<Option<&str>>(row, "kind")?.and_then(Question::parse);
            let asked = |question| {
                let order = OrderId(column(row, "order_id")?);
                Ok::<_, Error>((Dialog { question, order }, column(row, "answers")?))
            };
            let was_processed = column::<Option<&str>>(row, "processed")?.is_some();
            let (dialog, answers) =
                question.map(asked).transpose()?.map_or((None, false), |(dialog, answers)| (Some(dialog), answers));
            Ok(Some(Incoming {
                profile: masters::profile_of(row)?,
                processed: was_processed.then(|| updates::processed(row)).transpose()?,
                dialog,
                answers,
            }))
        })
        .await
}
