//! Who asks over HTTP, and what of it they may: by a token, in one trip before anything else.
//!
//! It only lets in: what is done is judged again by the statement that does it, as for whoever taps. A token whose checksum is
//! wrong is refused without a connection to the database.

use tokio::join;

use crate::model::access::{Access, Token, TokenScope, WRITES_A_MINUTE};
use crate::store::access::{self, Known};
use crate::store::{self, Connection, Ready, Statement, Store};

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthorizeOutcome {
    /// Come in.
    Welcome(Access),
    /// It is no token, or it has ended.
    Unknown,
    /// The token may not do that: it would need this scope.
    OutOfScope(TokenScope),
    /// Too much was to be changed in this minute; after how many seconds the next one begins.
    TooMany(u32),
}

impl AuthorizeOutcome {
    /// Every outcome's word.
    pub const NAMES: [&'static str; 4] = ["SUCCESS", "UNKNOWN", "OUT_OF_SCOPE", "TOO_MANY"];

    /// The word in counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Welcome(_) => "SUCCESS",
            Self::Unknown => "UNKNOWN",
            Self::OutOfScope(_) => "OUT_OF_SCOPE",
            Self::TooMany(_) => "TOO_MANY",
        }
    }
}

/// Lets whoever presents `token` do what needs that scope. `writes`: something is to be changed, which is counted.
///
/// # Errors
/// When the database failed.
pub async fn authorize(
    store: &Store,
    token: &str,
    needs: TokenScope,
    writes: bool,
) -> Result<AuthorizeOutcome, store::Error> {
    let nothing = async |_: &Connection, _: &[Ready; 0], _: &Token| Ok(());
    Ok(authorize_and_read(store, token, (needs, writes), [], nothing).await?.0)
}

/// The same, and what `read` finds by these statements, in the same trip. `None`: it is no token at all.
pub(super) async fn authorize_and_read<T, const N: usize>(
    store: &Store,
    token: &str,
    (needs, writes): (TokenScope, bool),
    statements: [&'static Statement; N],
    read: impl AsyncFn(&Connection, &[Ready; N], &Token) -> Result<T, store::Error>,
) -> Result<(AuthorizeOutcome, Option<T>), store::Error> {
    let Some(token) = Token::parse(token) else { return Ok((AuthorizeOutcome::Unknown, None)) };
    let (known, found) = store
        .run(async |connection: Connection| {
            let [authorize] = connection.ready([&access::AUTHORIZE]).await?;
            let statements = connection.ready(statements).await?;
            let both = async {
                let (known, found) = join!(
                    access::authorize(&connection, &authorize, &token, writes, store.now()),
                    read(&connection, &statements, &token),
                );
                Ok((known?, found?))
            };
            connection.alone(both).await
        })
        .await?;
    Ok((decide(known, needs), Some(found)))
}

fn decide(known: Option<Known>, needs: TokenScope) -> AuthorizeOutcome {
    match known {
        None => AuthorizeOutcome::Unknown,
        Some(known) if known.access.scope < needs => AuthorizeOutcome::OutOfScope(needs),
        Some(known) if known.writes.is_some_and(|writes| writes > WRITES_A_MINUTE) => {
            AuthorizeOutcome::TooMany(u32::try_from(known.minute_ends_in).unwrap_or(1).max(1))
        }
        Some(known) => AuthorizeOutcome::Welcome(known.access),
    }
}
