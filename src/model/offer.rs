//! Offers, and the list of them that a master sees.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::blocked::Barred;
use super::{MasterId, OrderCard};

/// `offers.state`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are the field's own; the crate's documentation draws how they follow")]
pub enum OfferState {
    Sent,
    Viewed,
    Accepted,
    Declined,
    Expired,
    Canceled,
}

impl OfferState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Sent, Self::Viewed, Self::Accepted, Self::Declined, Self::Expired, Self::Canceled];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "SENT",
            Self::Viewed => "VIEWED",
            Self::Accepted => "ACCEPTED",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
            Self::Canceled => "CANCELED",
        }
    }

    /// The state of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// When an offer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The moment.
    pub at: Timestamp,
    /// The same on the clocks of the order's city.
    pub local: DateTime,
}

impl Deadline {
    /// Whether it is so far away that there is none: `offers.expires_at` is `infinity`.
    #[must_use]
    pub fn is_never(self) -> bool {
        self.local.year() >= 9000
    }
}

/// How many lines a page of a list shows.
pub const PAGE_SIZE: i64 = 5;

/// A page of a master's live offers, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferList {
    /// Whose list.
    pub master: MasterId,
    /// How many live offers the master has on all pages.
    pub total: i64,
    /// Which page this is, from 1; the last one if a later one was asked for.
    pub page: i64,
    /// The page's offers.
    pub lines: Vec<OfferLine>,
    /// What keeps new offers away, if the list is empty.
    pub hindrance: Option<Hindrance>,
}

/// Why a master is offered nothing; `None` where this is asked for: nothing but that there is nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Gets no orders, whether on shift or not.
    Barred(Barred),
    /// Off shift.
    OffShift,
    /// As many active orders as allowed.
    Limit {
        /// How many there are.
        active: i64,
        /// How many there may be.
        limit: i64,
    },
}

impl OfferList {
    /// Whether it is empty and nothing is known that keeps new offers away.
    #[must_use]
    pub fn is_unexplained(&self) -> bool {
        self.total == 0 && self.hindrance.is_none()
    }

    /// The same, with the limit as what keeps new offers away from a master of so many active orders.
    #[must_use]
    pub fn of_load(mut self, active: i64, limit: i64) -> Self {
        if self.is_unexplained() && active >= limit {
            self.hindrance = Some(Hindrance::Limit { active, limit });
        }
        self
    }

    /// How many pages there are; 1 when the list is empty.
    #[must_use]
    pub fn pages(&self) -> i64 {
        pages(self.total)
    }
}

/// How many pages so many lines take; one even when there are none.
pub(super) fn pages(total: i64) -> i64 {
    ((total + PAGE_SIZE - 1) / PAGE_SIZE).max(1)
}

/// One offer of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferLine {
    /// The order offered.
    pub card: OrderCard,
    /// Until when it can be accepted.
    pub expires: Deadline,
}
