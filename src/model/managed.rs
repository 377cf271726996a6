//! A master, as staff see and change one.

use super::master_change::{MasterChange, What};
use super::order::{Category, OrderStatus};
use super::{CityId, MasterId, OrderId, TelegramUserId};

/// How many masters a page has.
pub const MASTERS_A_PAGE: i64 = 8;
/// The highest limit that staff can set.
pub const HIGHEST_LIMIT: i32 = 99;

/// Which masters are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterFilter {
    /// All.
    All,
    /// Those who are on shift and not blocked.
    OnShift,
    /// Those who wait until staff agree.
    Waiting,
    /// Those who are blocked.
    Blocked,
}

impl MasterFilter {
    /// Every filter.
    pub const ALL: [Self; 4] = [Self::All, Self::OnShift, Self::Waiting, Self::Blocked];

    /// The word on buttons.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::OnShift => "on",
            Self::Waiting => "wait",
            Self::Blocked => "bl",
        }
    }

    /// The filter of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|filter| filter.as_str() == word)
    }
}

/// A master in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterLine {
    /// Which master.
    pub id: MasterId,
    /// The full name.
    pub full_name: String,
    /// The city's name.
    pub city: String,
    /// How the master stands.
    pub state: MasterState,
    /// How many active orders there are.
    pub active_orders: i64,
    /// How many there may be.
    pub limit: i32,
}

/// How a master stands, the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterState {
    /// Waits until staff agree.
    Waiting,
    /// Blocked.
    Blocked,
    /// The bot cannot write to the master.
    Unreachable,
    /// Off shift.
    OffShift,
    /// On shift.
    OnShift,
}

impl MasterState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Blocked, Self::Unreachable, Self::OffShift, Self::OnShift];

    /// The word over HTTP.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "WAITING",
            Self::Blocked => "BLOCKED",
            Self::Unreachable => "UNREACHABLE",
            Self::OffShift => "OFF_SHIFT",
            Self::OnShift => "ON_SHIFT",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A page of the masters of somebody's cities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterList {
    /// Which of them.
    pub filter: MasterFilter,
    /// How many there are of each, in the order of [`MasterFilter::ALL`].
    pub counts: [i64; 4],
    /// Which page, from 1.
    pub page: i64,
    /// The masters on it, those who wait first and then by name.
    pub lines: Vec<MasterLine>,
}

impl MasterList {
    /// How many masters the filter lets through.
    #[must_use]
    pub fn total(&self) -> i64 {
        let place = MasterFilter::ALL.iter().position(|filter| *filter == self.filter);
        place.map_or(0, |place| self.counts[place])
    }

    /// How many pages there are; at least one.
    #[must_use]
    pub fn pages(&self) -> i64 {
        (self.total() + MASTERS_A_PAGE - 1).div_euclid(MASTERS_A_PAGE).max(1)
    }
}

/// All of a master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterCard {
    /// Which master.
    pub id: MasterId,
    /// The Telegram user.
    pub user: TelegramUserId,
    /// The full name.
    pub full_name: String,
    /// The phone.
    pub phone: Option<String>,
    /// Where.
    pub city: CityId,
    /// The city's name.
    pub city_name: String,
    /// How the master stands.
    pub state: MasterState,
    /// Whether on shift.
    pub on_shift: bool,
    /// Whether blocked, and the reason; also while waiting.
    pub blocked: Option<String>,
    /// Whether the bot cannot write to the master.
    pub unreachable: bool,
    /// The trades.
    pub categories: Vec<Category>,
    /// The districts of the city, each with its name and whether it is the master's.
    pub districts: Vec<(i64, String, bool)>,
    /// The active orders.
    pub orders: Vec<(OrderId, OrderStatus)>,
    /// How many offers the master has to answer.
    pub live_offers: i64,
    /// The own limit; `None`: the policy's.
    pub own_limit: Option<i32>,
    /// The limit in force.
    pub limit: i32,
    /// The last changes, newest first.
    pub changes: Vec<MasterChange>,
    /// The number of the last change: what somebody who acts has seen.
    pub seen: i64,
}

/// What is to be changed of a master, and what it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Manage {
    /// On shift, or not.
    Shift(bool),
    /// Blocked for this reason, which the master is shown.
    Block(String),
    /// Not blocked any more.
    Unblock,
    /// Let in, after having waited.
    Approve,
    /// How many orders at once; `None`: as the policy says.
    Limit(Option<i32>),
    /// A trade, or not.
    Trade(Category, bool),
    /// A district of the master's city, or not.
    District(i64, bool),
}

impl Manage {
    /// What kind of change that is.
    #[must_use]
    pub fn what(&self) -> What {
        match self {
            Self::Shift(_) => What::Shift,
            Self::Block(_) | Self::Unblock => What::Blocked,
            Self::Approve => What::Approved,
            Self::Limit(_) => What::Limit,
            Self::Trade(..) => What::Trade,
            Self::District(..) => What::District,
        }
    }

    /// The trade or district of which a change is one of the same thing; `None`: any change of the kind is.
    #[must_use]
    pub fn element(&self) -> Option<String> {
        match self {
            Self::Trade(category, _) => Some(category.as_str().to_owned()),
            Self::District(district, _) => Some(district.to_string()),
            _ => None,
        }
    }
}

/// A master, read under the lock that a change is made under.
#[expect(clippy::struct_excessive_bools, reason = "the columns are, and each is asked alone")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Managed {
    /// Whether the person may change anything.
    pub acts: bool,
    /// Whether on shift.
    pub on_shift: bool,
    /// Whether blocked.
    pub blocked: bool,
    /// Why, if blocked.
    pub reason: Option<String>,
    /// Whether waiting until staff agree.
    pub waiting: bool,
    /// The own limit.
    pub limit: Option<i32>,
    /// The trades.
    pub categories: Vec<Category>,
    /// The districts.
    pub districts: Vec<i64>,
    /// The districts that the city has.
    pub city_districts: Vec<i64>,
    /// The last change of what is to be changed, and its number.
    pub last: Option<(i64, MasterChange)>,
}

impl Managed {
    /// Whether it is as it is to be.
    #[must_use]
    pub fn is_so(&self, to: &Manage) -> bool {
        match to {
            Manage::Shift(on) => self.on_shift == *on,
            Manage::Block(reason) => self.blocked && !self.waiting && self.reason.as_ref() == Some(reason),
            Manage::Unblock => !self.blocked,
            // Who was refused waits no more either.
            Manage::Approve => !self.waiting && !self.blocked,
            Manage::Limit(limit) => self.limit == *limit,
            Manage::Trade(category, on) => self.categories.contains(category) == *on,
            Manage::District(district, on) => self.districts.contains(district) == *on,
        }
    }
}
