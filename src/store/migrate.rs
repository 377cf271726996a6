//! Brings a database to this release's schema, with refinery.
//!
//! Safe to run twice and from several processes at once: an advisory lock of the session, which ends with the
//! process whatever happens to it, makes the second one wait. A file that was changed after it had been applied is
//! refused by name.

use refinery::{Migration, Runner};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::error::explain;
use super::tls;
use crate::config;

/// The files of `migrations/`, in order.
const MIGRATIONS: [(&str, &str); 7] = [
    ("V1__schema.sql", include_str!("../../migrations/V1__schema.sql")),
    ("V2__rounds.sql", include_str!("../../migrations/V2__rounds.sql")),
    ("V3__outbox.sql", include_str!("../../migrations/V3__outbox.sql")),
    ("V4__processed_updates.sql", include_str!("../../migrations/V4__processed_updates.sql")),
    ("V5__bounded_cost.sql", include_str!("../../migrations/V5__bounded_cost.sql")),
    ("V6__checks.sql", include_str!("../../migrations/V6__checks.sql")),
    ("V7__validate_checks.sql", include_str!("../../migrations/V7__validate_checks.sql")),
];

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
    Migration(String),
}

impl From<refinery::Error> for Error {
    fn from(error: refinery::Error) -> Self {
        Self::Migration(explain(&error))
    }
}

impl Error {
    fn database(doing: &'static str) -> impl Fn(tokio_postgres::Error) -> Self {
        move |error| Self::Database { doing, cause: explain(&error) }
    }
}

/// What [`run`] did.
#[derive(Debug, Default)]
pub struct Report {
    /// The files applied now.
    pub applied: Vec<String>,
    /// What the database's owner has yet to run, because this role is not the owner.
    pub for_the_owner: Option<String>,
}

/// Connects and applies what is missing. Needs a connection to the server itself: a pooler in transaction mode knows
/// no session's lock.
///
/// # Errors
/// See [`Error`].
pub async fn run(config: &config::Database) -> Result<Report, Error> {
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

async fn apply(client: &mut Client) -> Result<Report, Error> {
    let migrations =
        MIGRATIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<Vec<_>, _>>()?;
    client
        .batch_execute(&format!("SET lock_timeout = 0; SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"))
        .await
        .map_err(Error::database("waiting for another migration"))?;
    let report = Runner::new(&migrations).run_async(client).await?;
    let for_the_owner = set_timeouts(client).await.map_err(Error::database("setting the database's timeouts"))?;
    client
        .batch_execute(&format!("SELECT pg_advisory_unlock({LOCK}); RESET lock_timeout; RESET statement_timeout"))
        .await
        .map_err(Error::database("letting other migrations go on"))?;
    Ok(Report { applied: report.applied_migrations().iter().map(ToString::to_string).collect(), for_the_owner })
}

/// The database's own timeouts. They belong to the database and not to sessions: `SET` pins a connection of RDS Proxy,
/// and poolers reject `options`. A tap waits for no row's lock; this is for what else there is, such as a migration. A
/// statement ends before we would give its connection up.
const TIMEOUTS: &str = "\
ALTER DATABASE %I SET lock_timeout = '1s';
ALTER DATABASE %I SET statement_timeout = '5s';
ALTER DATABASE %I SET idle_in_transaction_session_timeout = '15s';";

/// Sets the database's own timeouts, for sessions begun after that. They are not part of a copy made with `CREATE
/// DATABASE … TEMPLATE`, nor of a dump. If the role does not own the database, the statements that its owner must run.
///
/// # Errors
/// When PostgreSQL refuses for another reason.
pub async fn set_timeouts(client: &Client) -> Result<Option<String>, tokio_postgres::Error> {
    let name: String = client.query_one("SELECT quote_ident(current_database())", &[]).await?.get(0);
    let statements = TIMEOUTS.replace("%I", &name);
    match client.batch_execute(&statements).await {
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Ok(Some(statements)),
        result => result.map(|()| None),
    }
}
