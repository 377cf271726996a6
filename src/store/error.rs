//! What can go wrong with the database, and what that means for the caller.
//!
//! The text of an error is safe to log: it quotes no value, neither PostgreSQL's DETAIL, which has the whole row in it and
//! with it a client's phone, nor messages like `invalid input syntax for type integer: "+7999…"`.

mod words;

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{PoolError, TimeoutType};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::types::WrongType;
pub(super) use words::explain;

/// A failed use of the database. Its own text names the causes that are safe to log; those that
/// [`source`](std::error::Error::source) leads to may quote rows.
#[derive(Debug)]
pub enum Error {
    /// No connection could be had: the server is away or refuses us, or all connections stayed in use. Always worth
    /// another try later: even a wrong password is mended by an operator, and no tap may be lost until then.
    Connect(PoolError),
    /// A statement failed, or the connection did while it ran.
    Statement {
        /// The statement's name.
        name: &'static str,
        /// The driver's error.
        source: tokio_postgres::Error,
    },
    /// The server did not answer for this long.
    Stalled(Duration),
    /// The server takes no writes: it is a standby, or fails over.
    ReadOnly,
    /// A column holds what cannot be read, such as a time at infinity.
    Column {
        /// The column.
        name: &'static str,
        /// The driver's error.
        source: tokio_postgres::Error,
    },
    /// A row holds what this release does not know, such as a state added by a later one.
    Unknown {
        /// What kind of value.
        what: &'static str,
        /// The value.
        value: String,
    },
}

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The connection died or had died: another one may work right now.
    ConnectionLost,
    /// A deadlock or a serialisation failure: the same work may succeed at once.
    Conflict,
    /// A lock or a statement took too long.
    TimedOut,
    /// A write was refused, by the server or because this session was begun on a standby.
    ReadOnly,
    /// The database is away or refuses for now: to be tried again later.
    Unavailable,
    /// The server does not know a city's time zone any more: it can be shown in UTC.
    UnknownTimezone,
    /// Trying again will not help.
    Permanent,
}

impl Error {
    /// Sorts the error by what can be done about it.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Connect(_) | Self::Stalled(_) | Self::ReadOnly => Severity::Unavailable,
            Self::Column { source, .. } if is_another_s(source) => Severity::ConnectionLost,
            Self::Unknown { .. } | Self::Column { .. } => Severity::Permanent,
            Self::Statement { source, .. } => severity(source),
        }
    }

    /// Whether the database was away or could not be reached. That connections are short, here or there, is no such sign, nor
    /// that one piece of work took too long.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        let code = match self {
            Self::Connect(PoolError::Timeout(TimeoutType::Wait)) | Self::Stalled(_) => return false,
            Self::Connect(PoolError::Backend(source)) | Self::Statement { source, .. } => source.code(),
            _ => None,
        };
        let short = code.is_some_and(|code| code.code().starts_with("53"));
        !short && matches!(self.severity(), Severity::ConnectionLost | Severity::Unavailable)
    }

    /// Whether the server does not let this role in, or knows no such database: waiting does not mend that.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        let Self::Connect(PoolError::Backend(source)) = self else { return false };
        source.code().is_some_and(|code| code.code().starts_with("28") || *code == SqlState::INVALID_CATALOG_NAME)
    }

    /// Whether the server cut the statement short because it took too long by itself; not because of a lock, which may be
    /// that of a whole table.
    #[must_use]
    pub fn is_canceled(&self) -> bool {
        matches!(self, Self::Statement { source, .. } if source.code() == Some(&SqlState::QUERY_CANCELED))
    }

    /// Whether a result was no answer to the statement that was sent: what else comes from that connection may not be either.
    #[must_use]
    pub(super) fn is_of_another_statement(&self) -> bool {
        matches!(self, Self::Column { source, .. } if is_another_s(source))
    }

    /// Whether a statement that acts has found that it must not, and nothing was changed: it then writes null where that is
    /// refused.
    #[must_use]
    pub fn is_refused_by_a_guard(&self) -> bool {
        matches!(self, Self::Statement { source, .. } if source.code() == Some(&SqlState::NOT_NULL_VIOLATION))
    }

    /// Whether a lock or a statement took too long: somebody is at work on what was asked for.
    #[must_use]
    pub fn is_timed_out(&self) -> bool {
        self.severity() == Severity::TimedOut
    }

    /// Whether the same request may succeed later, so that Telegram should send it again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self.severity(), Severity::Permanent | Severity::UnknownTimezone)
    }
}

/// Whether a result lacks the column, or has it in another type: then it is no answer to the statement that was sent.
fn is_another_s(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_none_or(<dyn std::error::Error>::is::<WrongType>)
}

/// The function of the server that finds that a prepared statement's result has changed its type. Its message is
/// translated, and its SQLSTATE is that of anything unsupported.
const STALE_PLAN: &str = "RevalidateCachedQuery";

fn severity(error: &tokio_postgres::Error) -> Severity {
    let Some(state) = error.code() else {
        // Values that cannot be sent or read are ours; whatever else the driver reports without an SQLSTATE is I/O.
        let ours =
            std::error::Error::source(error).is_some_and(|source| !source.is::<std::io::Error>() && !error.is_closed());
        return if ours { Severity::Permanent } else { Severity::ConnectionLost };
    };
    match *state {
        SqlState::T_R_DEADLOCK_DETECTED | SqlState::T_R_SERIALIZATION_FAILURE => Severity::Conflict,
        SqlState::LOCK_NOT_AVAILABLE | SqlState::QUERY_CANCELED => Severity::TimedOut,
        // The server, or somebody with pg_terminate_backend, closed this connection.
        SqlState::ADMIN_SHUTDOWN
        | SqlState::CRASH_SHUTDOWN
        | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
        | SqlState::IDLE_SESSION_TIMEOUT
        // This session is of no more use, and a new one may be: its prepared statements are of an older schema, or of
        // another server behind a pooler.
        | SqlState::INVALID_SQL_STATEMENT_NAME
        | SqlState::DUPLICATE_PSTATEMENT => Severity::ConnectionLost,
        SqlState::READ_ONLY_SQL_TRANSACTION => Severity::ReadOnly,
        _ if error.as_db_error().and_then(DbError::routine) == Some(STALE_PLAN) => Severity::ConnectionLost,
        // Time zones are the only names of the server's own that statements pass.
        SqlState::INVALID_PARAMETER_VALUE => Severity::UnknownTimezone,
        _ => match &state.code()[..2] {
            "08" => Severity::ConnectionLost,
            // 53: out of connections, memory or disk; 57: operator intervention; 55: not in prerequisite state, as a
            // recovering server is.
            "53" | "55" | "57" => Severity::Unavailable,
            // The schema is not there yet: the migration is about to run, and no tap may be lost until then.
            _ if words::is_schema_missing(state) => Severity::Unavailable,
            _ => Severity::Permanent,
        },
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(PoolError::Backend(error)) => write!(f, "connecting to PostgreSQL: {}", explain(error)),
            Self::Connect(PoolError::Timeout(stage)) => write!(f, "no database connection in time ({stage:?})"),
            Self::Connect(error) => write!(f, "no database connection: {error}"),
            Self::Statement { name, source } => write!(f, "{name}: {}", explain(source)),
            Self::Column { name, source } => write!(f, "reading the column {name}: {}", explain(source)),
            Self::Stalled(time) => write!(f, "the database did not answer for {time:?}"),
            Self::ReadOnly => f.write_str("the database is read-only: a standby, or failing over"),
            Self::Unknown { what, value } => write!(f, "the database holds an unknown {what}: {}", words::word(value)),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Connect(source) => Some(source),
            Self::Statement { source, .. } | Self::Column { source, .. } => Some(source),
            Self::Stalled(_) | Self::ReadOnly | Self::Unknown { .. } => None,
        }
    }
}

impl From<PoolError> for Error {
    fn from(error: PoolError) -> Self {
        Self::Connect(error)
    }
}
