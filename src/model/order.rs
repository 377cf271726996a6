//! An order as people see it.

use std::fmt;

use jiff::civil::DateTime;

use super::OrderId;

/// `orders.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the words are the field's own; the crate's documentation draws how they follow")]
pub enum OrderStatus {
    Created,
    Searching,
    Guarantee,
    Deferred,
    Assigned,
    EnRoute,
    Working,
    Payment,
    Closed,
    Canceled,
}

/// What a status means for acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Looking for its master.
    Open,
    /// Has exactly one master, who is to do it or is doing it.
    Active,
    /// Over.
    Final,
}

impl OrderStatus {
    /// Every status.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Searching,
        Self::Guarantee,
        Self::Deferred,
        Self::Assigned,
        Self::EnRoute,
        Self::Working,
        Self::Payment,
        Self::Closed,
        Self::Canceled,
    ];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Searching => "SEARCHING",
            Self::Guarantee => "GUARANTEE",
            Self::Deferred => "DEFERRED",
            Self::Assigned => "ASSIGNED",
            Self::EnRoute => "EN_ROUTE",
            Self::Working => "WORKING",
            Self::Payment => "PAYMENT",
            Self::Closed => "CLOSED",
            Self::Canceled => "CANCELED",
        }
    }

    /// The status of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether its master can still give it back: not once the work is done.
    #[must_use]
    pub fn can_be_given_back(self) -> bool {
        matches!(self, Self::Assigned | Self::EnRoute | Self::Working)
    }

    /// Open, active or final.
    #[must_use]
    pub fn stage(self) -> Stage {
        match self {
            Self::Created | Self::Searching | Self::Guarantee | Self::Deferred => Stage::Open,
            Self::Assigned | Self::EnRoute | Self::Working | Self::Payment => Stage::Active,
            Self::Closed | Self::Canceled => Stage::Final,
        }
    }
}

/// `orders.category`: the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Category {
    Electrics,
    Plumbing,
    Appliances,
    Windows,
    Handyman,
    Roadside,
}

impl Category {
    /// Every category.
    pub const ALL: [Self; 6] =
        [Self::Electrics, Self::Plumbing, Self::Appliances, Self::Windows, Self::Handyman, Self::Roadside];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Electrics => "ELECTRICS",
            Self::Plumbing => "PLUMBING",
            Self::Appliances => "APPLIANCES",
            Self::Windows => "WINDOWS",
            Self::Handyman => "HANDYMAN",
            Self::Roadside => "ROADSIDE",
        }
    }

    /// The category of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|category| category.as_str() == word)
    }
}

/// When the client expects the master, on the clocks of the order's city.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeSlot {
    /// From.
    pub start: Option<DateTime>,
    /// Until.
    pub end: Option<DateTime>,
    /// As soon as possible, if it has neither.
    pub soon: bool,
    /// What it is now on those clocks, so that a date can be called today or tomorrow.
    pub now: DateTime,
    /// Whether the server does not know the city's time zone, so that all times are UTC.
    pub in_utc: bool,
}

/// What any master who was offered the order may know of it: nothing of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderCard {
    /// Which order.
    pub id: OrderId,
    /// The trade.
    pub category: Category,
    /// The city's name.
    pub city: String,
    /// The district's name, if the order has one.
    pub district: Option<String>,
    /// Where.
    pub address: String,
    /// What is wrong, in the client's or the dispatcher's words.
    pub description: Option<String>,
    /// When.
    pub slot: TimeSlot,
    /// Whether it repeats a job under guarantee, for which the client pays nothing.
    pub is_free: bool,
}

/// Whom the assigned master visits. Its `Debug` shows nothing: phones are never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The client's name.
    pub name: String,
    /// The client's phone, as it was written down.
    pub phone: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(…)")
    }
}

/// An order together with its client: what the master it belongs to sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnOrder {
    /// The order.
    pub card: OrderCard,
    /// Its client.
    pub client: Client,
    /// How far it is.
    pub status: OrderStatus,
    /// What staff want the master to know, beside what the client said.
    pub comment: Option<String>,
}

/// A page of a master's active orders, the next visit first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveList {
    /// How many active orders the master has on all pages.
    pub total: i64,
    /// Which page this is, from 1; the last one if a later one was asked for.
    pub page: i64,
    /// The page's orders.
    pub lines: Vec<ActiveLine>,
}

impl ActiveList {
    /// How many pages there are; 1 when the list is empty.
    #[must_use]
    pub fn pages(&self) -> i64 {
        super::offer::pages(self.total)
    }
}

/// One order of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveLine {
    /// The order.
    pub card: OrderCard,
    /// How far it is.
    pub status: OrderStatus,
}
