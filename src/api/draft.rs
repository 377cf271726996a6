//! `/api/draft`: the new order that somebody is writing, here or in the bot: it is the same one, and outlives a closed page.
//!
//! Each request names the draft as it was seen (`If-Match`); if it has changed since, nothing is done, and the answer is what it
//! is now.

use axum::Json as Answer;
use axum::extract::State as Extract;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Json, given, some};
use super::caller::{Caller, Orders};
use super::new_order::{category, obstacle, phone, words};
use super::orders::{Created, REPLAYED, tag_seen};
use super::problem::{FieldError, Kind, Problem};
use super::{Enqueued, State};
use crate::dispatch::create::{self, CreateOutcome};
use crate::dispatch::draft::{self, BeginOutcome, SayOutcome};
use crate::model::city::City;
use crate::model::draft::{Around, Draft, DraftId, Field, SAMPLES, Said};
use crate::model::new_order::{ADDRESS, DESCRIPTION, NAME, Obstacle, Search};
use crate::model::slot::{self, DAYS_AHEAD, NoTime, When};
use crate::model::{Category, CityId, MasterId, OrderId, Phone, StaffId, StaffRef};

/// The longest message, in characters: as in Telegram.
const MESSAGE: usize = 4096;

/// A new order in the making.
#[derive(Serialize, ToSchema)]
pub struct NewOrderDraft {
    /// What `If-Match` names; `0.0`: there is none yet, and the first change begins one.
    #[schema(example = "118.3")]
    version: String,
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
    start: DateTime,
    /// Until then.
    #[schema(value_type = String, example = "2026-12-01T16:00:00")]
    end: DateTime,
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
    #[serde(deserialize_with = "given")]
    slot: Option<Option<LocalSlot>>,
    /// Who is asked first: a master of the city.
    #[schema(value_type = Option<i64>)]
    #[serde(deserialize_with = "given")]
    preferred_master_id: Option<Option<i64>>,
}

/// Of what a draft is begun.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Repetition {
    /// The closed order whose work is repeated for free.
    guarantee_of: i64,
}

/// How the search begins.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Beginning {
    /// Search for a master when the next working day begins, and not at once.
    defer: bool,
}

/// The new order that the caller is writing, with what is known around it.
#[utoipa::path(
    get, path = "/api/draft", tag = "draft", operation_id = "getDraft",
    responses((status = 200, description = "As it is now", body = NewOrderDraft, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn show(Extract(state): Extract<State>, caller: Caller<Orders>) -> Result<Response, Problem> {
    let desk = Desk::of(&state, &caller).await?;
    let draft = draft::open(&state.store, desk.staff).await?;
    desk.shown(draft.as_ref()).await.map(IntoResponse::into_response)
}

/// Begins the free repetition of a closed order's work. A draft that is not blank comes first: it is left as it is.
#[utoipa::path(
    post, path = "/api/draft", tag = "draft", operation_id = "repeatOrder", request_body = Repetition,
    responses(
        (status = 201, description = "It is begun", body = NewOrderDraft, headers(("ETag" = String, description = "For `If-Match`"))),
        (status = 409, description = "A problem: `not-now`: another one is not finished, or the order is not closed"),
    ),
)]
pub async fn begin(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    Json(said): Json<Repetition>,
) -> Result<Response, Problem> {
    let desk = Desk::of(&state, &caller).await?;
    let order = OrderId(said.guarantee_of);
    let blank = draft::open(&state.store, desk.staff).await?.filter(Draft::is_blank);
    match draft::repeat(&state.store, desk.staff, order, blank.as_ref(), None).await? {
        BeginOutcome::Begun(draft) => Ok((StatusCode::CREATED, desk.shown(Some(&draft)).await?).into_response()),
        BeginOutcome::Left(draft) if draft.guarantee_of == Some(order) => {
            Ok((StatusCode::CREATED, desk.shown(Some(&draft)).await?).into_response())
        }
        BeginOutcome::Left(_) => Err(Problem::new(Kind::NotNow).with_detail("another draft is not finished")),
        BeginOutcome::NotAllowed => {
            Err(Problem::new(Kind::NotNow).with_detail("guarantee_of: no closed order of the token's cities"))
        }
    }
}

/// Changes a draft: all that is given, or nothing.
#[utoipa::path(
    patch, path = "/api/draft", tag = "draft", operation_id = "changeDraft", request_body = DraftChanges,
    params(("If-Match" = String, Header, description = "The draft's `ETag` as it was seen")),
    responses((status = 200, description = "It is so", body = NewOrderDraft, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn change(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    headers: HeaderMap,
    Json(changes): Json<DraftChanges>,
) -> Result<Response, Problem> {
    let seen = seen(&headers)?;
    let desk = Desk::of(&state, &caller).await?;
    let open = draft::open(&state.store, desk.staff).await?;
    let said = desk.read(changes, open.as_ref()).await?;
    let outcome = match seen {
        Some(seen) => draft::fill(&state.store, desk.staff, seen, &said, &desk.cities).await?,
        None => desk.begin(said).await?,
    };
    state.metrics.count("order_draft", outcome.name());
    match outcome {
        SayOutcome::Said(draft) => Ok(desk.shown(Some(&draft)).await?.into_response()),
        SayOutcome::Gone(_) => {
            let detail = "that city or district is not there any more";
            Err(Problem::invalid(vec![FieldError::new("city_id", detail)]))
        }
        SayOutcome::Changed | SayOutcome::NoDraft | SayOutcome::Made(_) => Err(desk.stale().await?),
    }
}

/// Drops a draft.
#[utoipa::path(
    delete, path = "/api/draft", tag = "draft", operation_id = "dropDraft",
    params(("If-Match" = String, Header, description = "The draft's `ETag` as it was seen")),
    responses((status = 204, description = "There is none any more")),
)]
pub async fn drop(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let seen = seen(&headers)?;
    let desk = Desk::of(&state, &caller).await?;
    let there_is_none = match seen {
        None => draft::open(&state.store, desk.staff).await?.is_none(),
        Some((id, revision)) => draft::drop(&state.store, desk.staff, id, Some(revision)).await?,
    };
    if there_is_none { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(desk.stale().await?) }
}

/// Makes an order of a draft, once; of one that was made before, which it was.
#[utoipa::path(
    post, path = "/api/draft/order", tag = "draft", operation_id = "createOrderOfDraft", request_body = Beginning,
    params(("If-Match" = String, Header, description = "The draft's `ETag` as it was seen")),
    responses((status = 201, description = "It was made, now or before", body = Created, headers(
        ("Location" = String, description = "Where it is"),
        ("Idempotency-Replayed" = String, description = "`true`: it was made before"),
    ))),
)]
pub async fn create(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    headers: HeaderMap,
    Json(beginning): Json<Beginning>,
) -> Result<Response, Problem> {
    let seen = seen(&headers)?;
    let desk = Desk::of(&state, &caller).await?;
    let Some((id, revision)) = seen else { return Err(desk.stale().await?) };
    let search = if beginning.defer { Search::InTheMorning } else { Search::Now };
    let nameless = state.words.nameless;
    let outcome = create::create(&state.store, desk.staff, id, revision, search, nameless, None).await?;
    state.metrics.count("order_create", outcome.name());
    match outcome {
        CreateOutcome::Created { order, .. } => {
            let mut response = made(order);
            response.extensions_mut().insert(Enqueued(Some(order)));
            Ok(response)
        }
        CreateOutcome::AlreadyCreated(order) => {
            let mut response = made(order);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        CreateOutcome::Changed(_) | CreateOutcome::NoDraft => Err(desk.stale().await?),
        refused => Err(not_made(&refused)),
    }
}

fn made(order: OrderId) -> Response {
    let mut response = (StatusCode::CREATED, Answer(Created::new(order))).into_response();
    let location = HeaderValue::try_from(format!("/api/orders/{order}")).ok();
    response.headers_mut().extend(location.map(|location| (LOCATION, location)));
    response
}

/// Why no order was made, at its field.
fn not_made(outcome: &CreateOutcome) -> Problem {
    let error = match outcome {
        CreateOutcome::Missing(field, _) => FieldError::new(name(*field), "expected a value"),
        CreateOutcome::SlotPast(_) => FieldError::new("slot", obstacle(Obstacle::PastSlot).detail),
        CreateOutcome::PlaceGone(Field::District, _) => obstacle(Obstacle::District),
        CreateOutcome::PlaceGone(..) => obstacle(Obstacle::City),
        CreateOutcome::MasterGone(_) => obstacle(Obstacle::Preferred),
        CreateOutcome::NotClosed(_) => obstacle(Obstacle::Guarantee),
        CreateOutcome::Created { .. }
        | CreateOutcome::AlreadyCreated(_)
        | CreateOutcome::Changed(_)
        | CreateOutcome::NoDraft => return Problem::new(Kind::Internal),
    };
    Problem::invalid(vec![error])
}

/// What the caller has seen; `None`: that there is no draft.
fn seen(headers: &HeaderMap) -> Result<Option<(DraftId, i32)>, Problem> {
    let Some(tag) = tag_seen(headers)? else {
        return Err(Problem::new(Kind::Malformed).with_detail("If-Match: expected the ETag as it was seen"));
    };
    if tag == NONE {
        return Ok(None);
    }
    // A tag that no draft ever had matches none.
    let (id, revision) = tag.split_once('.').unwrap_or_default();
    Ok(Some((DraftId(id.parse().unwrap_or_default()), revision.parse().unwrap_or_default())))
}

/// The version of what there is not.
const NONE: &str = "0.0";

/// The field's name in the API.
fn name(field: Field) -> &'static str {
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

/// Somebody who writes a new order, and where.
struct Desk<'a> {
    state: &'a State,
    staff: StaffRef,
    id: StaffId,
    cities: Vec<City>,
}

impl<'a> Desk<'a> {
    async fn of(state: &'a State, caller: &Caller<Orders>) -> Result<Self, Problem> {
        let cities = draft::cities(&state.store, caller.staff()).await?;
        if cities.is_empty() {
            return Err(Problem::new(Kind::Forbidden).with_detail("there is no city to make orders in"));
        }
        Ok(Self { state, staff: caller.staff(), id: caller.access.staff, cities })
    }

    /// Begins a draft, if there is none.
    async fn begin(&self, said: Vec<Said>) -> Result<SayOutcome, Problem> {
        let mut filled = Draft::blank(self.id, &self.cities);
        if !said.into_iter().all(|said| filled.enter(said, &self.cities)) {
            return Ok(SayOutcome::Gone(Box::new(filled)));
        }
        Ok(match draft::begin(&self.state.store, self.staff, &filled, None, None).await? {
            BeginOutcome::Begun(draft) => SayOutcome::Said(draft),
            BeginOutcome::Left(_) => SayOutcome::Changed,
            BeginOutcome::NotAllowed => SayOutcome::NoDraft,
        })
    }

    /// The draft's city, or the only one that may be meant.
    fn city_of(&self, draft: Option<&Draft>) -> Option<&City> {
        draft.and_then(|draft| draft.city_of(&self.cities)).or(self.cities.first())
    }

    /// What changes say of a draft.
    async fn read(&self, changes: DraftChanges, draft: Option<&Draft>) -> Result<Vec<Said>, Problem> {
        let mut errors = Vec::new();
        let mut said = Vec::new();
        let mut note = |read: Result<Said, FieldError>| match read {
            Ok(read) => said.push(read),
            Err(error) => errors.push(error),
        };
        if let Some(message) = changes.message {
            note(self.message(&message));
        }
        if let Some(word) = changes.category {
            note(emptied_or(Field::Category, word, |word| category(&word).map(Said::Category)));
        }
        let city = changes.city_id.map(|id| self.cities.iter().find(|city| city.id.0 == id));
        if let Some(city) = city {
            note(city.map(|city| Said::City(city.id)).ok_or_else(|| obstacle(Obstacle::City)));
        }
        let city = city.unwrap_or_else(|| self.city_of(draft));
        if let Some(district) = changes.district_id {
            let known = |id: i64| city.is_some_and(|city| city.districts.iter().any(|known| known.id == id));
            note(emptied_or(Field::District, district, |id| {
                if known(id) { Ok(Said::District(id)) } else { Err(obstacle(Obstacle::District)) }
            }));
        }
        if let Some(text) = changes.address {
            note(emptied_or(Field::Address, filled(text), |text| words("address", &text, ADDRESS).map(Said::Address)));
        }
        if let Some(text) = changes.client_phone {
            note(emptied_or(Field::Phone, filled(text), |text| phone(&text).map(Said::Phone)));
        }
        if let Some(text) = changes.client_name {
            note(emptied_or(Field::Name, filled(text), |text| words("client_name", &text, NAME).map(Said::Name)));
        }
        if let Some(text) = changes.description {
            note(emptied_or(Field::Description, filled(text), |text| {
                words("description", &text, DESCRIPTION).map(Said::Description)
            }));
        }
        if let Some(slot) = changes.slot {
            note(time(slot, city));
        }
        if let Some(master) = changes.preferred_master_id {
            let known = match master {
                Some(id) => draft::knows_master(&self.state.store, self.staff, MasterId(id)).await?,
                None => true,
            };
            note(emptied_or(Field::Preferred, master, |id| {
                if known { Ok(Said::Preferred(MasterId(id))) } else { Err(obstacle(Obstacle::Preferred)) }
            }));
        }
        if errors.is_empty() && said.is_empty() {
            errors.push(FieldError { pointer: String::new(), detail: "expected at least one change".to_owned() });
        }
        if errors.is_empty() { Ok(said) } else { Err(Problem::invalid(errors)) }
    }

    /// What a message in free words says.
    fn message(&self, text: &str) -> Result<Said, FieldError> {
        let written = text.replace('\0', " ").trim().to_owned();
        if written.is_empty() || written.chars().count() > MESSAGE {
            return Err(FieldError::new("message", format!("expected 1 to {MESSAGE} characters")));
        }
        let pasted = (self.state.words.read_order)(&written, &self.cities);
        Ok(Said::Message { pasted: Box::new(pasted), written })
    }

    /// The draft has changed since it was seen.
    async fn stale(&self) -> Result<Problem, Problem> {
        let now = draft::open(&self.state.store, self.staff).await?;
        let shown = self.view(now.as_ref()).await?;
        let tag = tag(&shown.version);
        let problem = Problem::new(Kind::Stale).with_current(serde_json::to_value(shown).ok());
        Ok(tag.into_iter().fold(problem, |problem, tag| problem.with_header(ETAG, tag)))
    }

    /// A draft with its tag; of none what a new one would be.
    async fn shown(&self, draft: Option<&Draft>) -> Result<impl IntoResponse + use<>, Problem> {
        let view = self.view(draft).await?;
        let mut headers = HeaderMap::new();
        headers.extend(tag(&view.version).map(|tag| (ETAG, tag)));
        Ok((headers, Answer(view)))
    }

    async fn view(&self, draft: Option<&Draft>) -> Result<NewOrderDraft, Problem> {
        let around = match draft {
            Some(draft) => draft::around(&self.state.store, self.staff, draft).await?,
            None => Around::default(),
        };
        let blank = Draft::blank(self.id, &self.cities);
        let version = draft.map_or(NONE.to_owned(), |draft| format!("{}.{}", draft.id, draft.revision));
        let city = self.city_of(draft);
        Ok(view(version, draft.unwrap_or(&blank), around, city))
    }
}

/// Words that say nothing empty a field.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// What a value says of a field, which without one is emptied.
fn emptied_or<T>(
    field: Field,
    value: Option<T>,
    read: impl FnOnce(T) -> Result<Said, FieldError>,
) -> Result<Said, FieldError> {
    value.map_or(Ok(Said::Emptied(field)), read)
}

/// A time that can still be promised.
fn time(slot: Option<LocalSlot>, city: Option<&City>) -> Result<Said, FieldError> {
    let Some(LocalSlot { start, end }) = slot else { return Ok(Said::When(When::Soon)) };
    super::new_order::slot_is_sane(crate::model::new_order::Visit::Local(start, end))?;
    let when = When::Slot { start, end };
    match city.map(|city| when.check(city.now)) {
        Some(Err(NoTime::Past)) => Err(FieldError::new("slot/end", obstacle(Obstacle::PastSlot).detail)),
        Some(Err(_)) => Err(FieldError::new("slot/start", format!("expected at most {DAYS_AHEAD} days ahead"))),
        Some(Ok(_)) | None => Ok(Said::When(when)),
    }
}

fn tag(version: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("\"{version}\"")).ok()
}

fn view(version: String, draft: &Draft, around: Around, city: Option<&City>) -> NewOrderDraft {
    let required = [Field::Category, Field::City, Field::Address, Field::Phone];
    let missing = required.into_iter().filter(|field| !draft.has(*field));
    // A message said a time, and it is not certain which.
    let uncertain = draft.uncertain_time().map(|_| Field::When);
    NewOrderDraft {
        version,
        category: draft.category.map(Category::as_str),
        city_id: draft.city.map(|city: CityId| city.0),
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
