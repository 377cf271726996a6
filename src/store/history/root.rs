//! The root of each day: opened once the day is over, closed when all that it covers has been committed or never will be.
//!
//! Numbers of rows are given out before their transactions end, so that a row may be committed after others with higher
//! numbers. What a root covers is therefore decided first, and it is made when every transaction of that moment has ended.

use std::time::Duration;

use jiff::civil::Date;
use tokio::join;
use tokio_postgres::Row;

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
}

/// What was done about roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// The root that was made.
    pub closed: Option<Closed>,
    /// To how many admins the newest one was enqueued.
    pub enqueued: usize,
}

/// A step of a root may read a million rows.
const LONG: Duration = Duration::from_mins(1);

/// What came of opening a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Nothing was to be opened.
    Nothing,
    /// The day after those before it.
    Next,
    /// The first one: there is none before it, though every database begins with one. Somebody has taken them away.
    Anew,
}

/// Decides what yesterday's root covers, some minutes after the day has ended by UTC, unless that is decided already.
///
/// # Errors
/// When the database failed.
pub async fn open_day(store: &Store) -> Result<Opened, Error> {
    const OPEN: Statement = statement!(
        "history.open_day",
        [TIMESTAMPTZ],
        "INSERT INTO history_roots (day, up_to, settled_by, opened_at, begins_anew)
         SELECT moment.day,
                -- A number that was never given out must not take those to come from the roots to come.
                greatest(last.up_to, 0, (SELECT max(id) FROM order_status_history
                                      WHERE id <= (SELECT last_value FROM order_status_history_id_seq))),
                pg_snapshot_xmax(pg_current_snapshot()), moment.now, last.day IS NULL
         FROM (SELECT at.now, ((at.now - interval '5 minutes') AT TIME ZONE 'UTC')::date - 1 AS day
               FROM (SELECT coalesce($1, now()) /* now */ AS now) AS at) AS moment
         LEFT JOIN (SELECT day, up_to, root FROM history_roots ORDER BY day DESC LIMIT 1) AS last ON true
         WHERE last.day IS NULL OR last.day < moment.day AND last.root IS NOT NULL
         ON CONFLICT DO NOTHING
         RETURNING begins_anew"
    );
    let opened = store.run(async |connection: Connection| connection.fetch(&OPEN, &[&store.now()]).await).await?;
    Ok(match opened.first() {
        None => Opened::Nothing,
        Some(row) if column(row, "begins_anew")? => Opened::Anew,
        Some(_) => Opened::Next,
    })
}

/// Makes the root of a day that was opened a minute ago or before, if it can be made by now, and enqueues the newest one to the
/// admins if it has reached none of them: that of today in the same transaction, and one that nobody was there to be told of as
/// soon as somebody is. Of two processes one does it. A root over more than a million rows is made in steps: each call takes
/// one, and keeps it.
///
/// # Errors
/// When the database failed.
pub async fn close_day(store: &Store) -> Result<Roots, Error> {
    const TIMEOUT: Statement =
        statement!("history.close_timeout", [], "SELECT set_config('statement_timeout', '60s', true)");
    const LOCK: Statement = statement!("history.lock_day", [TIMESTAMPTZ], include_str!("lock_day.sql"));
    const DIGEST: Statement = statement!("history.digest_blocks", [], include_str!("digest_blocks.sql"));
    const CLOSE: Statement = statement!("history.close_day", [TIMESTAMPTZ], include_str!("close_day.sql"));
    const TELL: Statement = statement!("history.tell_root", [TIMESTAMPTZ], include_str!("tell_root.sql"));
    store
        .run_within(LONG, async |connection: Connection| {
            let [timeout, lock, digest, close, tell] =
                connection.ready([&TIMEOUT, &LOCK, &DIGEST, &CLOSE, &TELL]).await?;
            let now = store.now();
            let (begun, patient) = join!(connection.begin(), connection.query(&timeout, &[]));
            begun?;
            patient?;
            // What another process has done is seen by what begins after the lock.
            let done = async {
                let locked = connection.query(&lock, &[&now]).await?;
                let Some(locked) = locked.first() else { return Ok(Roots::default()) };
                let closed = if column(locked, "is_due")? {
                    connection.query(&digest, &[]).await?;
                    connection.query(&close, &[&now]).await?.first().map(closed_day).transpose()?
                } else {
                    None
                };
                Ok(Roots { closed, enqueued: connection.query(&tell, &[&now]).await?.len() })
            };
            let done = patience::undo(&connection, done.await).await?;
            connection.commit().await?;
            Ok(done)
        })
        .await
}

fn closed_day(row: &Row) -> Result<Closed, Error> {
    Ok(Closed { day: column(row, "day")?, changes: column(row, "changes")?, root: column(row, "root")? })
}
