//! `callback_data`, typed, both ways.
//!
//! Telegram allows 64 bytes. Any client can send anything, so nothing in it is trusted: every callback is
//! authorised by the sender's id against the database. Keyboards hang in chats for years, so the grammar is fixed: it is
//! added to, and nothing in it changes its meaning.

mod onboard;
pub mod staff;

use std::fmt;

use crate::model::{Amount, OrderId};
pub use onboard::OnboardTap;
use onboard::{on, on_or_off};

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
    /// `m:act`, `m:act:<page>`: the list of own orders.
    Active {
        /// Which page.
        page: i64,
    },
    /// `m:act:<action>:<order>`: something about an own order.
    Own(Own, OrderId),
    /// `m:act:sum:<order>:<kopecks>`: close the order with this sum.
    Close {
        /// Which order.
        order: OrderId,
        /// What the client paid.
        amount: Amount,
    },
    /// `m:act:fix_yes:<order>:<kopecks>`: correct the sum of the closed order.
    Correct {
        /// Which order.
        order: OrderId,
        /// What the client paid.
        amount: Amount,
    },
    /// `m:act:ret_yes:<order>:<message>`: give the order back, for the reason that was written in that message.
    GiveBack {
        /// Which order.
        order: OrderId,
        /// The message.
        message: i32,
    },
    /// `m:why:<order>`: why the order was offered to others, or went to somebody else.
    Why(OrderId),
    /// `m:sh:on`, `m:sh:off`.
    Shift {
        /// Come on shift, or leave.
        on: bool,
    },
    /// `m:in…`: of somebody who is to become a master.
    Onboard(OnboardTap),
}

/// What is asked about an own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// `card`
    Card,
    /// `enr`: on the way.
    EnRoute,
    /// `wrk`: on site.
    OnSite,
    /// `cls`: ask whether it is done, or what the client paid if it is.
    AskDone,
    /// `cls_yes`: it is done.
    Done,
    /// `cls_no`: it is not done after all.
    NotDone,
    /// `ret`: ask why it is given back.
    AskReturn,
    /// `ret_no`: it is not given back.
    Keep,
    /// `fix`: ask for the right sum of a closed order.
    AskCorrection,
}

impl Own {
    const ALL: [Self; 9] = [
        Self::Card,
        Self::EnRoute,
        Self::OnSite,
        Self::AskDone,
        Self::Done,
        Self::NotDone,
        Self::AskReturn,
        Self::Keep,
        Self::AskCorrection,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::EnRoute => "enr",
            Self::OnSite => "wrk",
            Self::AskDone => "cls",
            Self::Done => "cls_yes",
            Self::NotDone => "cls_no",
            Self::AskReturn => "ret",
            Self::Keep => "ret_no",
            Self::AskCorrection => "fix",
        }
    }
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
            ("act", None) => Self::Active { page: 1 },
            ("act", Some("sum")) => {
                let (order, amount) = order_and_amount(&mut parts)?;
                Self::Close { order, amount }
            }
            ("act", Some("fix_yes")) => {
                let (order, amount) = order_and_amount(&mut parts)?;
                Self::Correct { order, amount }
            }
            ("act", Some("ret_yes")) => {
                let order = OrderId(number(parts.next()?)?);
                Self::GiveBack { order, message: number(parts.next()?)?.try_into().ok()? }
            }
            ("act", Some(word)) => match Own::ALL.into_iter().find(|own| own.as_str() == word) {
                Some(own) => Self::Own(own, OrderId(number(parts.next()?)?)),
                None => Self::Active { page: number(word)? },
            },
            ("why", Some(order)) => Self::Why(OrderId(number(order)?)),
            ("in", first) => Self::Onboard(OnboardTap::parse(first, &mut parts)?),
            ("sh", Some("on")) => Self::Shift { on: true },
            ("sh", Some("off")) => Self::Shift { on: false },
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

fn order_and_amount<'a>(parts: &mut impl Iterator<Item = &'a str>) -> Option<(OrderId, Amount)> {
    let order = OrderId(number(parts.next()?)?);
    // Nothing is a sum, too.
    let kopecks = parts.next().and_then(|kopecks| if kopecks == "0" { Some(0) } else { number(kopecks) })?;
    Some((order, Amount::from_kopecks(kopecks)?))
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
            Self::Active { page } => write!(f, "m:act:{page}"),
            Self::Own(own, order) => write!(f, "m:act:{}:{order}", own.as_str()),
            Self::Close { order, amount } => write!(f, "m:act:sum:{order}:{}", amount.kopecks()),
            Self::Correct { order, amount } => write!(f, "m:act:fix_yes:{order}:{}", amount.kopecks()),
            Self::GiveBack { order, message } => write!(f, "m:act:ret_yes:{order}:{message}"),
            Self::Why(order) => write!(f, "m:why:{order}"),
            Self::Onboard(tap) => tap.fmt(f),
            Self::Shift { on } => write!(f, "m:sh:{}", if *on { "on" } else { "off" }),
        }
    }
}
