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

/// Opens a page. `None`: the person is nobody of the staff, or the link is good for nothing any more.
///
/// # Errors
/// When the database failed.
pub async fn begin(store: &Store, proof: &Proof) -> Result<Option<Session>, store::Error> {
    let secret = secret::random();
    let begun = store
        .run(async |connection: Connection| {
            connection.begin().await?;
            let begun = access::begin_session(&connection, proof_of(proof), SESSION, secret, store.now()).await?;
            match begun {
                Some(_) => connection.commit().await?,
                None => connection.rollback().await?,
            }
            Ok(begun)
        })
        .await?;
    if let Some((_, _, access)) = &begun {
        tracing::info!(staff = access.staff.0, "session SUCCESS: staff={}", access.staff);
    }
    Ok(begun.map(|(token, expires_at, access)| Session { token, expires_at, access }))
}

fn proof_of(proof: &Proof) -> Result<StaffRef, &Token> {
    match proof {
        Proof::Person(staff) => Ok(*staff),
        Proof::Link(link) => Err(link),
    }
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
