//! Whether the server answers and takes writes: asked for `GET /health`, and before sessions are given up because one of them
//! says that it is read-only.
//!
//! A database that fails over is read-only for a while, or its old sessions stay on what is a standby now. Only a new session
//! tells which, so it is asked for over one: once a second at most, whoever wants to know.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::allowance::Allowance;
use super::pool::is_full;
use super::{Connection, Error, Statement, Store, column, statement};

/// For so long an answer is good. However often `/health` is called, the server is asked once.
const GOOD: Duration = Duration::from_secs(1);
/// Whoever asks wants to know within two seconds: a server that takes longer is as good as none.
const PATIENCE: Duration = Duration::from_millis(1700);
/// How much of that a connection of the pool is given; after it a new one is opened.
const POOLED: Duration = Duration::from_millis(700);
/// A server that has no connection left for us is well if a statement has succeeded within this time: a little more than one
/// may take.
const BUSY: Duration = Duration::from_secs(10);
/// The same for one that is slow to answer, as everything is on a machine that has too much to do.
const SLOW: Duration = Duration::from_secs(2);

const ASK: Statement = statement!(
    "server.ask",
    [],
    "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only"
);

/// What is known about the server.
#[derive(Debug)]
pub(super) struct Server {
    answer: Mutex<Option<Answer>>,
    /// When a statement last succeeded.
    last_success: Mutex<Option<Instant>>,
    /// Held by whoever asks.
    asking: tokio::sync::Mutex<()>,
    /// How often a server that was read-only is asked again for a tap.
    again: Allowance,
}

/// What the server said, or why it did not.
#[derive(Debug)]
struct Answer {
    /// When it was asked: it is true of that moment or a later one.
    asked: Instant,
    /// When it came. A server that is slow to answer is not asked more often for it.
    came: Instant,
    verdict: Result<(), Arc<Error>>,
}

/// How fresh an answer has to be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fresh {
    /// It came within [`GOOD`].
    Lately,
    /// The server was asked at that moment or later.
    AskedSince(Instant),
}

impl Default for Server {
    fn default() -> Self {
        Self {
            answer: Mutex::default(),
            last_success: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            again: Allowance::new(3, Duration::from_secs(1)),
        }
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    /// A statement has succeeded.
    pub(super) fn has_answered(&self) {
        *hold(&self.last_success) = Some(Instant::now());
    }

    fn has_answered_within(&self, time: Duration) -> bool {
        hold(&self.last_success).is_some_and(|at| at.elapsed() < time)
    }

    /// The last answer, if it is as fresh as that.
    fn known(&self, fresh: Fresh) -> Option<Result<(), Arc<Error>>> {
        let answer = hold(&self.answer);
        let is_fresh = |answer: &&Answer| match fresh {
            Fresh::Lately => answer.came.elapsed() < GOOD,
            Fresh::AskedSince(then) => answer.asked >= then,
        };
        answer.as_ref().filter(is_fresh).map(|answer| answer.verdict.clone())
    }

    fn is_read_only(&self) -> bool {
        let known = self.known(Fresh::Lately);
        known.is_some_and(|verdict| verdict.is_err_and(|error| matches!(*error, Error::ReadOnly)))
    }
}

impl Store {
    /// Whether the database answers and takes writes, as was said at most a second ago. Told within two seconds, whatever waits
    /// for a connection.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Arc<Error>> {
        if self.pool.is_closed() {
            return Err(Arc::new(deadpool_postgres::PoolError::Closed.into()));
        }
        self.ask_unless_known(Fresh::Lately).await
    }

    /// Whether the tables are there: a database in which no migration was applied answers a ping, too.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn has_schema(&self) -> Result<bool, Error> {
        const HAS_SCHEMA: Statement =
            statement!("server.has_schema", [], "SELECT to_regclass('public.orders') IS NOT NULL AS has_schema");
        self.run(async |connection| {
            let rows = connection.fetch(&HAS_SCHEMA, &[]).await?;
            rows.first().map_or(Ok(false), |row| column(row, "has_schema"))
        })
        .await
    }

    /// Refuses for a server that has just been found to be read-only: a tap would only close its connection. Some taps ask
    /// again, so that the first ones after it succeed.
    ///
    /// # Errors
    /// When the server is read-only.
    pub(super) async fn refuse_if_read_only(&self) -> Result<(), Error> {
        if !self.server.is_read_only() {
            return Ok(());
        }
        let now = Instant::now();
        if !self.server.again.take(now) || self.ask_unless_known(Fresh::AskedSince(now)).await.is_err() {
            return Err(Error::ReadOnly);
        }
        Ok(())
    }

    /// Asks, unless an answer as fresh as that is there.
    pub(super) async fn ask_unless_known(&self, fresh: Fresh) -> Result<(), Arc<Error>> {
        if let Some(verdict) = self.server.known(fresh) {
            return verdict;
        }
        let _asking = self.server.asking.lock().await;
        if let Some(verdict) = self.server.known(fresh) {
            return verdict;
        }
        let asked = Instant::now();
        // On the heap: it is seldom needed, and would be a part of every statement's future.
        let said = timeout(PATIENCE, Box::pin(self.ask())).await.unwrap_or(Err(Error::Stalled(PATIENCE)));
        let verdict = match said {
            // It was reached, and is at work.
            Err(error) if is_full(&error) && self.server.has_answered_within(BUSY) => Ok(()),
            Err(Error::Stalled(_)) if self.server.has_answered_within(SLOW) => Ok(()),
            said => said.map_err(Arc::new),
        };
        *hold(&self.server.answer) = Some(Answer { asked, came: Instant::now(), verdict: verdict.clone() });
        verdict
    }

    /// Asks over a connection of the pool if that costs no waiting. If that one is read-only or does not answer, this may be
    /// its own trouble: a new one tells.
    async fn ask(&self) -> Result<(), Error> {
        let pooled = async {
            let (client, _place) = self.pool.lend_at_once().await?;
            let connection = Connection::new(client, self.mode, Arc::default());
            let rows = connection.fetch(&ASK, &[]).await.ok()?;
            column::<bool>(rows.first()?, "read_only").ok()
        };
        if timeout(POOLED, pooled).await == Ok(Some(false)) {
            return Ok(());
        }
        let client = self.pool.open().await?;
        let row = client
            .query_typed_one(ASK.text, &[])
            .await
            .map_err(|source| Error::Statement { name: ASK.name, source })?;
        if column(&row, "read_only")? { Err(Error::ReadOnly) } else { Ok(()) }
    }
}
