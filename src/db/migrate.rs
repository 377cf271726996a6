//! Brings a database to this release's schema, with refinery.
//!
//! Safe to run twice and from several processes at once: an advisory lock of the session, which ends with the
//! process whatever happens to it, makes the second one wait. A file that was changed after it had been applied is
//! refused by name.

use refinery::{Migration, Runner};
use tokio_postgres::Client;

use super::error::Brief;
use super::tls;
use crate::config;

/// The files of `migrations/`, in order.
const MIGRATIONS: [(&str, &str); 1] = [("V1__schema.sql", include_str!("../../migrations/V1__schema.sql"))];

/// Any number will do, as long as it is always the same.
const LOCK: i64 = 0x6669_656c_6473_7663;

/// The schema could not be brought up to date. Each file is a transaction: those before it stay applied.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The database could not be reached, or refused a statement.
    #[error("{doing}: {cause}")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// PostgreSQL's or the driver's message.
        cause: String,
    },
    /// A migration failed, or differs from the one that was applied under its name.
    #[error("migrating: {0}")]
    Migration(#[from] refinery::Error),
}

impl Error {
    fn database(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> Self {
        move |error| {
            let cause = std::error::Error::source(&error)
                .filter(|_| error.as_db_error().is_none())
                .map_or_else(|| Brief(&error).to_string(), |source| format!("{error}: {source}"));
            Self::Database { doing, cause }
        }
    }
}

/// Connects and applies what is missing; returns the names of the files applied now.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: &config::Database) -> Result<Vec<String>, Error> {
    apply(&mut connect(config).await?).await
}

/// A connection of its own, outside any pool. It closes when the client is dropped.
///
/// # Errors
/// When the server cannot be reached or refuses.
pub async fn connect(config: &config::Database) -> Result<Client, Error> {
    let connection = super::with_timeouts(&config.connection);
    let (client, driver) =
        connection.connect(tls::connector(config)?).await.map_err(Error::database("connecting to PostgreSQL"))?;
    // What becomes of the connection shows in the client's calls.
    tokio::spawn(driver);
    Ok(client)
}

async fn apply(client: &mut Client) -> Result<Vec<String>, Error> {
    let migrations =
        MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<Vec<_>, _>>()?;
    client
        .batch_execute(&format!("SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"))
        .await
        .map_err(Error::database("waiting for another migration"))?;
    let report = Runner::new(&migrations).run_async(client).await?;
    set_timeouts(client).await.map_err(Error::database("setting the database's timeouts"))?;
    Ok(report.applied_migrations().iter().map(ToString::to_string).collect())
}

/// Sets the database's own timeouts. They belong to the database and not to sessions: `SET` pins a connection of RDS
/// Proxy, and poolers reject `options`. A tap waits for a lock only while another accept of the same master commits.
///
/// # Errors
/// When PostgreSQL refuses for another reason than that the role does not own the database, which is warned of.
pub async fn set_timeouts(client: &Client) -> Result<(), tokio_postgres::Error> {
    client
        .batch_execute(
            "DO $$
             BEGIN
                 EXECUTE format('ALTER DATABASE %I SET lock_timeout = ''1s''', current_database());
                 EXECUTE format('ALTER DATABASE %I SET statement_timeout = ''10s''', current_database());
                 EXECUTE format('ALTER DATABASE %I SET idle_in_transaction_session_timeout = ''15s''',
                                current_database());
             EXCEPTION WHEN insufficient_privilege THEN
                 RAISE WARNING 'not the owner of %, so lock_timeout, statement_timeout and '
                               'idle_in_transaction_session_timeout must be set on it by its owner', current_database();
             END $$",
        )
        .await
}
