//! An order that is to be made, whole: as a dispatcher's draft or a program says it.

use jiff::Timestamp;
use jiff::civil::DateTime;

use super::draft::{Draft, Field};
use super::slot::When;
use super::{Category, CityId, MasterId, OrderId, OrderStatus, Phone};

/// How long an address may be, in characters.
pub const ADDRESS: usize = 300;
/// How long a client's name may be, in characters.
pub const NAME: usize = super::paste::NAME;
/// How long a description may be, in characters.
pub const DESCRIPTION: usize = super::paste::DESCRIPTION;

/// What an order is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOrder {
    /// The trade.
    pub category: Category,
    /// The city.
    pub city: CityId,
    /// The district.
    pub district: Option<i64>,
    /// Street, house, flat.
    pub address: String,
    /// The client's phone.
    pub phone: Phone,
    /// The client's name; `None`: it was not given.
    pub name: Option<String>,
    /// What is wrong.
    pub description: Option<String>,
    /// When the master is to come.
    pub visit: Visit,
    /// Who is asked first.
    pub preferred: Option<MasterId>,
    /// The closed order whose work is repeated for free.
    pub guarantee_of: Option<OrderId>,
    /// When the search for a master begins.
    pub search: Search,
}

/// When a master is to come to a new order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visit {
    /// Nothing was said of it.
    Unsaid,
    /// As soon as possible.
    Soon,
    /// Between two times on the clocks of the city.
    Local(DateTime, DateTime),
    /// Between two moments.
    Between(Timestamp, Timestamp),
}

/// When the search for a master begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Search {
    /// At once.
    #[default]
    Now,
    /// When the next working day begins.
    InTheMorning,
}

impl NewOrder {
    /// What a draft says, whole.
    ///
    /// # Errors
    /// The first field that is missing and no order can be without.
    pub fn of_draft(draft: &Draft, search: Search) -> Result<Self, Field> {
        let visit = match draft.when {
            // As the draft is shown: who names no time wants somebody soon.
            None | Some(When::Soon) => Visit::Soon,
            Some(When::Slot { start, end }) => Visit::Local(start, end),
        };
        Ok(Self {
            category: draft.category.ok_or(Field::Category)?,
            city: draft.city.ok_or(Field::City)?,
            district: draft.district,
            address: draft.address.clone().ok_or(Field::Address)?,
            phone: draft.phone.clone().ok_or(Field::Phone)?,
            name: draft.name.clone(),
            description: draft.description.clone(),
            visit,
            preferred: draft.preferred,
            guarantee_of: draft.guarantee_of,
            search,
        })
    }

    /// The status it begins in.
    #[must_use]
    pub fn status(&self) -> OrderStatus {
        match (self.search, self.guarantee_of) {
            (Search::InTheMorning, _) => OrderStatus::Deferred,
            (Search::Now, Some(_)) => OrderStatus::Guarantee,
            (Search::Now, None) => OrderStatus::Created,
        }
    }
}

/// What stands against making an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The city is none of whoever makes it.
    City,
    /// The district is none of the city's.
    District,
    /// The client's time has passed.
    PastSlot,
    /// The client's time is more than [`DAYS_AHEAD`](super::slot::DAYS_AHEAD) days ahead.
    FarSlot,
    /// The preferred master is blocked, or works elsewhere.
    Preferred,
    /// The order whose work it repeats is not closed, or none of whoever makes it.
    Guarantee,
}

/// What is known of an order that is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Checked {
    /// The city is one of whoever makes it.
    pub city_known: bool,
    /// There is no district, or it is one of the city's.
    pub district_known: bool,
    /// Nobody is preferred, or whoever is may be asked.
    pub preferred_may: bool,
    /// No work is repeated, or it was closed.
    pub guarantee_stands: bool,
    /// The client's time has passed.
    pub slot_is_past: bool,
    /// The client's time is too far ahead.
    pub slot_is_far: bool,
}

impl Checked {
    /// Everything that stands against it.
    #[must_use]
    pub fn obstacles(self) -> Vec<Obstacle> {
        let all = [
            (!self.city_known, Obstacle::City),
            (!self.district_known, Obstacle::District),
            (self.slot_is_past, Obstacle::PastSlot),
            (self.slot_is_far, Obstacle::FarSlot),
            (!self.preferred_may, Obstacle::Preferred),
            (!self.guarantee_stands, Obstacle::Guarantee),
        ];
        all.into_iter().filter(|(is_so, _)| *is_so).map(|(_, obstacle)| obstacle).collect()
    }
}
