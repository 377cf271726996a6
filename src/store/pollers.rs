//! Whose updates a process asks Telegram for: each bot's by one process at a time.
//!
//! An advisory lock of an open transaction, on a connection beside the pool. It is free at the moment in which the process ends,
//! however it ends, and half a minute later if its machine goes: the server ends the session of a holder of whom it hears
//! nothing more. A pooler in transaction mode keeps a server's connection for an open transaction; a lock of the session would
//! be somebody else's there. Between two statements such a transaction has no snapshot, so it holds no vacuum up.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::{Connection, Error, Statement, Store, column, statement};

/// How often the holder is to [confirm](Held::confirm).
pub const CONFIRM: Duration = Duration::from_secs(5);
/// A holder of whom the server hears nothing for so long is gone: some times [`CONFIRM`].
const GONE: &str = "30s";
/// How long a statement may take.
const ANSWER: Duration = Duration::from_secs(5);

/// Reads committed rows, so that no snapshot outlives its statement.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY";

const HOLD: Statement = statement!(
    "pollers.hold",
    [INT8],
    "SELECT pg_try_advisory_xact_lock(hashtextextended('poll ' || $1 /* bot */, 0)) AS held"
);

/// Whether anybody has the lock of [`HOLD`]: `pg_locks` shows its key in two halves.
const IS_HELD: Statement = statement!(
    "pollers.is_held",
    [INT8],
    "SELECT EXISTS (
         SELECT FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 1 AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND ((classid::bigint << 32) | objid::bigint) = hashtextextended('poll ' || $1 /* bot */, 0)
     ) AS held"
);

const GIVE_UP: Statement = statement!(
    "pollers.give_up",
    [TEXT],
    "SELECT set_config('idle_in_transaction_session_timeout', $1 /* after */, true)"
);

/// Without parameters, so that nothing of it stays open behind it: what parameters were bound to keeps its snapshot until the
/// next statement.
const CONFIRM_HELD: Statement = statement!("pollers.confirm", [], "SELECT 1");

/// Bots that no other process holds while this one does. They are free when this is dropped.
pub struct Held {
    client: Client,
}

impl Store {
    /// Holds these bots, by the public parts of their tokens; `None`: another process has one of them.
    ///
    /// # Errors
    /// When the database cannot be reached or refuses.
    pub async fn hold_bots(&self, bots: &[i64]) -> Result<Option<Held>, Error> {
        let client = self.pool.open().await?;
        let held = Held { client };
        held.within("pollers.begin", held.client.batch_execute(BEGIN)).await?;
        held.ask(&GIVE_UP, &GONE).await?;
        // One after another, all in the same order: of two who begin at once one gets all of them.
        for bot in bots {
            let rows = held.ask(&HOLD, bot).await?;
            if !rows.first().map_or(Ok(false), |row| column(row, "held"))? {
                return Ok(None);
            }
        }
        held.confirm().await?;
        Ok(Some(held))
    }
}

/// Whether a process holds this bot, by the public part of its token.
///
/// # Errors
/// When the database failed.
pub async fn is_held(store: &Store, bot: i64) -> Result<bool, Error> {
    let rows = store.run(async |connection: Connection| connection.fetch(&IS_HELD, &[&bot]).await).await?;
    rows.first().map_or(Ok(false), |row| column(row, "held"))
}

impl Held {
    /// Tells the server that the holder is there, and that the server still is.
    ///
    /// # Errors
    /// When the connection is lost: the bots may be another's.
    pub async fn confirm(&self) -> Result<(), Error> {
        self.within(CONFIRM_HELD.name, self.client.batch_execute(CONFIRM_HELD.text)).await
    }

    async fn ask(&self, statement: &Statement, parameter: &(dyn ToSql + Sync)) -> Result<Vec<Row>, Error> {
        let parameters: Vec<_> = statement.types.iter().map(|kind| (parameter, kind.clone())).collect();
        self.within(statement.name, self.client.query_typed(statement.text, &parameters)).await
    }

    async fn within<T>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, Error> {
        match timeout(ANSWER, work).await {
            Ok(result) => result.map_err(|source| Error::Statement { name, source }),
            Err(_) => Err(Error::Stalled(ANSWER)),
        }
    }
}
