//! A master with all that is recorded of one, as programs read it.

use jiff::Timestamp;

use super::managed::MasterState;
use super::order::Category;
use super::{CityId, MasterId, TelegramUserId};

/// The master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterRecord {
    /// Which.
    pub id: MasterId,
    /// The Telegram user.
    pub user: TelegramUserId,
    /// The full name.
    pub full_name: String,
    /// The own phone.
    pub phone: Option<String>,
    /// The city and its name.
    pub city: (CityId, String),
    /// Whether orders reach the master now, and why not.
    pub state: MasterState,
    /// Whether the master wants orders.
    pub on_shift: bool,
    /// Whether staff have blocked the master.
    pub is_blocked: bool,
    /// Why.
    pub blocked_reason: Option<String>,
    /// The trades.
    pub categories: Vec<Category>,
    /// The districts; none: all of the city.
    pub districts: Vec<(i64, String)>,
    /// How many orders the master has.
    pub active_orders: i64,
    /// How many offers are out.
    pub live_offers: i64,
    /// How many orders the master may have; `None`: as many as the policy says.
    pub own_limit: Option<i32>,
    /// How many that is.
    pub limit: i32,
    /// When the master was asked last.
    pub last_asked_at: Option<Timestamp>,
    /// The number of the last change of the master: what an actor has seen.
    pub seen: i64,
}

/// Which masters are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MasterRecords {
    /// This one.
    pub one: Option<MasterId>,
    /// In this city.
    pub city: Option<CityId>,
    /// In this state.
    pub state: Option<MasterState>,
    /// With this trade.
    pub category: Option<Category>,
    /// After this one, by number.
    pub after: Option<MasterId>,
}
