//! `callback_data`, typed, both ways.
//!
//! Telegram allows 64 bytes. Any client can send anything, so nothing in it is believed: every callback is
//! authorised by the sender's id against the database. Keyboards hang in chats for years, so the grammar is fixed:
//! what this release cannot do yet parses to [`Callback::NotYet`].

use std::fmt;

use crate::dispatch::OrderId;

/// Telegram's limit for `callback_data`, in bytes.
/// <https://core.telegram.org/bots/api#inlinekeyboardbutton>
pub const LIMIT: usize = 64;

/// What a button of the master's bot asks for. Pages count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callback {
    /// `m:menu`
    Menu,
    /// `m:new`, `m:new:<page>`: the list of offers.
    List {
        /// Which page.
        page: i64,
    },
    /// `m:new:card:<order>[:<page>]`: an order's card.
    Card {
        /// Which order.
        order: OrderId,
        /// The page to return to.
        page: i64,
    },
    /// `m:new:acc:<order>[:<page>]`: take the order.
    Accept {
        /// Which order.
        order: OrderId,
        /// The page to return to.
        page: i64,
    },
    /// `m:new:dec:<order>[:<page>]`: ask whether to decline.
    AskDecline {
        /// Which order.
        order: OrderId,
        /// The page to return to.
        page: i64,
    },
    /// `m:new:dec_yes:<order>[:<page>]`: decline.
    Decline {
        /// Which order.
        order: OrderId,
        /// The page to return to.
        page: i64,
    },
    /// `m:act…`, `m:sh:on`, `m:sh:off`: a part of the grammar that is still to come.
    NotYet,
}

impl Callback {
    /// Parses `callback_data`; `None` if it is not in the grammar.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        if data.len() > LIMIT {
            return None;
        }
        let mut parts = data.strip_prefix("m:")?.split(':');
        let callback = match (parts.next()?, parts.next()) {
            ("menu", None) => Self::Menu,
            ("new", None) => Self::List { page: 1 },
            ("new", Some("card")) => {
                let (order, page) = order_and_page(&mut parts)?;
                Self::Card { order, page }
            }
            ("new", Some("acc")) => {
                let (order, page) = order_and_page(&mut parts)?;
                Self::Accept { order, page }
            }
            ("new", Some("dec")) => {
                let (order, page) = order_and_page(&mut parts)?;
                Self::AskDecline { order, page }
            }
            ("new", Some("dec_yes")) => {
                let (order, page) = order_and_page(&mut parts)?;
                Self::Decline { order, page }
            }
            ("new", Some(page)) => Self::List { page: number(page)? },
            ("act", None) | ("sh", Some("on" | "off")) => Self::NotYet,
            ("act", Some("card" | "enr" | "wrk" | "cls")) => {
                number(parts.next()?)?;
                Self::NotYet
            }
            _ => return None,
        };
        parts.next().is_none().then_some(callback)
    }
}

fn order_and_page<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<(OrderId, i64)> {
    let order = OrderId(number(parts.next()?)?);
    let page = parts.next().map_or(Some(1), number)?;
    Some((order, page))
}

/// A positive number without sign, leading zeros or spaces: one way to write each.
fn number(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Menu => write!(f, "m:menu"),
            Self::List { page } => write!(f, "m:new:{page}"),
            Self::Card { order, page } => write!(f, "m:new:card:{order}:{page}"),
            Self::Accept { order, page } => write!(f, "m:new:acc:{order}:{page}"),
            Self::AskDecline { order, page } => write!(f, "m:new:dec:{order}:{page}"),
            Self::Decline { order, page } => write!(f, "m:new:dec_yes:{order}:{page}"),
            Self::NotYet => write!(f, "m:act"),
        }
    }
}
