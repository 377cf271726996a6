//! PostgreSQL: the pool, connections that cannot leak a transaction, and statements by name.
//!
//! All SQL text lives below this module, one file per table or per thing that is done. Callers work through
//! [`Store::run`], which lends a [`Connection`] and tries once more where a second try can help.
//!
//! Invariant: a connection goes back to the pool only if nothing that it was asked is still under way. A future that
//! is dropped half-way (a deadline, a hang-up) therefore closes its connection, and the server rolls back.

pub mod access;
mod allowance;
pub mod answers;
pub mod cards;
pub mod cities;
mod connection;
pub mod dialogs;
pub mod doctor;
pub mod drafts;
pub mod edits;
pub mod error;
pub mod facts;
pub mod figures;
pub mod history;
pub mod invitations;
mod master_past;
pub mod masters;
pub mod migrate;
pub(crate) mod new_orders;
pub mod observed;
pub mod offers;
pub mod onboardings;
pub mod order_records;
pub mod orders;
pub mod outbox;
pub mod past;
pub mod patience;
pub mod policies;
pub mod pollers;
mod pool;
pub(crate) mod queue;
pub mod replays;
pub mod restore;
pub mod rounds;
mod server;
pub mod staff;
pub(crate) mod staff_card;
pub mod staff_dialogs;
pub mod staff_orders;
pub mod sweeps;
mod tls;
pub mod updates;
pub mod why;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::config::{self, StatementMode};
use crate::metrics::Metrics;
use allowance::Allowance;
use connection::{AFTER_COMMIT, Lent};
pub use connection::{Connection, Ready};
pub use error::{Error, Severity};
use pool::{CONNECT, Pool};
use replays::Replays;
use server::{Fresh, Server};
pub use tls::Error as TlsError;

/// A statement: its name, which is also the comment it starts with, its text, and its parameters' types.
#[derive(Debug)]
pub struct Statement {
    /// `table.action`, as in `pg_stat_statements` and in error messages.
    pub name: &'static str,
    /// The SQL, parameters as `$1`….
    pub text: &'static str,
    /// The parameters' types, in order.
    pub types: &'static [Type],
}

/// Defines a [`Statement`] whose text starts with its name.
macro_rules! statement {
    ($name:literal, [$($type:ident),*], $($text:tt)+) => {
        $crate::store::Statement {
            name: $name,
            text: concat!("/* ", $name, " */ ", $($text)+),
            types: &[$(tokio_postgres::types::Type::$type),*],
        }
    };
}
pub(crate) use statement;

/// The orders that are not over: what may stand in brackets after `FROM`.
macro_rules! orders_not_over {
    () => {
        include_str!("orders_not_over.sql")
    };
}
pub(crate) use orders_not_over;

/// The text of a statement that reads `orders_not_over`: its own text goes on where another name may follow after `WITH`.
macro_rules! with_orders_not_over {
    ($($text:tt)+) => {
        concat!("WITH orders_not_over AS (\n", $crate::store::orders_not_over!(), "), ", $($text)+)
    };
}
pub(crate) use with_orders_not_over;

/// What time statements take it to be: the database's, unless a test says otherwise.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<Mutex<Timestamp>>>);

impl Clock {
    /// A clock that stands until it is set.
    #[must_use]
    pub fn standing_at(now: Timestamp) -> Self {
        Self(Some(Arc::new(Mutex::new(now))))
    }

    /// Moves a standing clock; the database's own time cannot be set.
    pub fn set(&self, now: Timestamp) {
        if let Some(clock) = &self.0 {
            *clock.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }

    /// The `now` parameter of statements: `None` means the database's own.
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.0.as_ref().map(|clock| *clock.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How soon the system asks whether a silent server is still there. Its own default is two hours.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A piece of work that takes longer has lost its server unnoticed. The connection is given up.
pub(crate) const WORK: Duration = Duration::from_secs(6);
/// The same of work that is large by nature, such as thousands of orders: less than a request to the API may take.
pub(crate) const LARGE_WORK: Duration = Duration::from_secs(15);

/// How often all idle connections may be given up because one of them turned out to be of no use: some times at once, and
/// then once in so long. Each must be opened again, and what makes one useless may well not pass with a new one.
const RENEWALS: u32 = 2;
const RENEWED_EVERY: Duration = Duration::from_secs(5);

/// The database: a pool, the statement mode and the clock. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    mode: StatementMode,
    clock: Clock,
    server: Arc<Server>,
    renewals: Arc<Allowance>,
    /// When this process has last found the database to be away.
    last_loss: Arc<Mutex<Option<Instant>>>,
    metrics: Arc<Metrics>,
    explanations: Arc<Semaphore>,
    replays: Arc<Replays>,
}

impl Store {
    /// Prepares a pool of at most `connections`; nothing is connected yet.
    ///
    /// # Errors
    /// When the CA file of the configuration cannot be read.
    pub fn new(config: &config::Database, connections: usize, clock: Clock) -> Result<Self, TlsError> {
        Ok(Self {
            pool: Pool::new(config, connections)?,
            mode: config.statements,
            clock,
            server: Arc::default(),
            renewals: Arc::new(Allowance::new(RENEWALS, RENEWED_EVERY)),
            last_loss: Arc::default(),
            metrics: Arc::default(),
            explanations: Arc::new(Semaphore::new(1)),
            replays: Arc::default(),
        })
    }

    /// The same, counting there.
    #[must_use]
    pub fn counting(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Where is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Held by whoever makes out why an order was offered to whom, which reads a whole city: one at a time, so that taps find
    /// the other connections.
    #[must_use]
    pub fn explanations(&self) -> &Semaphore {
        &self.explanations
    }

    /// Who wants to know what a draft of a policy would have done, or waits for it.
    #[must_use]
    pub fn replays(&self) -> &Replays {
        &self.replays
    }

    /// The time for statements of this moment, see [`Clock::now`].
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.clock.now()
    }

    /// How many connections there may be if the server allows them.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.pool.wanted()
    }

    /// Lends a connection to `work`. When the connection turns out to be dead, or PostgreSQL chose this transaction
    /// to end a deadlock, `work` runs once more; it must therefore be safe to repeat, and answer a repetition
    /// truthfully.
    ///
    /// # Errors
    /// What `work` failed with, or that no connection was to be had.
    pub async fn run<T, W, F>(&self, work: W) -> Result<T, Error>
    where
        W: Fn(Connection) -> F,
        F: Future<Output = Result<T, Error>>,
    {
        self.run_within(WORK, work).await
    }

    /// The same, giving the connection up after `time`.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub(crate) async fn run_within<T, W, F>(&self, time: Duration, work: W) -> Result<T, Error>
    where
        W: Fn(Connection) -> F,
        F: Future<Output = Result<T, Error>>,
    {
        let mut first = true;
        loop {
            self.refuse_if_read_only().await?;
            let begun = Instant::now();
            match self.attempt(time, &work).await {
                Err(error) if first && error.severity() == Severity::ConnectionLost => {
                    tracing::warn!(%error, "database connection lost, trying a new one");
                    // What made one useless has hit the idle ones too; at thaw none of them has noticed yet.
                    self.renew();
                }
                Err(error) if first && error.severity() == Severity::ReadOnly => {
                    // Either this session is of no more use, or the server takes no writes at all.
                    if self.ask_unless_known(Fresh::AskedSince(begun)).await.is_err() || !self.renew() {
                        return Err(error);
                    }
                    tracing::warn!(%error, "a session of what is a standby now, trying a new one");
                }
                Err(error) if first && error.severity() == Severity::Conflict => {
                    tracing::warn!(%error, "transaction conflict, trying again");
                }
                Err(error) if first && error.severity() == Severity::UnknownTimezone => {
                    let lost = self.attempt(WORK, &cities::show_lost_in_utc).await?;
                    tracing::error!(%error, "cities whose time zone the server does not know are shown in UTC: {lost}");
                }
                result => return result,
            }
            first = false;
        }
    }

    /// Whether this process has found the database to be away within that time.
    #[must_use]
    pub fn lost_within(&self, time: Duration) -> bool {
        let last = *self.last_loss.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|at| at.elapsed() < time)
    }

    /// Gives up the idle connections, if that has not been done too often lately; whether it was done.
    fn renew(&self) -> bool {
        let may = self.renewals.take(Instant::now());
        if may {
            self.pool.close_idle();
        }
        may
    }

    async fn attempt<T, F>(&self, time: Duration, work: impl Fn(Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let result = self.attempt_unobserved(time, work).await;
        if result.as_ref().is_err_and(Error::is_loss) {
            *self.last_loss.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        result
    }

    async fn attempt_unobserved<T, F>(&self, time: Duration, work: impl Fn(Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let begun = Instant::now();
        // The place is given back after the connection.
        let (client, _place) = self.pool.lend().await?;
        self.metrics.time_pool_wait(begun.elapsed());
        let lent = Arc::new(Lent::new(Arc::clone(&self.metrics)));
        // On the heap: it is large, and so would be every future that it is part of.
        let mut work = Box::pin(work(Connection::new(client, self.mode, Arc::clone(&lent))));
        let result = match tokio::time::timeout(time, &mut work).await {
            // What was committed is not reported as undone: only what is read after it is still waited for.
            Err(_) if lent.committed.load(Ordering::Relaxed) => tokio::time::timeout(2 * AFTER_COMMIT, work).await,
            result => result,
        };
        let result = result.unwrap_or(Err(Error::Stalled(time)));
        lent.settle(result.as_ref().is_err_and(Error::is_of_another_statement));
        if result.is_ok() {
            self.server.has_answered();
        }
        result
    }

    /// Closes every connection; later calls fail.
    pub fn close(&self) {
        self.pool.close();
    }
}

/// Reads a column. An error names it, so that a row that somebody wrote oddly can be found; nothing panics over it.
pub(crate) fn column<'a, T: FromSql<'a>>(row: &'a Row, name: &'static str) -> Result<T, Error> {
    row.try_get(name).map_err(|source| Error::Column { name, source })
}

fn with_timeouts(connection: &tokio_postgres::Config) -> tokio_postgres::Config {
    let mut connection = connection.clone();
    if connection.get_connect_timeout().is_none() {
        connection.connect_timeout(CONNECT);
    }
    if connection.get_tcp_user_timeout().is_none() {
        connection.tcp_user_timeout(Duration::from_secs(10));
    }
    if connection.get_keepalives_idle() > KEEPALIVE {
        connection.keepalives_idle(KEEPALIVE);
    }
    if connection.get_application_name().is_none() {
        connection.application_name("field-service");
    }
    connection
}
