//! `adm:q…`: the queue, and the cards in it.

use std::fmt;

use super::Parts;
use crate::model::OrderId;

/// What a button of the queue asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueTap {
    /// `adm:q`, `adm:q:<page>`
    Page(i64),
    /// `adm:q:card:<order>[:<page>]`: an order's card.
    Card {
        /// Which order.
        order: OrderId,
        /// The page to return to.
        page: i64,
    },
}

impl QueueTap {
    /// Parses what follows `adm:q`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        Some(match parts.next() {
            None => Self::Page(1),
            Some("card") => Self::Card { order: parts.order()?, page: parts.page()? },
            Some(page) => Self::Page(super::number(page)?),
        })
    }
}

impl fmt::Display for QueueTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Page(page) => write!(f, "adm:q:{page}"),
            Self::Card { order, page } => write!(f, "adm:q:card:{order}:{page}"),
        }
    }
}
