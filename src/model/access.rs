//! Tokens, by which programs and pages are known over HTTP.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::ids::TokenId;
use super::{Role, StaffId};

/// How many requests to change something a token may make in a minute.
pub const WRITES_A_MINUTE: i32 = 60;

/// How many bytes of a token are random.
const SECRET: usize = 32;
/// How many bytes of its digest follow them: whatever was mistyped or made up is found without asking anybody.
const CHECK: usize = 4;

/// A token as whoever holds it presents it: `fs_<id>_<secret>`. Its `Debug` does not show the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The row that knows the secret's hash.
    pub id: TokenId,
    secret: [u8; SECRET],
}

impl Token {
    /// The token of that row with that secret.
    #[must_use]
    pub fn new(id: TokenId, secret: [u8; SECRET]) -> Self {
        Self { id, secret }
    }

    /// Reads a token; `None`: it is none, or is not written as it was made.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, _) = text.strip_prefix("fs_")?.split_once('_')?;
        let id = TokenId(id.parse().ok().filter(|id| *id > 0)?);
        let bytes = URL_SAFE_NO_PAD.decode(text.get(text.len().checked_sub((SECRET + CHECK) * 4 / 3)?..)?).ok()?;
        let token = Self { id, secret: bytes.get(..SECRET)?.try_into().ok()? };
        (token.text() == text).then_some(token)
    }

    /// The token as it is presented. Shown once to whom it is for.
    #[must_use]
    pub fn text(&self) -> String {
        let check = digest(&SHA256, &[self.id.to_string().as_bytes(), &self.secret].concat());
        let secret = [&self.secret[..], &check.as_ref()[..CHECK]].concat();
        format!("fs_{}_{}", self.id, URL_SAFE_NO_PAD.encode(secret))
    }

    /// What the database keeps of the secret.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        hash(&self.secret)
    }
}

/// What the database keeps of a secret.
#[must_use]
pub fn hash(secret: &[u8; SECRET]) -> Vec<u8> {
    digest(&SHA256, secret).as_ref().to_vec()
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Token({}, …)", self.id)
    }
}

/// What a token may do of what its staff may do, as in `access_tokens.scope`. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TokenScope {
    /// Look.
    Read,
    /// Make and change orders.
    Orders,
    /// Change masters too.
    All,
}

impl TokenScope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Read, Self::Orders, Self::All];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Orders => "ORDERS",
            Self::All => "ALL",
        }
    }

    /// The scope of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// What a token is, as in `access_tokens.kind`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A program's.
    Token,
    /// A page's, for some hours.
    Session,
    /// Exchanged for a session, once.
    Link,
}

impl TokenKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Token, Self::Session, Self::Link];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "TOKEN",
            Self::Session => "SESSION",
            Self::Link => "LINK",
        }
    }
}

/// Who asks, by a token that is good at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The token.
    pub token: TokenId,
    /// Whose right it carries.
    pub staff: StaffId,
    /// The person's or the program's name.
    pub full_name: String,
    /// What that person or program may do.
    pub role: Role,
    /// What of it the token may do.
    pub scope: TokenScope,
}

/// A program's token, as an operator sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEntry {
    /// The number.
    pub id: TokenId,
    /// The program's name.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// The names of the cities; none: all.
    pub cities: Vec<String>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it ends, or has ended.
    pub expires_at: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_written_in_one_way_and_a_wrong_one_is_known_by_itself() {
        let token = Token::new(TokenId(17), [0xfb; SECRET]);
        let text = token.text();
        assert!(text.starts_with("fs_17_"), "{text}");
        assert_eq!((text.len(), Token::parse(&text)), (6 + 48, Some(token.clone())));
        assert_eq!((format!("{token:?}").as_str(), token.hash().len()), ("Token(17, …)", 32));
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(Token::parse(&String::from_utf8(bytes).expect("ASCII")), None, "at {at}");
        }
        let other = text.replace("fs_17_", "fs_18_");
        for bad in
            ["", "fs_", "fs_17_", "fs_0_x", &text[1..], &text[..53], &format!("{text}A"), &other, "ключ_ключ_ключ"]
        {
            assert_eq!(Token::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_scope_includes_those_before_it() {
        assert!(TokenScope::All > TokenScope::Orders && TokenScope::Orders > TokenScope::Read);
    }
}
