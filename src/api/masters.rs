//! `/api/masters`: look for masters, show one, change what staff may change of one.

use axum::Json as Answer;
use axum::extract::State as Extract;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{self, Current, PAGE, ROWS, limited, linked, next_page};
use super::body::{Asked, Json, Number, given, some};
use super::caller::{Caller, Looks, Masters};
use super::new_order::{category, words};
use super::order::Named;
use super::problem::{FieldError, Kind, Problem};
use super::seen::{SeenMaster, origin};
use super::{Enqueued, State};
use crate::dispatch::look_up;
use crate::dispatch::manage::{self, ManageOutcome, Seen};
use crate::model::managed::{HIGHEST_LIMIT, Manage, MasterState};
use crate::model::master_record::{MasterRecord, MasterRecords};
use crate::model::staff_order::REASON;
use crate::model::{Category, CityId, MasterId, StaffRef};

/// A master.
#[derive(Serialize, ToSchema)]
pub struct Master {
    /// The number.
    id: i64,
    /// The full name.
    full_name: String,
    /// The own phone.
    phone: Option<String>,
    /// The Telegram user.
    telegram_user_id: i64,
    /// The city.
    city: Named,
    /// Whether orders reach the master: `ON_SHIFT`; or why not: `WAITING` for approval, `BLOCKED`, `UNREACHABLE`, `OFF_SHIFT`.
    #[schema(example = "ON_SHIFT")]
    state: &'static str,
    /// Whether the master wants orders.
    on_shift: bool,
    /// Why staff have blocked the master; null: they have not.
    blocked_reason: Option<String>,
    /// The trades.
    #[schema(example = json!(["PLUMBING"]))]
    categories: Vec<&'static str>,
    /// The districts.
    districts: Vec<Named>,
    /// How many orders the master has.
    active_orders: i64,
    /// How many offers are out.
    live_offers: i64,
    /// How many orders the master may have; null: as many as the policy says.
    own_limit: Option<i32>,
    /// How many that is.
    limit: i32,
    /// When the master was asked last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_asked_at: Option<Timestamp>,
    /// What `If-Match` names.
    version: i64,
}

impl From<MasterRecord> for Master {
    fn from(master: MasterRecord) -> Self {
        let reason = master.blocked_reason;
        Self {
            id: master.id.0,
            full_name: master.full_name,
            phone: master.phone,
            telegram_user_id: master.user.0,
            city: Named { id: master.city.0.0, name: master.city.1 },
            state: master.state.as_str(),
            on_shift: master.on_shift,
            blocked_reason: master.is_blocked.then(|| reason.unwrap_or_default()),
            categories: master.categories.into_iter().map(Category::as_str).collect(),
            districts: master.districts.into_iter().map(|(id, name)| Named { id, name }).collect(),
            active_orders: master.active_orders,
            live_offers: master.live_offers,
            own_limit: master.own_limit,
            limit: master.limit,
            last_asked_at: master.last_asked_at,
            version: master.seen,
        }
    }
}

/// Which masters.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MasterFilter {
    /// In the city of that number.
    city: Option<i64>,
    /// `ON_SHIFT`, `OFF_SHIFT`, `UNREACHABLE`, `BLOCKED` or `WAITING`.
    state: Option<String>,
    /// With this trade.
    category: Option<String>,
    /// After the master of that number: the next page's.
    after: Option<i64>,
    /// So many at most.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<i64>,
}

/// A page of masters, by number.
#[derive(Serialize, ToSchema)]
pub struct MasterPage {
    /// The masters.
    masters: Vec<Master>,
}

/// Masters, by number. The next page is what `Link: <…>; rel="next"` says.
#[utoipa::path(
    get, path = "/api/masters", tag = "masters", operation_id = "listMasters", params(MasterFilter),
    responses((status = 200, description = "A page of them", body = MasterPage, headers(("Link" = String, description = "The next page, if there is one")))),
)]
pub async fn list(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    Asked(asked): Asked<MasterFilter>,
) -> Result<Response, Problem> {
    let limit = limited(asked.limit.unwrap_or(ROWS), PAGE)?;
    let known_state = asked.state.as_deref().map(|word| {
        let all = MasterState::ALL.map(MasterState::as_str).join(", ");
        MasterState::parse(word).ok_or_else(|| Problem::malformed(format!("state: expected one of {all}")))
    });
    let trade = asked.category.as_deref().map(|word| category(word).map_err(|error| Problem::malformed(error.detail)));
    let which = MasterRecords {
        one: None,
        city: asked.city.map(CityId),
        state: known_state.transpose()?,
        category: trade.transpose()?,
        after: asked.after.map(MasterId),
    };
    let found = look_up::masters(&state.store, caller.staff(), &which, limit + 1).await?;
    let (masters, next) = answer::page(found, limit, |last| {
        let words = [("state", asked.state.clone()), ("category", asked.category.clone())];
        next_page("masters", words, [("city", asked.city), ("after", Some(last.id.0)), ("limit", Some(limit))])
    });
    Ok(linked(Answer(MasterPage { masters: masters.into_iter().map(Master::from).collect() }), next))
}

/// A master.
#[utoipa::path(
    get, path = "/api/masters/{id}", tag = "masters", operation_id = "getMaster", params(("id" = i64, Path, description = "The number")),
    responses((status = 200, description = "As it is now", body = Master, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn show(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    Number(master): Number,
) -> Result<Response, Problem> {
    let record = one(&state, caller.staff(), MasterId(master)).await?;
    Ok(current(record).into_response())
}

async fn one(state: &State, staff: StaffRef, master: MasterId) -> Result<MasterRecord, Problem> {
    let which = MasterRecords { one: Some(master), ..MasterRecords::default() };
    let found = look_up::masters(&state.store, staff, &which, 1).await?;
    found.into_iter().next().ok_or_else(|| Problem::new(Kind::NotFound))
}

fn current(record: MasterRecord) -> Current<Master> {
    Current { tag: record.seen.to_string(), said: record.into() }
}

/// How often a master is looked at whom somebody else changes at the same moment, if it does not matter what was seen.
const LOOKS: u32 = 5;
/// The most trades or districts that can be said.
const CHOICES: usize = 200;

/// What is to be changed of a master; what is missing stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::option_option, reason = "null is not the same as nothing")]
pub struct MasterChanges {
    /// Whether the master is on shift.
    #[serde(default, deserialize_with = "some")]
    on_shift: Option<bool>,
    /// Blocks the master for this reason, which the master reads; null: unblocks, or approves who waits for it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 500)]
    blocked_reason: Option<Option<String>>,
    /// How many orders the master may have, from 1 to 99; null: as many as the policy says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 99)]
    own_limit: Option<Option<i32>>,
    /// The trades, instead of those there are.
    #[serde(default, deserialize_with = "some")]
    categories: Option<Vec<String>>,
    /// The districts, instead of those there are.
    #[serde(default, deserialize_with = "some")]
    district_ids: Option<Vec<i64>>,
}

/// Changes a master: all that is given, or nothing. The master is told what concerns the master.
#[utoipa::path(
    patch, path = "/api/masters/{id}", tag = "masters", operation_id = "changeMaster", request_body = MasterChanges,
    params(("id" = i64, Path, description = "The number"), SeenMaster),
    responses((status = 200, description = "It is so", body = Master, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn edit(
    Extract(state): Extract<State>,
    caller: Caller<Masters>,
    Number(master): Number,
    SeenMaster(seen): SeenMaster,
    Json(said): Json<MasterChanges>,
) -> Result<Response, Problem> {
    let master = MasterId(master);
    let origin = origin(caller.staff(), seen.as_ref(), &(master, &said));
    let mut looks = LOOKS;
    let outcome = loop {
        let before = one(&state, caller.staff(), master).await?;
        let changes = changes(&said, &before)?;
        // What is to be there in the end is compared with what was there when the changes were made of it.
        let seen_all = Seen::All(seen.unwrap_or(before.seen));
        let outcome =
            manage::change_all(&state.store, caller.staff(), master, &changes, seen_all, Some(&origin)).await?;
        looks -= 1;
        if seen.is_some() || outcome != ManageOutcome::Changed || looks == 0 {
            break outcome;
        }
    };
    state.metrics.count("master_change", outcome.name());
    match outcome {
        ManageOutcome::Done | ManageOutcome::AlreadySo(_) => {
            let mut response = current(one(&state, caller.staff(), master).await?).into_response();
            response.extensions_mut().insert(Enqueued(None));
            Ok(response)
        }
        refused => {
            let problem = Problem::of_manage(&refused);
            if problem.kind() != Kind::Stale {
                return Err(problem);
            }
            Err(current(one(&state, caller.staff(), master).await?).beside(problem))
        }
    }
}

/// The single changes.
fn changes(said: &MasterChanges, before: &MasterRecord) -> Result<Vec<Manage>, Problem> {
    let (mut changes, mut errors) = (Vec::new(), Vec::new());
    match &said.blocked_reason {
        None => {}
        Some(None) if before.state == MasterState::Waiting => changes.push(Manage::Approve),
        Some(None) => changes.push(Manage::Unblock),
        Some(Some(text)) => match words("blocked_reason", text, REASON) {
            Ok(reason) => changes.push(Manage::Block(reason)),
            Err(error) => errors.push(error),
        },
    }
    changes.extend(said.on_shift.map(Manage::Shift));
    match said.own_limit {
        Some(Some(limit)) if !(1..=HIGHEST_LIMIT).contains(&limit) => {
            errors.push(FieldError::new("own_limit", format!("expected 1 to {HIGHEST_LIMIT}, or null")));
        }
        limit => changes.extend(limit.map(Manage::Limit)),
    }
    if let Some(wanted) = &said.categories {
        let mut trades = Vec::new();
        for (index, word) in wanted.iter().enumerate() {
            match category(word) {
                Ok(trade) => trades.push(trade),
                Err(error) => errors.push(FieldError::new(&format!("categories/{index}"), error.detail)),
            }
        }
        let differs = |trade: &Category| trades.contains(trade) != before.categories.contains(trade);
        let trades =
            Category::ALL.into_iter().filter(differs).map(|trade| Manage::Trade(trade, trades.contains(&trade)));
        changes.extend(trades);
    }
    for (field, count) in [
        ("categories", said.categories.as_ref().map(Vec::len)),
        ("district_ids", said.district_ids.as_ref().map(Vec::len)),
    ] {
        if count.is_some_and(|count| count > CHOICES) {
            errors.push(FieldError::new(field, format!("expected at most {CHOICES}")));
        }
    }
    if let Some(wanted) = said.district_ids.as_ref().filter(|wanted| wanted.len() <= CHOICES) {
        let wanted: std::collections::BTreeSet<i64> = wanted.iter().copied().collect();
        let known = |id: &i64| before.districts.iter().any(|(known, _)| known == id);
        changes.extend(wanted.iter().filter(|id| !known(id)).map(|id| Manage::District(*id, true)));
        let gone = before.districts.iter().filter(|(id, _)| !wanted.contains(id));
        changes.extend(gone.map(|(id, _)| Manage::District(*id, false)));
    }
    let nothing = said.on_shift.is_none()
        && said.blocked_reason.is_none()
        && said.own_limit.is_none()
        && said.categories.is_none()
        && said.district_ids.is_none();
    if nothing {
        errors.push(FieldError { pointer: String::new(), detail: "expected at least one change".to_owned() });
    }
    if errors.is_empty() { Ok(changes) } else { Err(Problem::invalid(errors)) }
}
