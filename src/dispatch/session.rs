//! Somebody of the staff opens a page, and leaves it: a token for some hours, which ends with the person's right.

use std::time::Duration;

use jiff::Timestamp;

use super::secret;
use crate::model::StaffRef;
use crate::model::access::{Access, Token, TokenKind, TokenScope};
use crate::store::{self, Connection, Store, access};

/// For how long a page needs no other proof.
const SESSION: Duration = Duration::from_hours(12);
/// For how long a link can be followed, usually.
pub const LINK: Duration = Duration::from_mins(10);

/// Whom a page is opened for.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Telegram vouches for the person.
    Person(StaffRef),
    /// A link that nobody has followed yet.
    Link(Token),
}

/// A page's token.
#[derive(Clone, Debug)]
pub struct Session {
    /// The token, which is known to nobody else.
    pub token: Token,
    /// When it ends.
    pub expires_at: Timestamp,
    /// Whose right it carries.
    pub access: Access,
}

/// Every answer.
#[derive(Clone, Debug)]
pub enum SessionOutcome {
    /// Come in.
    Begun(Session),
    /// What was presented proves nothing: it is no link, or Telegram has not signed it lately.
    NoProof,
    /// The link was followed before, has ended, or never was.
    LinkSpent,
    /// It is nobody of the staff.
    NotStaff,
}

impl SessionOutcome {
    /// Every outcome's word.
    pub const NAMES: [&'static str; 4] = ["SUCCESS", "NO_PROOF", "LINK_SPENT", "NOT_STAFF"];

    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Begun(_) => "SUCCESS",
            Self::NoProof => "NO_PROOF",
            Self::LinkSpent => "LINK_SPENT",
            Self::NotStaff => "NOT_STAFF",
        }
    }
}

/// Opens a page. `None`: whoever asks has presented no proof.
///
/// # Errors
/// When the database failed.
pub async fn begin(store: &Store, proof: Option<&Proof>) -> Result<SessionOutcome, store::Error> {
    let Some(proof) = proof else { return Ok(SessionOutcome::NoProof) };
    let secret = secret::random();
    let outcome = store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let outcome = attempt(&connection, proof, secret, store.now()).await?;
            match outcome {
                SessionOutcome::Begun(_) => connection.commit().await?,
                _ => connection.rollback().await?,
            }
            Ok(outcome)
        })
        .await?;
    if let SessionOutcome::Begun(Session { access, .. }) = &outcome {
        tracing::info!(staff = access.staff.0, "session SUCCESS: staff={}", access.staff);
    }
    Ok(outcome)
}

async fn attempt(
    connection: &Connection,
    proof: &Proof,
    secret: [u8; 32],
    now: Option<Timestamp>,
) -> Result<SessionOutcome, store::Error> {
    let begun = |(token, expires_at, access)| SessionOutcome::Begun(Session { token, expires_at, access });
    let staff = match proof {
        Proof::Person(staff) => *staff,
        Proof::Link(link) => {
            let Some(staff) = access::follow(connection, link, now).await? else {
                // Unless it was this very request that has followed it, in a try whose answer was lost.
                let session = access::session_of(connection, link, secret).await?;
                return Ok(session.map_or(SessionOutcome::LinkSpent, begun));
            };
            staff
        }
    };
    let session = access::begin_session(connection, staff, SESSION, secret, now).await?;
    Ok(session.map_or(SessionOutcome::NotStaff, begun))
}

/// Leaves a page: its token is good for nothing any more.
///
/// # Errors
/// When the database failed.
pub async fn end(store: &Store, access: &Access) -> Result<(), store::Error> {
    access::end_session(store, access.token).await
}

/// Makes a link by which somebody of the staff opens a page, once, within that time. `None`: it is nobody of the staff.
///
/// # Errors
/// When the database failed.
pub async fn link(store: &Store, staff: StaffRef, expires_in: Duration) -> Result<Option<Token>, store::Error> {
    let secret = secret::random();
    store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let Some(person) = access::person(&connection, staff).await? else {
                connection.rollback().await?;
                return Ok(None);
            };
            let (kind, scope) = (TokenKind::Link, TokenScope::Read);
            let made =
                access::insert(&connection, person.staff, kind, scope, secret, Some(expires_in), store.now()).await?;
            connection.commit().await?;
            Ok(Some(made.0))
        })
        .await
}
