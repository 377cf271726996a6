//! `callback_data` of the dispatchers' bot, typed, both ways: an enum for each area, in a file of its own.
//!
//! What an order looked like when the button was made may stand at the end, as `<version>.<revision>`.

mod figures;
mod master;
mod new;
mod order;
mod policy;
mod queue;

use std::fmt;
use std::str::Split;

pub use figures::FiguresTap;
pub use master::MasterTap;
pub use new::NewTap;
pub use order::{CancelReason, Field, OrderTap, ReturnReason};
pub use policy::PolicyTap;
pub use queue::QueueTap;

use super::{LIMIT, number};
use crate::model::{Leaves, MasterId, OrderId, StaffQuestion, Version};

/// What a button of the dispatchers' bot asks for. Pages count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffCallback {
    /// `adm:menu`
    Menu,
    /// `adm:q…`: the queue, and the cards in it.
    Queue(QueueTap),
    /// `adm:q:as:…`, `adm:q:ret:…`, `adm:q:cnl:…`, `adm:o:…`: something about an order.
    Order(OrderTap),
    /// `adm:new…`: taking a new order in.
    New(NewTap),
    /// `adm:m:…`: the masters, and invitations.
    Master(MasterTap),
    /// `adm:fig…`: the figures.
    Figures(FiguresTap),
    /// `adm:pol…`: how masters are searched for.
    Policy(PolicyTap),
    /// `adm:page`: a way to the dispatchers' page.
    Page,
}

impl StaffCallback {
    /// Parses `callback_data`; `None` if it is not in the grammar.
    #[must_use]
    pub fn parse(data: &str) -> Option<Self> {
        if data.len() > LIMIT {
            return None;
        }
        let rest = data.strip_prefix("adm:")?;
        let (area, rest) = rest.split_once(':').map_or((rest, None), |(area, rest)| (area, Some(rest)));
        let parse = |parse: fn(&mut Parts<'_>) -> Option<Self>| {
            let mut parts = Parts(rest.map(|rest| rest.split(':')));
            parse(&mut parts).filter(|_| parts.is_at_end())
        };
        match area {
            "menu" => parse(|_| Some(Self::Menu)),
            "page" => parse(|_| Some(Self::Page)),
            "q" => parse(|parts| OrderTap::parse_in_queue(parts).map(Self::Order))
                .or_else(|| parse(|parts| QueueTap::parse(parts).map(Self::Queue))),
            "o" => parse(|parts| OrderTap::parse(parts).map(Self::Order)),
            "new" => parse(|parts| NewTap::parse(parts).map(Self::New)),
            "m" => parse(|parts| MasterTap::parse(parts).map(Self::Master)),
            "fig" => parse(|parts| FiguresTap::parse(parts).map(Self::Figures)),
            "pol" => parse(|parts| PolicyTap::parse(parts).map(Self::Policy)),
            _ => None,
        }
    }

    /// Which open question a tap leaves: any, unless the button is part of the dialog that asks it.
    #[must_use]
    pub fn leaves(self) -> Leaves {
        match self {
            Self::New(_) => Leaves::AllBut(StaffQuestion::NewOrder),
            Self::Order(OrderTap::CancelWritten(..)) => Leaves::AllBut(StaffQuestion::CancelReason),
            Self::Order(OrderTap::ReturnWritten(..)) => Leaves::AllBut(StaffQuestion::ReturnReason),
            Self::Master(MasterTap::Block(..)) => Leaves::AllBut(StaffQuestion::BlockReason),
            _ => Leaves::All,
        }
    }
}

impl fmt::Display for StaffCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Menu => write!(f, "adm:menu"),
            Self::Page => write!(f, "adm:page"),
            Self::Queue(tap) => tap.fmt(f),
            Self::Order(tap) => tap.fmt(f),
            Self::New(tap) => tap.fmt(f),
            Self::Master(tap) => tap.fmt(f),
            Self::Figures(tap) => tap.fmt(f),
            Self::Policy(tap) => tap.fmt(f),
        }
    }
}

/// What follows the area's name, between colons.
pub struct Parts<'a>(Option<Split<'a, char>>);

impl<'a> Parts<'a> {
    /// The next part.
    fn next(&mut self) -> Option<&'a str> {
        self.0.as_mut()?.next()
    }

    /// The next part, which must be a positive number.
    fn number(&mut self) -> Option<i64> {
        self.next().and_then(number)
    }

    /// The next part, an order's id.
    fn order(&mut self) -> Option<OrderId> {
        self.number().map(OrderId)
    }

    /// The next part, a master's id.
    fn master(&mut self) -> Option<MasterId> {
        self.number().map(MasterId)
    }

    /// The next part, a message's id.
    fn message(&mut self) -> Option<i32> {
        self.number()?.try_into().ok()
    }

    /// The next part, a page; the first if there is none.
    fn page(&mut self) -> Option<i64> {
        self.next().map_or(Some(1), number)
    }

    /// The next part, what was seen of an order, if there is one; there is none on old buttons. Whatever else stands there is left,
    /// so that the button is not understood.
    fn seen(&mut self) -> Option<Version> {
        let mut ahead = self.0.clone()?;
        let seen = Version::parse(ahead.next()?)?;
        self.0 = Some(ahead);
        Some(seen)
    }

    fn is_at_end(&mut self) -> bool {
        self.next().is_none()
    }
}

/// What was seen of an order, at the end of a button's data.
struct Seen(Option<Version>);

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |seen| write!(f, ":{seen}"))
    }
}
