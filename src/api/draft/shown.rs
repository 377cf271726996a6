//! A draft as it is answered.

use jiff::ToSpan;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::city::City;
use crate::model::draft::{Around, Draft, Field, SAMPLES};
use crate::model::slot::{self, When};
use crate::model::{Category, Phone};

/// A new order in the making.
#[derive(Serialize, ToSchema)]
pub struct NewOrderDraft {
    /// What `If-Match` names; `0.0`: there is none yet, and the first change begins one.
    #[schema(example = "118.3")]
    pub version: String,
    /// The trade.
    #[schema(example = "PLUMBING")]
    category: Option<&'static str>,
    /// The city.
    city_id: Option<i64>,
    /// The district.
    district_id: Option<i64>,
    /// Street, house, flat.
    address: Option<String>,
    /// The client's phone, in E.164.
    client_phone: Option<String>,
    /// What the client is called.
    client_name: Option<String>,
    /// What is wrong.
    description: Option<String>,
    /// When the master is to come; null: as soon as possible.
    slot: Option<LocalSlot>,
    /// Who is asked first.
    preferred_master_id: Option<i64>,
    /// The closed order whose work is repeated for free.
    guarantee_of: Option<i64>,
    /// The message that it was filled from, as it was written.
    message: Option<String>,
    /// What each field took of that message.
    took: Vec<Took>,
    /// The fields without which no order can be made of it.
    #[schema(example = json!(["address"]))]
    missing: Vec<&'static str>,
    /// The same client's orders that are going on, newest first; three at most.
    twins: Vec<Twin>,
    /// How many masters there are for it, once trade and city are known.
    supply: Option<Supply>,
    /// How long such orders have looked for a master, if that can be said.
    usually: Option<Usually>,
    /// The windows of today and tomorrow that a client can be offered.
    windows: Vec<LocalSlot>,
    /// When work begins next, on the clocks of the city; null: these are working hours.
    #[schema(value_type = Option<String>, example = "2026-12-01T10:00:00")]
    work_begins: Option<DateTime>,
}

/// A time on the clocks of the order's city, without a zone: the city may not be known yet.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalSlot {
    /// From then.
    #[schema(value_type = String, example = "2026-12-01T14:00:00")]
    pub start: DateTime,
    /// Until then.
    #[schema(value_type = String, example = "2026-12-01T16:00:00")]
    pub end: DateTime,
}

/// What a field took of a message.
#[derive(Serialize, ToSchema)]
pub struct Took {
    /// The field.
    #[schema(example = "client_phone")]
    field: &'static str,
    /// As it was written.
    words: String,
}

/// An order of the same client.
#[derive(Serialize, ToSchema)]
pub struct Twin {
    /// Its number.
    id: i64,
    /// Its status.
    #[schema(example = "ASSIGNED")]
    status: &'static str,
}

/// How many masters there are.
#[derive(Serialize, ToSchema)]
pub struct Supply {
    /// Who does such work there.
    suitable: u32,
    /// Who of them would be asked now.
    free: u32,
}

/// How long such orders have looked for a master: those of the last 30 days, at this hour of the day.
#[derive(Serialize, ToSchema)]
pub struct Usually {
    /// Half of them were quicker, in seconds.
    median_seconds: i64,
    /// How many there were.
    orders: i64,
}

/// A draft as it is now, with what is known around it. `city`: whose clocks are meant.
pub fn shown(version: String, draft: &Draft, around: &Around, city: Option<&City>) -> NewOrderDraft {
    let required = [Field::Category, Field::City, Field::Address, Field::Phone];
    let missing = required.into_iter().filter(|field| !draft.has(*field));
    // A message said a time, and it is not certain which.
    let uncertain = draft.uncertain_time().map(|_| Field::When);
    NewOrderDraft {
        version,
        category: draft.category.map(Category::as_str),
        city_id: draft.city.map(|city| city.0),
        district_id: draft.district,
        address: draft.address.clone(),
        client_phone: draft.phone.as_ref().map(Phone::as_e164).map(str::to_owned),
        client_name: draft.name.clone(),
        description: draft.description.clone(),
        slot: match draft.when {
            Some(When::Slot { start, end }) => Some(LocalSlot { start, end }),
            Some(When::Soon) | None => None,
        },
        preferred_master_id: draft.preferred.map(|master| master.0),
        guarantee_of: draft.guarantee_of.map(|order| order.0),
        message: draft.pasted.clone(),
        took: draft.took.iter().map(|(field, words)| Took { field: name(*field), words: words.clone() }).collect(),
        missing: missing.chain(uncertain).map(name).collect(),
        twins: around.twins.iter().map(|twin| Twin { id: twin.order.0, status: twin.status.as_str() }).collect(),
        supply: around.supply.map(|supply| Supply { suitable: supply.suitable, free: supply.free }),
        usually: around
            .usually
            .filter(|usually| usually.orders >= SAMPLES)
            .map(|usually| Usually { median_seconds: usually.seconds, orders: usually.orders }),
        windows: city.map(windows).unwrap_or_default(),
        work_begins: city.and_then(|city| slot::next_workday(city.now, city.workday)),
    }
}

/// The windows of today and tomorrow.
fn windows(city: &City) -> Vec<LocalSlot> {
    let today = city.now.date();
    let days = [Some(today), today.checked_add(1.day()).ok()];
    let windows = days.into_iter().flatten().flat_map(|day| slot::windows(day, city.workday, city.now));
    windows.map(|(start, end)| LocalSlot { start, end }).collect()
}

/// The field's name in the API.
pub fn name(field: Field) -> &'static str {
    match field {
        Field::Category => "category",
        Field::City => "city_id",
        Field::District => "district_id",
        Field::Address => "address",
        Field::Phone => "client_phone",
        Field::Name => "client_name",
        Field::Description => "description",
        Field::When => "slot",
        Field::Preferred => "preferred_master_id",
    }
}
