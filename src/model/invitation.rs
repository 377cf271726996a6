//! Links by which people get in.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use super::{BotName, CityId, Role, StaffId};

/// Whom an invitation lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invited {
    /// A master.
    Master {
        /// Where.
        city: CityId,
        /// Whether staff have to agree, once the master has told all.
        needs_approval: bool,
    },
    /// Somebody of the staff.
    Staff {
        /// Who may do what.
        role: Role,
        /// Where; none: everywhere.
        cities: Vec<CityId>,
        /// What the person is called; `None`: as in Telegram.
        full_name: Option<String>,
    },
}

impl Invited {
    /// The bot in which the invitation is followed.
    #[must_use]
    pub fn bot(&self) -> BotName {
        match self {
            Self::Master { .. } => BotName::Master,
            Self::Staff { .. } => BotName::Admin,
        }
    }
}

/// An invitation that was made; its code is not known any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// `invitations.id`.
    pub id: i64,
    /// Whom it lets in.
    pub invited: Invited,
    /// The names of the cities; `None`: all of them.
    pub cities: Option<String>,
    /// Who invited; `None`: an operator.
    pub by: Option<StaffId>,
    /// That one's name.
    pub by_name: Option<String>,
    /// Until when it can be followed.
    pub expires_at: Timestamp,
    /// Somebody has followed it, and has not told all yet.
    pub on_the_way: bool,
}

/// The secret part of an invitation's link: 32 bytes as 43 characters, of which Telegram takes 64.
/// <https://core.telegram.org/bots/features#deep-linking>
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// The code of these random bytes.
    #[must_use]
    pub fn of(bytes: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The code that somebody has followed; `None`: it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let code = Self::of(&bytes);
        (code.0 == text).then_some(code)
    }

    /// What the database keeps of it: from that nobody gets the code back.
    #[must_use]
    pub fn hash(&self) -> Vec<u8> {
        digest(&SHA256, self.0.as_bytes()).as_ref().to_vec()
    }

    /// The link that starts the bot of that name with it.
    #[must_use]
    pub fn link(&self, bot: &str) -> String {
        format!("https://t.me/{bot}?start={}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_written_in_one_way_and_shown_by_nothing_but_its_link() {
        let code = Code::of(&[0xfb; 32]);
        let link = code.link("orders_bot");
        let text = link.strip_prefix("https://t.me/orders_bot?start=").expect("a link");
        assert_eq!((text.len(), Code::parse(text)), (43, Some(code.clone())));
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        assert_eq!((format!("{code:?}").as_str(), code.hash().len()), ("Code(…)", 32));
        // The last character has bits that mean nothing.
        assert!(text.ends_with('s'));
        let other = format!("{}t", &text[..42]);
        for bad in ["", "x", &text[1..], &format!("{text}A"), &text.replace('-', "+"), &other, "ключ"] {
            assert_eq!(Code::parse(bad), None, "{bad}");
        }
    }
}
