//! The dispatchers' queue: what needs somebody now, and what it can be narrowed to.

use jiff::civil::{Date, DateTime};

use super::moment::Moment;
use super::order::{Category, Client, OrderCard, OrderStatus};
use super::policy::Escalation;
use super::{CityId, MasterId, OrderId};

/// How many orders a page of the queue shows.
pub const QUEUE_PAGE: i64 = 10;
/// How many cities or masters a page shows of which one is chosen.
pub const CHOICES: i64 = 8;
/// How many orders a search looks at: the newest.
pub const FOUND_AT_MOST: i64 = 100;

/// Which orders the queue shows, by their state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueueState {
    /// What needs somebody now.
    Urgent,
    /// Whatever looks for a master.
    Searching,
    /// As the order's status.
    Deferred,
    /// As the order's status.
    Assigned,
    /// As the order's status.
    EnRoute,
    /// As the order's status.
    Working,
    /// As the order's status.
    Payment,
    /// Closed on the day that is shown.
    Closed,
    /// Canceled on the day that is shown.
    Canceled,
}

impl QueueState {
    /// Every state, as the buttons stand.
    pub const ALL: [Self; 9] = [
        Self::Urgent,
        Self::Searching,
        Self::Deferred,
        Self::Assigned,
        Self::EnRoute,
        Self::Working,
        Self::Payment,
        Self::Closed,
        Self::Canceled,
    ];

    /// The word in `staff_queues.state`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "URGENT",
            Self::Searching => "SEARCHING",
            Self::Deferred => "DEFERRED",
            Self::Assigned => "ASSIGNED",
            Self::EnRoute => "EN_ROUTE",
            Self::Working => "WORKING",
            Self::Payment => "PAYMENT",
            Self::Closed => "CLOSED",
            Self::Canceled => "CANCELED",
        }
    }

    /// The state of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// The state that an order of this status is counted with; an urgent one is counted with this, too.
    #[must_use]
    pub fn of(status: OrderStatus) -> Self {
        match status {
            OrderStatus::Created | OrderStatus::Searching | OrderStatus::Guarantee => Self::Searching,
            OrderStatus::Deferred => Self::Deferred,
            OrderStatus::Assigned => Self::Assigned,
            OrderStatus::EnRoute => Self::EnRoute,
            OrderStatus::Working => Self::Working,
            OrderStatus::Payment => Self::Payment,
            OrderStatus::Closed => Self::Closed,
            OrderStatus::Canceled => Self::Canceled,
        }
    }
}

/// Why an order needs somebody now, the most pressing first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not find its master by itself, and staff were called.
    Escalated {
        /// Why.
        why: Escalation,
        /// Since when.
        since: Moment,
    },
    /// The time has passed for which the client was promised a visit, and nobody is there.
    Late,
    /// It has had no master for longer than the policy says.
    Waiting {
        /// Since when.
        since: Moment,
    },
    /// The bot cannot write to its master.
    Unreachable,
    /// It is offered, and half of the time to answer has gone without anybody opening it.
    Unseen,
}

/// An order of the queue or of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLine {
    /// The order.
    pub card: OrderCard,
    /// How far it is.
    pub status: OrderStatus,
    /// When it was made.
    pub created: Moment,
    /// Its master's name.
    pub master: Option<String>,
    /// How many masters it is offered to now.
    pub offered: i64,
    /// How many of them have opened it.
    pub seen: i64,
    /// Who of the staff sees to it.
    pub claimed_by: Option<String>,
    /// The client, where somebody was searched for.
    pub client: Option<Client>,
    /// Why it needs somebody now.
    pub troubles: Vec<Trouble>,
}

/// What a queue has been narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// The city's name.
    pub city: Option<String>,
    /// The trade.
    pub category: Option<Category>,
    /// The state.
    pub state: Option<QueueState>,
    /// The master's name.
    pub master: Option<String>,
    /// The day.
    pub day: Option<Date>,
}

impl Filters {
    /// Whether there is one beside the state, which has its own buttons.
    #[must_use]
    pub fn are_set(&self) -> bool {
        self.city.is_some() || self.category.is_some() || self.master.is_some() || self.day.is_some()
    }
}

/// What the queue is narrowed to for one look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Narrowed {
    /// Orders in this state.
    pub state: Option<QueueState>,
    /// Orders of this city.
    pub city: Option<CityId>,
    /// Orders of this trade.
    pub category: Option<Category>,
    /// Orders of this master.
    pub master: Option<MasterId>,
    /// Orders of this day, by the client's time.
    pub day: Option<Date>,
}

/// A page of the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// What it is narrowed to.
    pub filters: Filters,
    /// Whether the reader has more than one city.
    pub several_cities: bool,
    /// How many orders there are in each state, whichever of them is shown. Those that are over: of the day that is shown.
    pub counts: Vec<(QueueState, i64)>,
    /// How many orders match on all pages.
    pub total: i64,
    /// Which page this is, from 1; the last one if a later one was asked for.
    pub page: i64,
    /// The page's orders.
    pub lines: Vec<QueueLine>,
    /// What the clocks of the reader's city show now, to call days today and tomorrow.
    pub now: DateTime,
}

impl Queue {
    /// How many pages there are; 1 when there is nothing.
    #[must_use]
    pub fn pages(&self) -> i64 {
        pages(self.total, QUEUE_PAGE)
    }

    /// How many orders there are in that state.
    #[must_use]
    pub fn count(&self, state: QueueState) -> i64 {
        self.counts.iter().find(|(counted, _)| *counted == state).map_or(0, |(_, count)| *count)
    }

    /// How many orders there are that are not over.
    #[must_use]
    pub fn in_hand(&self) -> i64 {
        let over = [QueueState::Urgent, QueueState::Closed, QueueState::Canceled];
        self.counts.iter().filter(|(state, _)| !over.contains(state)).map(|(_, count)| count).sum()
    }
}

/// A page of what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What was searched for, as it was written; `None`: nothing yet.
    pub sought: Option<String>,
    /// How many orders there are on all pages: about [`FOUND_AT_MOST`] at most, as each way to find some is cut there.
    pub total: i64,
    /// Whether there are more than that.
    pub more: bool,
    /// Which page this is, from 1; the last one if a later one was asked for.
    pub page: i64,
    /// The page's orders.
    pub lines: Vec<QueueLine>,
}

impl Found {
    /// How many pages there are; 1 when there is nothing.
    #[must_use]
    pub fn pages(&self) -> i64 {
        pages(self.total, QUEUE_PAGE)
    }
}

/// What the words that somebody searches for ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// An order of that number.
    pub number: Option<OrderId>,
    /// Digits that a phone has in it: any of these.
    pub phones: Vec<String>,
    /// Words that address or name have in them: all of these.
    pub words: Vec<String>,
}

impl Sought {
    /// Fewer letters or digits than that are in too many orders.
    pub const SHORTEST: usize = 3;
    /// More characters than that nobody writes who looks for an order.
    pub const LONGEST: usize = 200;
    /// More words than that are no address and no name: each is looked for in every order that the others find.
    pub const MOST_WORDS: usize = 20;

    /// Whether it asks for anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.number.is_none() && self.phones.is_empty() && self.words.is_empty()
    }
}

/// A city or a master that the queue can be narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its id.
    pub id: i64,
    /// The name.
    pub name: String,
    /// How many orders are in hand there.
    pub orders: i64,
}

/// A page of choices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// How many there are on all pages.
    pub total: i64,
    /// Which page this is, from 1; the last one if a later one was asked for.
    pub page: i64,
    /// The page's choices.
    pub lines: Vec<Choice>,
}

impl Choices {
    /// How many pages there are; 1 when there is nothing.
    #[must_use]
    pub fn pages(&self) -> i64 {
        pages(self.total, CHOICES)
    }
}

/// What a queue is narrowed to by a tap: one filter, and the others stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Narrow {
    /// To a state, or to all that is in hand.
    State(Option<QueueState>),
    /// To a city, or to all.
    City(Option<i64>),
    /// To a trade, or to all.
    Category(Option<Category>),
    /// To a master's orders, or to all.
    Master(Option<MasterId>),
    /// To a day, or to all.
    Day(Option<Date>),
    /// To nothing: no filter at all.
    Nothing,
}

fn pages(total: i64, page: i64) -> i64 {
    ((total + page - 1) / page).max(1)
}
