//! What is to be changed of a draft, read into what the business knows; everything that is wrong is said at once.

use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::{given, object_given, some};
use super::super::new_order::{category, obstacle, phone, slot_is_sane, words};
use super::super::problem::{FieldError, Problem};
use super::shown::{LocalSlot, name};
use crate::model::MasterId;
use crate::model::city::City;
use crate::model::draft::{Field, Said};
use crate::model::new_order::{ADDRESS, DESCRIPTION, NAME, Obstacle, Visit};
use crate::model::paste::Pasted;
use crate::model::slot::{NoTime, When};

/// The longest message, in characters: as in Telegram.
const MESSAGE: usize = 4096;

/// What is to be changed of a draft; what is missing stays as it is, null empties.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::option_option, reason = "null is not the same as nothing")]
pub struct DraftChanges {
    /// An order in free words, which fills what it says.
    #[schema(max_length = 4096)]
    #[serde(deserialize_with = "some")]
    message: Option<String>,
    /// The trade.
    #[schema(value_type = Option<String>)]
    #[serde(deserialize_with = "given")]
    category: Option<Option<String>>,
    /// The city. Another city's district and preferred master are forgotten.
    #[serde(deserialize_with = "some")]
    city_id: Option<i64>,
    /// The district.
    #[schema(value_type = Option<i64>)]
    #[serde(deserialize_with = "given")]
    district_id: Option<Option<i64>>,
    /// Street, house, flat.
    #[schema(value_type = Option<String>, max_length = 300)]
    #[serde(deserialize_with = "given")]
    address: Option<Option<String>>,
    /// The client's phone.
    #[schema(value_type = Option<String>)]
    #[serde(deserialize_with = "given")]
    client_phone: Option<Option<String>>,
    /// What the client is called.
    #[schema(value_type = Option<String>, max_length = 100)]
    #[serde(deserialize_with = "given")]
    client_name: Option<Option<String>>,
    /// What is wrong.
    #[schema(value_type = Option<String>, max_length = 2000)]
    #[serde(deserialize_with = "given")]
    description: Option<Option<String>>,
    /// When the master is to come; null: as soon as possible.
    #[schema(value_type = Option<LocalSlot>)]
    #[serde(deserialize_with = "object_given")]
    slot: Option<Option<LocalSlot>>,
    /// Who is asked first: a master of the city.
    #[schema(value_type = Option<i64>)]
    #[serde(deserialize_with = "given")]
    preferred_master_id: Option<Option<i64>>,
}

/// What is known where changes are read.
pub struct Known<'a> {
    /// The cities of whoever writes the draft.
    pub cities: &'a [City],
    /// The draft's, unless that is changed too.
    pub city: Option<&'a City>,
    /// Whether whoever is to be preferred is a master of theirs.
    pub master: bool,
    /// What an order in free words says.
    pub read_order: fn(&str, &[City]) -> Pasted,
}

impl DraftChanges {
    /// The master who is to be preferred.
    pub fn preferred(&self) -> Option<MasterId> {
        self.preferred_master_id.flatten().map(MasterId)
    }

    /// What they say, in the order in which it is entered.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn read(self, known: &Known<'_>) -> Result<Vec<Said>, Problem> {
        let in_city = self.city_id.map(|id| known.cities.iter().find(|city| city.id.0 == id));
        let city = in_city.unwrap_or(known.city);
        let all = [
            self.message.map(|text| message(&text, known)),
            self.category.map(|word| or_empty(Field::Category, word, |word| category(&word).map(Said::Category))),
            in_city.map(|city| city.map(|city| Said::City(city.id)).ok_or_else(|| obstacle(Obstacle::City))),
            self.district_id.map(|id| or_empty(Field::District, id, |id| district(id, city))),
            self.address.map(|text| or_empty_words(Field::Address, text, ADDRESS, Said::Address)),
            self.client_phone.map(|text| or_empty(Field::Phone, filled(text), |text| phone(&text).map(Said::Phone))),
            self.client_name.map(|text| or_empty_words(Field::Name, text, NAME, Said::Name)),
            self.description.map(|text| or_empty_words(Field::Description, text, DESCRIPTION, Said::Description)),
            self.slot.map(|slot| time(slot, city)),
            self.preferred_master_id.map(|id| or_empty(Field::Preferred, id, |id| preferred(id, known.master))),
        ];
        let (mut said, mut errors) = (Vec::new(), Vec::new());
        for read in all.into_iter().flatten() {
            match read {
                Ok(read) => said.push(read),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() && said.is_empty() {
            errors.push(FieldError { pointer: String::new(), detail: "expected at least one change".to_owned() });
        }
        if errors.is_empty() { Ok(said) } else { Err(Problem::invalid(errors)) }
    }
}

fn message(text: &str, known: &Known<'_>) -> Result<Said, FieldError> {
    let written = text.replace('\0', " ").trim().to_owned();
    if written.is_empty() || written.chars().count() > MESSAGE {
        return Err(FieldError::new("message", format!("expected 1 to {MESSAGE} characters")));
    }
    let pasted = (known.read_order)(&written, known.cities);
    Ok(Said::Message { pasted: Box::new(pasted), written })
}

fn district(id: i64, city: Option<&City>) -> Result<Said, FieldError> {
    let is_known = city.is_some_and(|city| city.districts.iter().any(|known| known.id == id));
    if is_known { Ok(Said::District(id)) } else { Err(obstacle(Obstacle::District)) }
}

fn preferred(id: i64, is_known: bool) -> Result<Said, FieldError> {
    if is_known { Ok(Said::Preferred(MasterId(id))) } else { Err(obstacle(Obstacle::Preferred)) }
}

/// Words that say nothing empty a field.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// What a value says of a field, which without one is emptied.
fn or_empty<T>(
    field: Field,
    value: Option<T>,
    read: impl FnOnce(T) -> Result<Said, FieldError>,
) -> Result<Said, FieldError> {
    value.map_or(Ok(Said::Emptied(field)), read)
}

fn or_empty_words(
    field: Field,
    text: Option<String>,
    limit: usize,
    said: impl FnOnce(String) -> Said,
) -> Result<Said, FieldError> {
    or_empty(field, filled(text), |text| words(name(field), &text, limit).map(said))
}

/// A time that can still be promised.
fn time(slot: Option<LocalSlot>, city: Option<&City>) -> Result<Said, FieldError> {
    let Some(LocalSlot { start, end }) = slot else { return Ok(Said::When(When::Soon)) };
    slot_is_sane(Visit::Local(start, end))?;
    let when = When::Slot { start, end };
    match city.map(|city| when.check(city.now)) {
        Some(Err(NoTime::Past)) => Err(obstacle(Obstacle::PastSlot)),
        Some(Err(_)) => Err(obstacle(Obstacle::FarSlot)),
        Some(Ok(_)) | None => Ok(Said::When(when)),
    }
}
