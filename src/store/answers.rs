//! What programs were answered, in `processed_updates`: whoever asks again by the same key is answered the same. Kept for eight
//! days, as of all updates.

use jiff::Timestamp;

use super::{Connection, Error, Ready, Statement, column, statement};
use crate::model::StaffId;

/// A program's idempotency key, and what it asks for by it.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// What the program calls it, after the program's own number.
    name: String,
    /// The order, or the import.
    action: &'static str,
    /// A digest of what is asked for.
    fingerprint: Vec<u8>,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The key that `staff` gives a request with this fingerprint. `action`: its word in `processed_updates`.
    #[must_use]
    pub fn new(staff: StaffId, key: &str, action: &'static str, fingerprint: Vec<u8>) -> Self {
        Self { name: format!("{staff} {key}"), action, fingerprint }
    }
}

/// What became of a request by a key before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// It was answered this.
    Before(String),
    /// Another request had that key.
    Another,
}

/// Tries for the key's lock, until the transaction ends: no row of it is there before the first request has been answered.
pub(crate) const LOCK: Statement = statement!(
    "answers.lock",
    [TEXT],
    "SELECT pg_try_advisory_xact_lock(hashtextextended('api ' || $1 /* key */, 0)) AS locked"
);

/// Runs [`LOCK`]; false: somebody else is at work by this key.
pub(crate) async fn lock(connection: &Connection, statement: &Ready, key: &Key) -> Result<bool, Error> {
    column(&connection.query(statement, &[&key.name]).await?[0], "locked")
}

/// Looks for a key that was used before.
pub(crate) const FIND: Statement = statement!(
    "answers.find",
    [TEXT, TEXT, BYTEA],
    "SELECT coalesce(answer, '') AS answer, fingerprint IS NOT DISTINCT FROM $3 /* fingerprint */ AND action = $2 /* action */ AS is_same
     FROM processed_updates
     WHERE bot = 'API' AND update_key = $1 /* key */"
);

/// Runs [`FIND`].
pub(crate) async fn find(connection: &Connection, statement: &Ready, key: &Key) -> Result<Option<Answered>, Error> {
    let rows = connection.query(statement, &[&key.name, &key.action, &key.fingerprint]).await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(if column(row, "is_same")? { Answered::Before(column(row, "answer")?) } else { Answered::Another }))
}

/// Records what is answered, in the transaction that does it, under the key's lock.
pub(crate) const RECORD: Statement = statement!(
    "answers.record",
    [TEXT, TEXT, BYTEA, TEXT, TIMESTAMPTZ],
    "INSERT INTO processed_updates (bot, update_key, action, outcome, processed_at, fingerprint, answer)
     VALUES ('API', $1 /* key */, $2 /* action */, 'SUCCESS', coalesce($5, now()) /* now */, $3 /* fingerprint */, $4 /* answer */)"
);

/// Runs [`RECORD`].
pub(crate) async fn record(
    connection: &Connection,
    statement: &Ready,
    key: &Key,
    answer: &str,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    connection.query(statement, &[&key.name, &key.action, &key.fingerprint, &answer, &now]).await.map(drop)
}
