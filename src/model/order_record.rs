//! An order with all that is recorded of it, as programs read it: moments instead of the city's clocks.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::order::{Category, Client, OrderStatus};
use super::policy::Escalation;
use super::{Amount, CityId, MasterId, OrderId, StaffId, Version};

/// The order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRecord {
    /// Which.
    pub id: OrderId,
    /// Grows with every change.
    pub version: Version,
    /// How far it is.
    pub status: OrderStatus,
    /// The trade.
    pub category: Category,
    /// The city, its name, and the time zone in which its clocks are shown.
    pub city: (CityId, String, String),
    /// When it was made, on the city's clocks.
    pub local_created: DateTime,
    /// From when to when the client expects the master, on the city's clocks.
    pub local_slot: (Option<DateTime>, Option<DateTime>),
    /// The district and its name.
    pub district: Option<(i64, String)>,
    /// Street, house, flat.
    pub address: String,
    /// What is wrong.
    pub description: Option<String>,
    /// Whose it is.
    pub client: Client,
    /// From when to when the client expects the master.
    pub slot: (Option<Timestamp>, Option<Timestamp>),
    /// As soon as possible.
    pub soon: bool,
    /// Whether the client pays nothing.
    pub is_free: bool,
    /// What staff want the master to know.
    pub comment: Option<String>,
    /// What the client paid.
    pub amount: Option<Amount>,
    /// The master who has it, or had it last, with the name.
    pub master: Option<(MasterId, String)>,
    /// Who is asked first.
    pub preferred: Option<MasterId>,
    /// The order whose work it repeats.
    pub guarantee_of: Option<OrderId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Who of the staff made it.
    pub created_by: Option<(StaffId, String)>,
    /// Who of the staff sees to it.
    pub claimed_by: Option<(StaffId, String)>,
    /// Since when staff have been called to it, and why.
    pub escalated: Option<(Timestamp, Escalation)>,
}

/// Which orders are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderFilter {
    /// In one of these statuses; none: in any.
    pub statuses: Vec<OrderStatus>,
    /// In this city.
    pub city: Option<CityId>,
    /// Whose master is, or was last, this one.
    pub master: Option<MasterId>,
    /// Made before this one.
    pub after: Option<OrderId>,
    /// One of these; `None`: any.
    pub among: Option<Vec<OrderId>>,
}
