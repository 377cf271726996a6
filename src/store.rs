//! PostgreSQL: the pool, connections that cannot leak a transaction, and statements by name.
//!
//! All SQL text lives below this module, one file per table or per thing that is done. Callers work through
//! [`Store::run`], which lends a [`Connection`] and tries once more where a second try can help.
//!
//! Invariant: a connection goes back to the pool only if nothing that it was asked is still under way. A future that
//! is dropped half-way (a deadline, a hang-up) therefore closes its connection, and the server rolls back.

pub mod cities;
mod connection;
pub mod dialogs;
pub mod error;
pub mod facts;
pub mod masters;
pub mod migrate;
pub mod offers;
pub mod orders;
pub mod outbox;
pub mod rounds;
pub mod staff;
pub mod sweeps;
mod tls;
pub mod updates;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};

use crate::config::{self, StatementMode};
use connection::AFTER_COMMIT;
pub use connection::{Connection, Ready};
pub use error::{Error, Severity};
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

/// Waits for a connection at most this long. A burst of taps queues here, well inside Telegram's 60 seconds.
const WAIT: Duration = Duration::from_secs(12);
/// Opening a connection, TLS included, takes at most this long.
const CONNECT: Duration = Duration::from_secs(5);
/// A connection that was idle for longer is asked whether it lives before it is used: a frozen Lambda cannot notice
/// that the server hung up. Asking every time would cost a round trip per tap.
const TRUSTED_IDLE: Duration = Duration::from_secs(5);
/// How long that question may take.
const PROBE: Duration = Duration::from_secs(2);
/// How soon the system asks whether a silent server is still there. Its own default is two hours.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// A piece of work that takes longer has lost its server unnoticed. The connection is given up.
const WORK: Duration = Duration::from_secs(6);

/// The database: a pool, the statement mode and the clock.
#[derive(Clone)]
pub struct Store {
    pool: Pool,
    mode: StatementMode,
    clock: Clock,
    /// When the database last did what it was asked.
    last_success: Arc<Mutex<Option<Instant>>>,
}

impl Store {
    /// Prepares a pool of at most `connections`; nothing is connected yet.
    ///
    /// # Errors
    /// When the CA file of the configuration cannot be read.
    pub fn new(config: &config::Database, connections: usize, clock: Clock) -> Result<Self, TlsError> {
        let manager = Manager::from_config(
            with_timeouts(&config.connection),
            tls::connector(config)?,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let pool = Pool::builder(manager)
            .max_size(connections)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT))
            .recycle_timeout(Some(PROBE))
            .pre_recycle(probe_idle_connections())
            .build()
            .map_err(|error| tls::Error::new("building the pool", error))?;
        Ok(Self { pool, mode: config.statements, clock, last_success: Arc::default() })
    }

    /// The time for statements of this moment, see [`Clock::now`].
    #[must_use]
    pub fn now(&self) -> Option<Timestamp> {
        self.clock.now()
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
        let mut first = true;
        loop {
            match self.attempt(&work).await {
                Err(error) if first && error.severity() == Severity::ConnectionLost => {
                    tracing::warn!(%error, "database connection lost, trying a new one");
                    // What made one useless has hit the idle ones too; at thaw none of them has noticed yet.
                    self.pool.retain(|_, _| false);
                }
                Err(error) if first && error.severity() == Severity::Conflict => {
                    tracing::warn!(%error, "transaction conflict, trying again");
                }
                Err(error) if first && error.severity() == Severity::UnknownTimezone => {
                    let lost = self.attempt(&cities::show_lost_in_utc).await?;
                    tracing::error!(%error, "cities whose time zone the server does not know are shown in UTC: {lost}");
                }
                result => return result,
            }
            first = false;
        }
    }

    async fn attempt<T, F>(&self, work: impl Fn(Connection) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let client = self.pool.get().await?;
        let committed = Arc::new(AtomicBool::new(false));
        // On the heap: it is large, and so would be every future that it is part of.
        let mut work = Box::pin(work(Connection::new(client, self.mode, Arc::clone(&committed))));
        let result = match tokio::time::timeout(WORK, &mut work).await {
            // What was committed is not reported as undone: only what is read after it is still waited for.
            Err(_) if committed.load(Ordering::Relaxed) => tokio::time::timeout(2 * AFTER_COMMIT, work).await,
            result => result,
        };
        let result = result.unwrap_or(Err(Error::Stalled(WORK)));
        if result.is_ok() {
            *self.last_success.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        result
    }

    /// Whether the database answers; that it has done so within the last second is enough. Under load nobody who asks has to
    /// wait for a connection.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        const PING: Statement = statement!("store.ping", [], "SELECT 1");
        let last = *self.last_success.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.pool.is_closed() && last.is_some_and(|at| at.elapsed() < Duration::from_secs(1)) {
            return Ok(());
        }
        self.run(async |connection| connection.fetch(&PING, &[]).await.map(drop)).await
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

/// Asks a connection that was idle for long whether it lives. When one does not answer, those that were idle at that
/// moment are not asked one after another: they go at once.
fn probe_idle_connections() -> Hook {
    let last_silence: Arc<Mutex<Option<Instant>>> = Arc::default();
    Hook::async_fn(move |client, metrics| {
        let idle = metrics.last_used();
        let last_silence = Arc::clone(&last_silence);
        Box::pin(async move {
            if idle < TRUSTED_IDLE {
                return Ok(());
            }
            let silence = *last_silence.lock().unwrap_or_else(PoisonError::into_inner);
            if silence.is_some_and(|silence| silence.elapsed() < idle) {
                return Err(HookError::message("was idle when another one did not answer"));
            }
            match tokio::time::timeout(PROBE, client.simple_query("")).await {
                Ok(Ok(_)) => Ok(()),
                Ok(Err(error)) => Err(HookError::Backend(error)),
                Err(_) => {
                    *last_silence.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
                    Err(HookError::message("an idle connection did not answer"))
                }
            }
        })
    })
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
