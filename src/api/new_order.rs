//! What a program says of an order, read into what the business knows; everything that is wrong is said at once.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{given, object, object_given, some};
use super::problem::{FieldError, note};
use crate::model::new_order::{self, ADDRESS, DESCRIPTION, NAME, Obstacle, Search, Visit};
use crate::model::slot::DAYS_AHEAD;
use crate::model::text::visible;
use crate::model::{Category, CityId, MasterId, NoPhone, OrderId, Phone};

/// The years in which a master may come, as the database has it.
const YEARS: std::ops::Range<i16> = 2001..2999;
/// The longest time from the beginning of a slot to its end.
const LONGEST_SLOT: SignedDuration = SignedDuration::from_hours(24);

/// An order to be made.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    /// `ELECTRICS`, `PLUMBING`, `APPLIANCES`, `WINDOWS`, `HANDYMAN` or `ROADSIDE`.
    #[schema(example = "PLUMBING")]
    category: String,
    /// The city: a number of `GET /api/cities`.
    city_id: i64,
    /// The district: one of the city's.
    #[serde(skip_serializing_if = "Option::is_none")]
    district_id: Option<i64>,
    /// Street, house, flat.
    #[schema(example = "Malysheva 84, 3", min_length = 1, max_length = 300)]
    address: String,
    /// The client's phone, in E.164.
    #[schema(example = "+79123456789")]
    client_phone: String,
    /// What the client is called; a word for «client», unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100)]
    client_name: Option<String>,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000)]
    description: Option<String>,
    /// When the client expects the master.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "object")]
    slot: Option<NewSlot>,
    /// The client wants the master as soon as possible; not together with `slot`.
    #[serde(default)]
    soon: bool,
    /// Who is asked first: a master of the city.
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_master_id: Option<i64>,
    /// The closed order whose work is repeated for free.
    #[serde(skip_serializing_if = "Option::is_none")]
    guarantee_of: Option<i64>,
    /// Search for a master when the next working day begins, and not at once.
    #[serde(default)]
    defer: bool,
}

/// A time to come.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSlot {
    /// From then; RFC 3339.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// Until then: at most 24 hours later.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
}

impl NewSlot {
    /// From when to when.
    ///
    /// # Errors
    /// When it ends before it begins, or is too long.
    pub fn read(self) -> Result<(Timestamp, Timestamp), FieldError> {
        slot_is_sane(Visit::Between(self.start, self.end)).map(|()| (self.start, self.end))
    }
}

/// Whether a time to come ends after it begins, and soon enough.
///
/// # Errors
/// That it does not.
pub fn slot_is_sane(visit: Visit) -> Result<(), FieldError> {
    let (year, long) = match visit {
        Visit::Unsaid | Visit::Soon => return Ok(()),
        Visit::Local(start, end) => (start.year(), start.duration_until(end)),
        Visit::Between(start, end) => (start.to_zoned(TimeZone::UTC).year(), start.duration_until(end)),
    };
    if !YEARS.contains(&year) {
        Err(FieldError::new("slot/start", "expected a time of this century"))
    } else if long > SignedDuration::ZERO && long <= LONGEST_SLOT {
        Ok(())
    } else {
        Err(FieldError::new("slot/end", "expected up to 24 hours after the start"))
    }
}

impl NewOrder {
    /// What it says.
    ///
    /// # Errors
    /// Every field that is not valid.
    pub fn read(&self) -> Result<new_order::NewOrder, Vec<FieldError>> {
        let mut errors = Vec::new();
        let category = note(category(&self.category), &mut errors);
        let address = note(words("address", &self.address, ADDRESS), &mut errors);
        let phone = note(phone(&self.client_phone), &mut errors);
        let optional = |field, text: &Option<String>, limit| match text.as_deref().map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => words(field, text, limit).map(Some),
        };
        let name = note(optional("client_name", &self.client_name, NAME), &mut errors);
        let description = note(optional("description", &self.description, DESCRIPTION), &mut errors);
        let slot = note(self.slot.map(NewSlot::read).transpose(), &mut errors);
        if self.soon && self.slot.is_some() {
            errors.push(FieldError::new("soon", "expected either a slot or as soon as possible"));
        }
        match (category, address, phone, name, description, slot) {
            (Some(category), Some(address), Some(phone), Some(name), Some(description), Some(slot))
                if errors.is_empty() =>
            {
                Ok(new_order::NewOrder {
                    category,
                    city: CityId(self.city_id),
                    district: self.district_id,
                    address,
                    phone,
                    name,
                    description,
                    visit: match slot {
                        Some((start, end)) => Visit::Between(start, end),
                        None if self.soon => Visit::Soon,
                        None => Visit::Unsaid,
                    },
                    preferred: self.preferred_master_id.map(MasterId),
                    guarantee_of: self.guarantee_of.map(OrderId),
                    search: if self.defer { Search::InTheMorning } else { Search::Now },
                })
            }
            _ => Err(errors),
        }
    }
}

/// The trade of that word.
pub fn category(word: &str) -> Result<Category, FieldError> {
    Category::parse(word).ok_or_else(|| {
        let all = Category::ALL.map(Category::as_str).join(", ");
        FieldError::new("category", format!("expected one of {all}"))
    })
}

/// A phone.
pub fn phone(text: &str) -> Result<Phone, FieldError> {
    Phone::parse(&visible(text)).map_err(|why| {
        let why = match why {
            NoPhone::NotANumber => "not a phone number".to_owned(),
            NoPhone::TooShort(digits) | NoPhone::TooLong(digits) => {
                format!("a phone number does not have {digits} digits")
            }
            NoPhone::Unknown => "no country has such a phone number".to_owned(),
        };
        FieldError::new("client_phone", format!("{why}: expected E.164, such as +79123456789"))
    })
}

/// Words of a limited length.
pub fn words(field: &str, text: &str, limit: usize) -> Result<String, FieldError> {
    let text = visible(text);
    let text = text.trim();
    let several_lines = field == "description" || field == "comment";
    let is_odd = |c: char| c.is_control() && !(several_lines && matches!(c, '\n' | '\r' | '\t'));
    if text.is_empty() {
        Err(FieldError::new(field, "expected some words"))
    } else if text.chars().any(is_odd) {
        Err(FieldError::new(field, "expected no control characters"))
    } else if text.chars().count() > limit {
        Err(FieldError::new(field, format!("expected at most {limit} characters")))
    } else {
        Ok(text.to_owned())
    }
}

/// What stands against an order, at its field.
pub fn obstacle(obstacle: Obstacle) -> FieldError {
    match obstacle {
        Obstacle::City => FieldError::new("city_id", "no city that the token may work in"),
        Obstacle::District => FieldError::new("district_id", "no district of that city"),
        Obstacle::PastSlot => FieldError::new("slot/end", "that time has passed"),
        Obstacle::FarSlot => FieldError::new("slot/start", format!("expected at most {DAYS_AHEAD} days ahead")),
        Obstacle::Preferred => FieldError::new("preferred_master_id", "no master of that city, or a blocked one"),
        Obstacle::Guarantee => FieldError::new("guarantee_of", "no closed order of the token's cities"),
    }
}

/// What is to be changed of an order; what is missing stays as it is.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "null is not the same as nothing")]
pub struct OrderChanges {
    /// Street, house, flat.
    #[schema(min_length = 1, max_length = 300)]
    #[serde(default, deserialize_with = "some")]
    pub address: Option<String>,
    /// What the client is called.
    #[schema(min_length = 1, max_length = 100)]
    #[serde(default, deserialize_with = "some")]
    pub client_name: Option<String>,
    /// The client's phone, in E.164.
    #[serde(default, deserialize_with = "some")]
    #[schema(value_type = String, required = false)]
    pub client_phone: Option<String>,
    /// What is wrong.
    #[schema(min_length = 1, max_length = 2000)]
    #[serde(default, deserialize_with = "some")]
    pub description: Option<String>,
    /// When the client expects the master; null: as soon as possible.
    #[serde(default, deserialize_with = "object_given")]
    #[schema(value_type = Option<NewSlot>)]
    pub slot: Option<Option<NewSlot>>,
    /// What staff want the master to know; null: nothing.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 300)]
    pub comment: Option<Option<String>>,
}
