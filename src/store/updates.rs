//! `processed_updates`: one way to recognise a redelivery, whatever the update asked for.
//!
//! A row is written in the transaction that answers the update, and read under the locks by which it is decided. Updates
//! that change nothing are recorded too: delivered again after a new offer, they would act on it. Those are not waited for
//! (`synchronous_commit = off`): a crash of the server may lose the last of them, with what was noted beside them (that a
//! card was opened, a question left), and nobody was told anything that is untrue then.
//!
//! So are requests over HTTP that have changed something: by a digest of what was asked for as it was seen, else of chance, which only
//! further tries of the same request have.
//!
//! Taking an order is the path that has to be fast: a row of its own costs it 5% (two more indexes are written). Its update is
//! therefore written into the accepted offer (`offers.responded_tap`), and the facts look there too.

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, Store, column, statement};
use crate::model::update::{Action, Processed};
use crate::model::{Door, MasterRef, OrderId, Origin, UpdateKey};

/// Records an update and its answer, once. An update of a master's also releases the tapped message's card, drops screens
/// that are queued for that message, and clears `unreachable_since`; a new one ends an open question, unless it answers it.
pub(crate) const RECORD: Statement = statement!(
    "updates.record",
    [TEXT, TEXT, TEXT, INT8, TEXT, TIMESTAMPTZ, INT8, INT8, INT4, BOOL, TIMESTAMPTZ],
    include_str!("updates_record.sql")
);

/// An update and its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer<'a> {
    /// What it asked for.
    pub(crate) action: Action,
    /// About which order.
    pub(crate) order: Option<OrderId>,
    /// The word of the outcome.
    pub(crate) outcome: &'a str,
    /// Whether it is part of a change, which must not be lost.
    pub(crate) durable: bool,
}

/// Runs [`RECORD`], if there is an update; `master` is who sent it, if a master did. Whether it is new: false if it was
/// recorded before, also by somebody who was at it at the same moment and is waited for. Of requests over HTTP only those are recorded
/// that have changed something.
pub(crate) async fn record(
    connection: &Connection,
    statement: &Ready,
    origin: Option<&Origin>,
    master: Option<MasterRef>,
    answer: Answer<'_>,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    let Some(Origin { update, message, written }) = origin else { return Ok(true) };
    if update.door == Door::Api && !answer.durable {
        // Telegram delivers what was refused again; whoever sends such a request again wants to know whether it can be done now.
        return Ok(true);
    }
    let (id, user) = (master.and_then(MasterRef::id), master.and_then(MasterRef::telegram_user));
    let rows = connection
        .query(
            statement,
            &[
                &update.door.as_word(),
                &update.key,
                &answer.action.as_str(),
                &answer.order.map(|order| order.0),
                &answer.outcome,
                &now,
                &id,
                &user,
                message,
                &answer.durable,
                written,
            ],
        )
        .await?;
    // Nobody but masters is kept a record of: a stranger's update is always new.
    rows.first().map_or(Ok(true), |row| column(row, "fresh"))
}

/// Runs [`RECORD`] in a transaction of its own.
///
/// # Errors
/// When the database failed.
pub(crate) async fn record_alone(
    store: &Store,
    origin: Option<&Origin>,
    master: Option<MasterRef>,
    answer: Answer<'_>,
) -> Result<(), Error> {
    store
        .run(async |connection: Connection| {
            let [statement] = connection.ready([&RECORD]).await?;
            connection.alone(record(&connection, &statement, origin, master, answer, store.now())).await.map(drop)
        })
        .await
}

/// Looks for an update that was processed before.
pub(crate) const FIND: Statement = statement!(
    "updates.find",
    [TEXT, TEXT],
    "SELECT action, order_id AS about_order, outcome AS processed FROM processed_updates
     WHERE bot = $1 /* bot */ AND update_key = $2 /* update */"
);

/// Runs [`FIND`], if there is an update.
pub(crate) async fn find(
    connection: &Connection,
    statement: &Ready,
    origin: Option<&Origin>,
) -> Result<Option<Processed>, Error> {
    let Some(Origin { update, .. }) = origin else { return Ok(None) };
    let rows = connection.query(statement, &[&update.door.as_word(), &update.key]).await?;
    connection.count_redelivery(!rows.is_empty());
    rows.first().map(processed).transpose()
}

/// Notes which message of an album came first; whether it is `message`. The others of the album are answered with it.
///
/// # Errors
/// When the database failed.
pub(crate) async fn is_first_of_album(store: &Store, album: &UpdateKey, message: i32) -> Result<bool, Error> {
    const NOTE: Statement = statement!(
        "updates.first_of_album",
        [TEXT, TEXT, TEXT, TIMESTAMPTZ],
        "INSERT INTO processed_updates AS first (bot, update_key, action, outcome, processed_at)
         VALUES ($1 /* bot */, $2 /* album */, 'SHOW', $3 /* message */, coalesce($4, now()) /* now */)
         ON CONFLICT (bot, update_key) DO UPDATE SET outcome = first.outcome
         RETURNING outcome = $3 AS first"
    );
    store
        .run(async |connection: Connection| {
            let params = [&album.door.as_word() as &(dyn ToSql + Sync), &album.key, &message.to_string(), &store.now()];
            let rows = connection.fetch(&NOTE, &params).await?;
            column(&rows[0], "first")
        })
        .await
}

/// Finds what a message came to before.
///
/// # Errors
/// When the database failed.
pub(crate) async fn find_alone(store: &Store, update: &UpdateKey) -> Result<Option<Processed>, Error> {
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&FIND, &[&update.door.as_word(), &update.key]).await?;
            rows.first().map(processed).transpose()
        })
        .await
}

/// Reads the columns `action`, `about_order` and `processed`, of which the last is not null.
pub(super) fn processed(row: &Row) -> Result<Processed, Error> {
    Ok(Processed {
        action: Action::parse(column(row, "action")?),
        order: column::<Option<i64>>(row, "about_order")?.map(OrderId),
        outcome: column(row, "processed")?,
    })
}
