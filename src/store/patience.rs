//! Work on many rows does not wait for one that somebody holds.
//!
//! Statements over many rows pass over what is locked. Where that cannot be said, in a foreign key's check or a trigger, the wait
//! is short, and the rows are tried in halves until the one is found that it was about.

use std::time::Duration;

use tokio::time::timeout;

use super::{Connection, Error, Ready, Severity, Statement, statement};

/// Ends a wait for a lock soon, until the transaction ends.
pub(crate) const PATIENCE: Statement =
    statement!("patience.lock_timeout", [], "SELECT set_config('lock_timeout', '200ms', true)");

/// Opens a transaction that waits for no lock for long, in one trip.
pub(crate) async fn begin(connection: &Connection, patience: &Ready) -> Result<(), Error> {
    let (begun, patient) = tokio::join!(connection.begin(), connection.query(patience, &[]));
    begun?;
    patient.map(drop)
}

/// How long the end of a transaction that failed is waited for.
const UNDO: Duration = Duration::from_secs(1);

/// Rolls an open transaction back that has failed: its locks are gone when it is tried again in halves. A connection that is
/// dropped would keep them until its server has noticed, and the halves would pass over their own rows.
pub(crate) async fn undo<T>(connection: &Connection, result: Result<T, Error>) -> Result<T, Error> {
    if let Err(error) = &result
        && !matches!(timeout(UNDO, connection.rollback()).await, Ok(Ok(())))
    {
        tracing::warn!(%error, "a transaction that failed could not be rolled back; its connection is closed");
    }
    result
}

/// What took too long before a pass gives up: then it is no single row's trouble, but a whole table that is locked.
const MOST: u32 = 24;

/// Whether failures of a pass are those of single rows.
#[derive(Debug, Default)]
pub struct Patience {
    took_too_long: u32,
}

impl Patience {
    /// Whether a batch that failed like this is worth being tried in halves, or a single row set aside. Else the database is
    /// away, or locked as a whole.
    pub fn is_of_single_rows(&mut self, error: &Error) -> bool {
        if error.severity() == Severity::TimedOut {
            self.took_too_long += 1;
            return self.took_too_long <= MOST;
        }
        !error.is_transient()
    }
}
