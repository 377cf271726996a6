//! What is known about an order at one moment to somebody of the staff who may see it.
//!
//! Read in one statement under the order's lock, none of it can change before the transaction ends.

use jiff::civil::DateTime;

use super::order::{OrderStatus, OwnOrder, Stage};
use super::slot::Hours;
use super::{Amount, Category, MasterId, OrderId, StaffId, Version};

/// How long a comment for the master may be, in characters.
pub const COMMENT: usize = 300;
/// How long a reason may be, in characters.
pub const REASON: usize = 500;

/// An order, and who of the staff looks at it.
#[derive(Clone, Debug)]
pub struct StaffOrder {
    /// Who looks.
    pub staff: StaffId,
    /// Whether that person may change anything.
    pub acts: bool,
    /// What it says.
    pub order: OwnOrder,
    /// What is to be looked for, if somebody looks for its master.
    pub sought: Sought,
    /// Version and revision.
    pub version: Version,
    /// Whose it is or was, with the name.
    pub master: Option<(MasterId, String)>,
    /// Who sees to it, with the name.
    pub claimed: Option<(StaffId, String)>,
    /// How many offers of it are live.
    pub live_offers: i64,
    /// When people work in its city.
    pub workday: Hours,
    /// Whether anybody was asked in the search that goes on.
    pub was_offered: bool,
    /// Whether it was closed or canceled less than a day ago.
    pub ended_lately: bool,
    /// What the client paid, if it was closed.
    pub amount: Option<Amount>,
    /// Its last change; `None`: nothing was changed since it was made, or nobody noted it.
    pub last_change: Option<LastChange>,
    /// The word of the outcome that this very update had before, if it is a redelivery.
    pub processed: Option<String>,
    /// From which `version` on it has been with its master: what came later is only how far he is.
    pub with_master_since: i32,
}

/// What an order's search goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sought {
    /// `orders.city_id`.
    pub city: i64,
    /// `orders.district_id`.
    pub district: Option<i64>,
    /// The trade.
    pub category: Category,
    /// Asked first, and alone.
    pub preferred: Option<MasterId>,
    /// Whether a search has begun and goes on.
    pub goes_on: bool,
}

impl StaffOrder {
    /// Which order.
    #[must_use]
    pub fn id(&self) -> OrderId {
        self.order.card.id
    }

    /// How far it is.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        self.order.status
    }

    /// Whether who looks has made the last change: that is nothing to be told of.
    #[must_use]
    pub fn was_changed_last_by_reader(&self) -> bool {
        self.last_change.as_ref().is_some_and(|change| change.by == ChangedBy::You)
    }

    /// Whether it is as somebody has seen it, but for how far its master is.
    #[must_use]
    pub fn is_with_the_same_master(&self, seen: Version) -> bool {
        self.owner().is_some()
            && seen.revision == self.version.revision
            && (self.with_master_since..=self.version.version).contains(&seen.version)
    }

    /// The master whose it is now.
    #[must_use]
    pub fn owner(&self) -> Option<(MasterId, &str)> {
        let (id, name) = self.master.as_ref().filter(|_| self.status().stage() == Stage::Active)?;
        Some((*id, name))
    }
}

/// A change of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    /// What it was.
    pub what: Changed,
    /// By whom.
    pub by: ChangedBy,
    /// When, on the clocks of the order's city.
    pub at: DateTime,
}

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// How far it is, or whose it is.
    Status(OrderStatus),
    /// What it says.
    Detail(Option<Detail>),
}

/// Who changed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedBy {
    /// Who is told so.
    You,
    /// Somebody else of the staff.
    Staff(String),
    /// A master.
    Master(String),
    /// The system, or nobody noted who.
    System,
}

/// What staff change of an order beside its status and master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns say it")]
pub enum Detail {
    Address,
    Name,
    Phone,
    Description,
    Slot,
    Comment,
}

impl Detail {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Address, Self::Name, Self::Phone, Self::Description, Self::Slot, Self::Comment];

    /// The word in `order_edits.field`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Name => "client_name",
            Self::Phone => "client_phone",
            Self::Description => "description",
            Self::Slot => "timeslot",
            Self::Comment => "comment",
        }
    }

    /// The detail of that word; `None` for anything else, such as a sum that was corrected.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|detail| detail.as_str() == word)
    }
}

/// A detail, and what it is to be.
#[derive(Clone, PartialEq, Eq)]
pub enum Edit {
    /// Where.
    Address(String),
    /// The client's name.
    Name(String),
    /// The client's phone, as it is stored.
    Phone(String),
    /// What is to be done.
    Description(String),
    /// When, on the clocks of the order's city; as soon as possible without.
    Slot(Option<(DateTime, DateTime)>),
    /// What its master is to know; nothing any more without.
    Comment(Option<String>),
}

impl Edit {
    /// Which detail.
    #[must_use]
    pub fn detail(&self) -> Detail {
        match self {
            Self::Address(_) => Detail::Address,
            Self::Name(_) => Detail::Name,
            Self::Phone(_) => Detail::Phone,
            Self::Description(_) => Detail::Description,
            Self::Slot(_) => Detail::Slot,
            Self::Comment(_) => Detail::Comment,
        }
    }

    /// What it says, to be told from another edit: never to be logged.
    #[must_use]
    pub fn value(&self) -> String {
        match self {
            Self::Address(text) | Self::Name(text) | Self::Phone(text) | Self::Description(text) => text.clone(),
            Self::Slot(slot) => slot.map_or_else(String::new, |(start, end)| format!("{start} {end}")),
            Self::Comment(text) => text.clone().unwrap_or_default(),
        }
    }
}

/// Shows no value: addresses and phones are never logged.
impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Edit({})", self.detail().as_str())
    }
}
