//! The root of each day: opened once the day is over, closed when all that it covers has been committed or never will be.
//!
//! Numbers of rows are given out before their transactions end, so that a row may be committed after others with higher
//! numbers. What a root covers is therefore decided first, and it is made when every transaction of that moment has ended.

use std::time::Duration;

use jiff::civil::Date;

use tokio::join;

use super::super::{Connection, Error, Statement, Store, column, patience, statement};

/// A day's root that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The day, by UTC.
    pub day: Date,
    /// How many changes it covers.
    pub changes: i64,
    /// The root.
    pub root: Vec<u8>,
    /// How many admins are told.
    pub enqueued: i64,
}

/// The first root may cover millions of rows.
const LONG: Duration = Duration::from_mins(1);

/// Decides what yesterday's root covers, some minutes after the day has ended by UTC, unless that is decided already; whether it
/// was done now.
///
/// # Errors
/// When the database failed.
pub async fn open_day(store: &Store) -> Result<bool, Error> {
    const OPEN: Statement = statement!(
        "history.open_day",
        [TIMESTAMPTZ],
        "INSERT INTO history_roots (day, up_to, settled_by, opened_at)
         SELECT moment.day,
                -- A number that was never given out must not take those to come from the roots to come.
                greatest(last.up_to, (SELECT max(id) FROM order_status_history
                                      WHERE id <= (SELECT last_value FROM order_status_history_id_seq))),
                pg_snapshot_xmax(pg_current_snapshot()), moment.now
         FROM (SELECT at.now, ((at.now - interval '5 minutes') AT TIME ZONE 'UTC')::date - 1 AS day
               FROM (SELECT coalesce($1, now()) /* now */ AS now) AS at) AS moment
         CROSS JOIN (SELECT day, up_to, root FROM history_roots ORDER BY day DESC LIMIT 1) AS last
         WHERE last.day < moment.day AND last.root IS NOT NULL
         ON CONFLICT DO NOTHING
         RETURNING day"
    );
    store.run(async |connection: Connection| Ok(!connection.fetch(&OPEN, &[&store.now()]).await?.is_empty())).await
}

/// Makes the root of a day that was opened a minute ago or before, and enqueues it to the admins in the same transaction;
/// `None`: there is none to be made yet. Of two processes one makes it.
///
/// # Errors
/// When the database failed.
pub async fn close_day(store: &Store) -> Result<Option<Closed>, Error> {
    const TIMEOUT: Statement =
        statement!("history.close_timeout", [], "SELECT set_config('statement_timeout', '60s', true)");
    const CLOSE: Statement = statement!("history.close_day", [TIMESTAMPTZ], include_str!("close_day.sql"));
    store
        .run_within(LONG, async |connection: Connection| {
            let [timeout, close] = connection.ready([&TIMEOUT, &CLOSE]).await?;
            let (begun, patient) = join!(connection.begin(), connection.query(&timeout, &[]));
            begun?;
            patient?;
            let rows = patience::undo(&connection, connection.query(&close, &[&store.now()]).await).await?;
            connection.commit().await?;
            let closed = rows.first().map(|row| {
                Ok(Closed {
                    day: column(row, "day")?,
                    changes: column(row, "changes")?,
                    root: column(row, "root")?,
                    enqueued: column(row, "enqueued")?,
                })
            });
            closed.transpose()
        })
        .await
}
