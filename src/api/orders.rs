//! `/api/orders`: look for orders, make one, show one, change what it says.

use axum::Json as Answer;
use axum::extract::State as Extract;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{self, Current, PAGE, ROWS, limited, linked, location_of, next_page, recorded};
use super::body::{Asked, Json, Number};
use super::caller::{Caller, Looks, Orders};
use super::new_order::{NewOrder, OrderChanges, obstacle, phone, words};
use super::order::Order;
use super::problem::{FieldError, Kind, Problem};
use super::seen::{SeenOrder, origin};
use super::{Enqueued, State};
use crate::dispatch::act::{self, ActOutcome, StaffCommand};
use crate::dispatch::intake::{self, Intake, IntakeOutcome, Key};
use crate::dispatch::look_up;
use crate::model::new_order::{ADDRESS, DESCRIPTION, NAME, Obstacle};
use crate::model::order_record::{OrderFilter, OrderRecord};
use crate::model::queue::Sought;
use crate::model::slot::LocalTimeRefusal;
use crate::model::staff_order::{COMMENT, Edit};
use crate::model::{CityId, MasterId, OrderId, OrderStatus, StaffRef, Version};

/// `Idempotency-Key`, as the IETF draft names it.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const KEY: usize = 255;

/// Which orders.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// In one of these statuses, separated by commas.
    #[param(example = "CREATED,SEARCHING")]
    status: Option<String>,
    /// In the city of that number.
    city: Option<i64>,
    /// Whose master is, or was last, the one of that number.
    master: Option<i64>,
    /// A number, a part of a phone, or words of address or name: the newest hundred that have it.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Made before the order of that number: the next page's.
    after: Option<i64>,
}

/// How many.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Limit {
    /// So many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<i64>,
}

/// A page of orders, newest first.
#[derive(Serialize, ToSchema)]
pub struct OrderPage {
    /// The orders.
    orders: Vec<Order>,
}

/// Orders, newest first. The next page is what `Link: <…>; rel="next"` says.
#[utoipa::path(
    get, path = "/api/orders", tag = "orders", operation_id = "listOrders", params(Filter, Limit),
    responses(
        (status = 200, description = "A page of them", body = OrderPage, headers(("Link" = String, description = "The next page, if there is one"))),
    ),
)]
pub async fn list(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    Asked(asked): Asked<Filter>,
    Asked(Limit { limit }): Asked<Limit>,
) -> Result<Response, Problem> {
    let limit = limited(limit.unwrap_or(ROWS), PAGE)?;
    let (records, next) = page_of(&state, caller.staff(), &asked, "orders", limit).await?;
    Ok(linked(Answer(OrderPage { orders: records.into_iter().map(Order::from).collect() }), next))
}

/// A page of the orders that are asked for, at most `limit`, and the `Link` to the next one.
pub async fn page_of(
    state: &State,
    staff: StaffRef,
    asked: &Filter,
    what: &str,
    limit: i64,
) -> Result<(Vec<OrderRecord>, Option<HeaderValue>), Problem> {
    let sought = asked.q.as_deref().map(|words| sought(state, words)).transpose()?;
    let found = look_up::orders(&state.store, staff, &filter(asked)?, sought.as_ref(), limit + 1).await?;
    let records = found.ok_or_else(|| Problem::new(Kind::Forbidden))?;
    Ok(answer::page(records, limit, |last| {
        let words = [("status", asked.status.clone()), ("q", asked.q.clone())];
        let (city, master) = (("city", asked.city), ("master", asked.master));
        next_page(what, words, [city, master, ("after", Some(last.id.0)), ("limit", Some(limit))])
    }))
}

/// What the words of a search ask for.
fn sought(state: &State, words: &str) -> Result<Sought, Problem> {
    if words.chars().count() > Sought::LONGEST {
        return Err(Problem::malformed(format!("q: expected at most {} characters", Sought::LONGEST)));
    }
    let sought = (state.words.sought)(words);
    if sought.words.len() > Sought::MOST_WORDS {
        return Err(Problem::malformed(format!("q: expected at most {} words", Sought::MOST_WORDS)));
    }
    Ok(sought)
}

/// What is looked for.
fn filter(asked: &Filter) -> Result<OrderFilter, Problem> {
    let words = asked.status.as_deref().unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty());
    let statuses = words.map(|word| {
        OrderStatus::parse(word).ok_or_else(|| {
            let all = OrderStatus::ALL.map(OrderStatus::as_str).join(", ");
            Problem::malformed(format!("status: expected some of {all}"))
        })
    });
    Ok(OrderFilter {
        statuses: statuses.collect::<Result<_, _>>()?,
        city: asked.city.map(CityId),
        master: asked.master.map(MasterId),
        after: asked.after.map(OrderId),
        among: None,
    })
}

/// An order that was made.
#[derive(Serialize, ToSchema)]
pub struct Created {
    /// Its number.
    id: i64,
    /// What `If-Match` names, as long as nothing has changed.
    #[schema(example = "1.1")]
    version: String,
}

impl Created {
    /// That order, as it begins.
    pub fn new(order: OrderId) -> Self {
        Self { id: order.0, version: Version::FIRST.to_string() }
    }

    /// As it is answered.
    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Makes an order. Asked for again by the same `Idempotency-Key` within seven days it is not made again, and the first answer is
/// given once more.
#[utoipa::path(
    post, path = "/api/orders", tag = "orders", operation_id = "createOrder", request_body = NewOrder,
    params(("Idempotency-Key" = String, Header, description = "Up to 255 printable ASCII characters, other ones for each order")),
    responses(
        (status = 201, description = "It was made, now or by this key before", body = Created, headers(
            ("Location" = String, description = "Where it is"),
            ("Idempotency-Replayed" = String, description = "`true`: the answer was given before"),
        ), links(
            ("read" = (operation_id = "getOrder", parameters(("id" = "$response.body#/id")))),
            ("candidates" = (operation_id = "listCandidates", parameters(("id" = "$response.body#/id")))),
            ("cancel" = (operation_id = "cancelOrder", parameters(("id" = "$response.body#/id"), ("If-Match" = "*")))),
            ("assign" = (operation_id = "assignOrder", parameters(("id" = "$response.body#/id"), ("If-Match" = "*")))),
        )),
    ),
)]
pub async fn create(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    headers: HeaderMap,
    Json(said): Json<NewOrder>,
) -> Result<Response, Problem> {
    let key = key(&headers, &caller, "CREATE", &serde_json::to_vec(&said).unwrap_or_default())?;
    let order = said.read().map_err(Problem::invalid)?;
    let orders = std::slice::from_ref(&order);
    let asked = Intake { staff: caller.staff(), key: &key, orders, partial: false, nameless: state.words.nameless };
    let answer = |orders: &[Option<OrderId>], _: &[_]| {
        let id = orders.iter().flatten().next().copied().unwrap_or(OrderId(0));
        Created::new(id).json()
    };
    let outcome = intake::take_in(&state.store, asked, answer).await?;
    state.metrics.count("order_intake", outcome.name());
    let (answer, replayed, order) = match outcome {
        IntakeOutcome::Made(made) => (made.answer, false, made.orders.into_iter().flatten().next()),
        IntakeOutcome::Repeated(answer) => (answer, true, None),
        IntakeOutcome::Refused(obstacles) => {
            return Err(Problem::invalid(obstacles.into_iter().map(|(_, why)| obstacle(why)).collect()));
        }
        refused => return Err(Problem::of_intake(&refused)),
    };
    let id = serde_json::from_str::<serde_json::Value>(&answer).ok().and_then(|answer| answer["id"].as_i64());
    let mut response = recorded(answer, replayed);
    response.headers_mut().extend(id.map(|id| (LOCATION, location_of(OrderId(id)))));
    if let Some(order) = order {
        response.extensions_mut().insert(Enqueued(Some(order)));
    }
    Ok(response)
}

/// The request's key.
pub fn key<N>(headers: &HeaderMap, caller: &Caller<N>, action: &'static str, said: &[u8]) -> Result<Key, Problem> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Err(Problem::new(Kind::KeyMissing)) };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > KEY {
        let detail = format!("Idempotency-Key: expected 1 to {KEY} printable ASCII characters");
        return Err(Problem::new(Kind::Malformed).with_detail(detail));
    }
    Ok(Key::new(caller.access.staff, key, action, digest(&SHA256, said).as_ref().to_vec()))
}

/// An order.
#[utoipa::path(
    get, path = "/api/orders/{id}", tag = "orders", operation_id = "getOrder", params(("id" = i64, Path, description = "Its number")),
    responses((status = 200, description = "As it is now", body = Order, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn show(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    Number(order): Number,
) -> Result<Response, Problem> {
    let found = look_up::order(&state.store, caller.staff(), OrderId(order)).await?;
    found.map(|record| current(record).into_response()).ok_or_else(|| Problem::new(Kind::NotFound))
}

fn current(record: OrderRecord) -> Current<Order> {
    Current { tag: record.version.to_string(), said: record.into() }
}

/// Changes what an order says: all that is given, or nothing. Whom it concerns is told.
#[utoipa::path(
    patch, path = "/api/orders/{id}", tag = "orders", operation_id = "changeOrder", request_body = OrderChanges,
    params(("id" = i64, Path, description = "Its number"), SeenOrder),
    responses((status = 200, description = "It is so", body = Order, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn edit(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    Number(order): Number,
    SeenOrder(seen): SeenOrder,
    Json(changes): Json<OrderChanges>,
) -> Result<Response, Problem> {
    let order = OrderId(order);
    let edits = edits(&state, caller.staff(), order, changes).await?;
    act(&state, caller.staff(), order, seen, &StaffCommand::EditAll(edits)).await
}

async fn edits(state: &State, staff: StaffRef, order: OrderId, changes: OrderChanges) -> Result<Vec<Edit>, Problem> {
    let mut errors = Vec::new();
    let mut edits = Vec::new();
    let mut note = |read: Result<Edit, FieldError>| match read {
        Ok(edit) => edits.push(edit),
        Err(error) => errors.push(error),
    };
    if let Some(text) = changes.address {
        note(words("address", &text, ADDRESS).map(Edit::Address));
    }
    if let Some(text) = changes.client_name {
        note(words("client_name", &text, NAME).map(Edit::Name));
    }
    if let Some(text) = changes.client_phone {
        note(phone(&text).map(|phone| Edit::Phone(phone.as_e164().to_owned())));
    }
    if let Some(text) = changes.description {
        note(words("description", &text, DESCRIPTION).map(Edit::Description));
    }
    match changes.comment {
        None => {}
        Some(None) => note(Ok(Edit::Comment(None))),
        Some(Some(text)) => note(words("comment", &text, COMMENT).map(|text| Edit::Comment(Some(text)))),
    }
    match changes.slot {
        None => {}
        Some(None) => note(Ok(Edit::Slot(None))),
        Some(Some(slot)) => match slot.read() {
            Err(error) => note(Err(error)),
            Ok(slot) => match look_up::on_the_clocks_of(&state.store, staff, order, slot).await? {
                None => return Err(Problem::new(Kind::NotFound)),
                Some(Ok(slot)) => note(Ok(Edit::Slot(Some(slot)))),
                Some(Err(why)) => note(Err(refused_time(why))),
            },
        },
    }
    if errors.is_empty() && edits.is_empty() {
        errors.push(FieldError { pointer: String::new(), detail: "expected at least one change".to_owned() });
    }
    if errors.is_empty() { Ok(edits) } else { Err(Problem::invalid(errors)) }
}

fn refused_time(why: LocalTimeRefusal) -> FieldError {
    match why {
        LocalTimeRefusal::TooFar => obstacle(Obstacle::FarSlot),
        LocalTimeRefusal::Ambiguous => FieldError::new(
            "slot/start",
            "expected the later of two moments that the city's clocks show alike, as they go back",
        ),
    }
}

/// Does something with an order, and answers with what it is then.
pub async fn act(
    state: &State,
    staff: StaffRef,
    order: OrderId,
    seen: Option<Version>,
    command: &StaffCommand,
) -> Result<Response, Problem> {
    // `Debug` of an edit shows no value.
    let said: Vec<_> = command.edits().iter().map(Edit::value).collect();
    let origin = origin(staff, seen.as_ref(), &(order, command, said));
    let asked = act::Asked { staff, order, seen, origin: Some(&origin), answers: None };
    let acted = act::act(&state.store, asked, command).await?;
    state.metrics.count(command.name(), acted.outcome.name());
    match acted.outcome {
        ActOutcome::Done | ActOutcome::AlreadyDone | ActOutcome::Repeated => {
            let record = look_up::order(&state.store, staff, order).await?;
            let mut response = record.map(current).ok_or_else(|| Problem::new(Kind::NotFound))?.into_response();
            // What was done by a try whose answer was lost is to be sent, too.
            if acted.enqueued || acted.outcome == ActOutcome::Repeated {
                response.extensions_mut().insert(Enqueued(Some(order)));
            }
            Ok(response)
        }
        refused => {
            let problem = Problem::of_act(&refused);
            if problem.kind() != Kind::Stale {
                return Err(problem);
            }
            let record = look_up::order(&state.store, staff, order).await?;
            Err(match record {
                Some(record) => current(record).beside(problem),
                None => problem,
            })
        }
    }
}
