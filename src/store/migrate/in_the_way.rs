//! Who is in a migration's way, asked on a connection of its own while the migration waits: afterwards nobody knows.
//!
//! Said are the process, the program, since when and in what state: what an operator needs to end it or to wait for it. Never
//! its statement, which may have a client's phone in it.

use std::fmt;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};
use tokio_postgres::{Client, Row};

use super::{Error, connect};
use crate::config;

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(200);

/// The columns of a session. A role that may not see them sees nulls.
const SESSION: &str =
    "SELECT pid, coalesce(nullif(application_name, ''), backend_type, 'a program without a name') AS program,
       coalesce(backend_type = 'autovacuum worker', false) AS vacuum,
       to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC') AS since, state
FROM pg_stat_activity";

/// Who was seen.
pub(super) struct Seen {
    who: String,
    /// Autovacuum and nobody else.
    pub only_vacuum: bool,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.who)
    }
}

impl Default for Seen {
    fn default() -> Self {
        Self { who: "somebody who was not seen".to_owned(), only_vacuum: false }
    }
}

/// Watches the session that migrates.
pub(super) struct Watch {
    client: Client,
    migrating: i32,
}

impl Watch {
    /// Connects beside the session that migrates.
    pub(super) async fn begin(config: &config::Database, migrating: &Client) -> Result<Self, Error> {
        let pid = migrating.query_typed("SELECT pg_backend_pid()", &[]).await;
        let pid = pid.map_err(Error::database("asking for the session's number"))?;
        let pid = pid.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default();
        Ok(Self { client: connect(config).await?, migrating: pid })
    }

    /// Does the work, and says who was in its way last.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> (T, Seen) {
        let mut work = std::pin::pin!(work);
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is now.
        looks.tick().await;
        let mut seen = None;
        loop {
            tokio::select! {
                done = &mut work => return (done, seen.unwrap_or_default()),
                _ = looks.tick() => seen = self.blockers().await.or(seen),
            }
        }
    }

    async fn blockers(&self) -> Option<Seen> {
        let who = format!("{SESSION} WHERE pid = ANY (pg_blocking_pids({})) ORDER BY xact_start, pid", self.migrating);
        self.ask(&who).await
    }

    /// Who holds an advisory lock.
    pub(super) async fn holder(&self, lock: i64) -> Seen {
        let who = format!(
            "{SESSION} WHERE pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 AND (classid::bigint << 32) + objid::bigint = {lock})"
        );
        self.ask(&who).await.unwrap_or_default()
    }

    /// That it cannot be said stops no migration.
    async fn ask(&self, who: &str) -> Option<Seen> {
        let rows = self.client.query_typed(who, &[]).await.unwrap_or_default();
        let sessions: Vec<_> = rows.iter().filter_map(|row| session(row).ok()).collect();
        let only_vacuum = rows.iter().all(|row| row.try_get("vacuum").unwrap_or(false));
        (!sessions.is_empty()).then(|| Seen { who: sessions.join("; "), only_vacuum })
    }
}

fn session(row: &Row) -> Result<String, tokio_postgres::Error> {
    let (pid, program): (i32, &str) = (row.try_get("pid")?, row.try_get("program")?);
    let (since, state): (Option<&str>, Option<&str>) = (row.try_get("since")?, row.try_get("state")?);
    let since = since.map(|since| format!(", in a transaction since {since}")).unwrap_or_default();
    let state = state.map(|state| format!(", {state}")).unwrap_or_default();
    Ok(format!("process {pid} ({program}{since}{state})"))
}
