//! `adm:q:as:…`, `adm:q:ret:…`, `adm:q:cnl:…`, `adm:o:…`: what is done about an order.

use std::fmt;

use super::{Parts, Seen};
use crate::model::{MasterId, OrderId, Version};

/// What a button about an order asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderTap {
    /// `adm:q:as:auto:<order>[:<seen>]`: find a master now.
    AssignAutomatically(OrderId, Option<Version>),
    /// `adm:q:as:man:<order>[:<page>]`: the masters who may be given it.
    Candidates {
        /// Which order.
        order: OrderId,
        /// Which page of masters.
        page: i64,
    },
    /// `adm:q:as:pick:<order>:<master>[:<seen>]`: give it to that master.
    Pick {
        /// Which order.
        order: OrderId,
        /// To whom.
        master: MasterId,
        /// What was seen of the order.
        seen: Option<Version>,
    },
    /// `adm:q:ret:<order>[:<seen>]`: ask why it is to be searched for anew.
    AskReturn(OrderId, Option<Version>),
    /// `adm:q:cnl:<order>[:<seen>]`: ask why it is cancelled.
    AskCancel(OrderId, Option<Version>),
}

impl OrderTap {
    /// Parses what follows `adm:q`.
    pub(super) fn parse_in_queue(parts: &mut Parts<'_>) -> Option<Self> {
        Some(match parts.next()? {
            "as" => match parts.next()? {
                "auto" => Self::AssignAutomatically(parts.order()?, parts.seen()),
                "man" => Self::Candidates { order: parts.order()?, page: parts.page()? },
                "pick" => Self::Pick { order: parts.order()?, master: parts.master()?, seen: parts.seen() },
                _ => return None,
            },
            "ret" => Self::AskReturn(parts.order()?, parts.seen()),
            "cnl" => Self::AskCancel(parts.order()?, parts.seen()),
            _ => return None,
        })
    }

    /// Parses what follows `adm:o`.
    pub(super) fn parse(_parts: &mut Parts<'_>) -> Option<Self> {
        None
    }
}

impl fmt::Display for OrderTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AssignAutomatically(order, seen) => write!(f, "adm:q:as:auto:{order}{}", Seen(*seen)),
            Self::Candidates { order, page } => write!(f, "adm:q:as:man:{order}:{page}"),
            Self::Pick { order, master, seen } => write!(f, "adm:q:as:pick:{order}:{master}{}", Seen(*seen)),
            Self::AskReturn(order, seen) => write!(f, "adm:q:ret:{order}{}", Seen(*seen)),
            Self::AskCancel(order, seen) => write!(f, "adm:q:cnl:{order}{}", Seen(*seen)),
        }
    }
}
