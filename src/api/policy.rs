//! `/api/policy`: how masters are searched for; an admin makes another policy, and sees before what it would have done.

use axum::Json as Answer;
use axum::extract::State as Extract;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::answer::Current;
use super::body::Json;
use super::caller::{Caller, Looks, Policies};
use super::problem::{FieldError, Kind, Problem};
use super::seen::{SeenPolicy, origin};
use crate::dispatch::policy::{self, SetPolicyOutcome};
use crate::model::StaffRef;
use crate::model::policy_draft::{
    self as draft, LEAST_WIDENING, PolicyDraft, PolicyFault, PolicyField, PolicyInForce, PolicyRecord, PolicyValues,
    read_clock,
};
use crate::model::policy_preview::{self as model, Compared};

/// How many of the newest policies are told.
const LATEST: i64 = 20;

/// How masters are searched for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// How many seconds an offer can be accepted: 10 to 3600.
    #[schema(value_type = i32, minimum = 10, maximum = 3600, example = 120)]
    offer_ttl_seconds: i64,
    /// How many seconds the preferred master is asked alone: 10 to 3600.
    #[schema(value_type = i32, minimum = 10, maximum = 3600, example = 60)]
    preferred_ttl_seconds: i64,
    /// How many masters are asked first, if the search widens: 1 to 50.
    #[schema(value_type = i32, minimum = 1, maximum = 50, example = 3)]
    first_masters: i64,
    /// How often the search widens while nobody accepts: every 5 to 3600 seconds; 0: never, it goes on in rounds.
    #[schema(value_type = i32, minimum = 0, maximum = 3600, example = 30)]
    widen_every_seconds: i64,
    /// How many masters are added each time: 1 to 20.
    #[schema(value_type = i32, minimum = 1, maximum = 20, example = 1)]
    widen_by: i64,
    /// How many offers of an order may live at once, if the search widens: no less than `first_masters`, to 50; in rounds,
    /// where neither counts, it is raised to that.
    #[schema(value_type = i32, minimum = 1, maximum = 50, example = 6)]
    max_live_offers: i64,
    /// How many masters a round asks: 1 to 50.
    #[schema(value_type = i32, minimum = 1, maximum = 50, example = 3)]
    masters_per_round: i64,
    /// After how many rounds staff are called: 1 to 20. Of a search that widens, after as many masters as those rounds ask.
    #[schema(value_type = i32, minimum = 1, maximum = 20, example = 3)]
    max_rounds: i64,
    /// After how many seconds of searching staff are called: 60 to 86400.
    #[schema(value_type = i32, minimum = 60, maximum = 86400, example = 600)]
    escalate_after_seconds: i64,
    /// How many orders a master may have of whom nothing else is said: 1 to 99.
    #[schema(value_type = i32, minimum = 1, maximum = 99, example = 5)]
    max_active_orders: i64,
    /// When the working day begins, on the clocks of each city.
    #[schema(example = "10:00")]
    workday_start: String,
    /// When it ends.
    #[schema(example = "20:00")]
    workday_end: String,
}

impl From<PolicyValues> for Rules {
    fn from(values: PolicyValues) -> Self {
        let clock = |field: PolicyField| draft::clock(values.get(field)).strftime("%H:%M").to_string();
        let number = |field: PolicyField| i64::from(values.get(field));
        Self {
            offer_ttl_seconds: number(PolicyField::OfferTtl),
            preferred_ttl_seconds: number(PolicyField::PreferredTtl),
            first_masters: number(PolicyField::FirstMasters),
            widen_every_seconds: number(PolicyField::WidenEvery),
            widen_by: number(PolicyField::WidenBy),
            max_live_offers: number(PolicyField::MaxLiveOffers),
            masters_per_round: number(PolicyField::MastersPerRound),
            max_rounds: number(PolicyField::MaxRounds),
            escalate_after_seconds: number(PolicyField::EscalateAfter),
            max_active_orders: number(PolicyField::MaxActiveOrders),
            workday_start: clock(PolicyField::WorkdayStart),
            workday_end: clock(PolicyField::WorkdayEnd),
        }
    }
}

impl Rules {
    /// What is said, if it can be a policy.
    fn read(&self) -> Result<PolicyDraft, Problem> {
        let mut errors = Vec::new();
        let mut clock = |field: PolicyField, text: &str| {
            // What cannot be read is said once, and stands against no other field.
            read_clock(text).unwrap_or_else(|| {
                errors.push(FieldError::new(field.name(), "expected HH:MM, such as 10:00"));
                let (least, most) = field.range().into_inner();
                if field == PolicyField::WorkdayEnd { most } else { least }
            })
        };
        let (start, end) =
            (clock(PolicyField::WorkdayStart, &self.workday_start), clock(PolicyField::WorkdayEnd, &self.workday_end));
        // What is too large for a column is outside of any bounds.
        let number = |number: i64| i32::try_from(number).unwrap_or(if number > 0 { i32::MAX } else { i32::MIN });
        let values = PolicyValues([
            number(self.offer_ttl_seconds),
            number(self.preferred_ttl_seconds),
            number(self.first_masters),
            number(self.widen_every_seconds),
            number(self.widen_by),
            number(self.max_live_offers),
            number(self.masters_per_round),
            number(self.max_rounds),
            number(self.escalate_after_seconds),
            number(self.max_active_orders),
            start,
            end,
        ]);
        match PolicyDraft::check(values) {
            Ok(draft) if errors.is_empty() => Ok(draft),
            checked => {
                errors.extend(checked.err().into_iter().flatten().map(said));
                Err(Problem::invalid(errors))
            }
        }
    }
}

/// What is wrong with a field, and what would not be.
fn said(fault: PolicyFault) -> FieldError {
    let field = fault.field();
    let detail = match fault {
        PolicyFault::OutOfRange(_) => format!("expected {} to {}", field.range().start(), field.range().end()),
        PolicyFault::WidensTooOften => format!("expected 0, or {LEAST_WIDENING} to {}", field.range().end()),
        PolicyFault::FewerAtOnceThanFirst => format!("expected no less than {}", PolicyField::FirstMasters.name()),
        PolicyFault::EndsBeforeItBegins => format!("expected a time after {}", PolicyField::WorkdayStart.name()),
    };
    FieldError::new(field.name(), detail)
}

/// A policy.
#[derive(Serialize, ToSchema)]
pub struct Policy {
    /// The number; the greatest is in force.
    id: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who of the staff made it; null: the system or an operator.
    created_by: Option<String>,
    /// What it says.
    rules: Rules,
}

impl From<PolicyRecord> for Policy {
    fn from(record: PolicyRecord) -> Self {
        Self { id: record.id, created_at: record.created_at, created_by: record.by, rules: record.values.into() }
    }
}

fn current(record: PolicyRecord) -> Current<Policy> {
    Current { tag: record.id.to_string(), said: record.into() }
}

async fn in_force(state: &State, staff: StaffRef) -> Result<PolicyInForce, Problem> {
    policy::in_force(&state.store, staff).await?.ok_or_else(|| Problem::new(Kind::Forbidden))
}

/// The policy in force.
#[utoipa::path(
    get, path = "/api/policy", tag = "policy", operation_id = "getPolicy",
    responses((status = 200, description = "As it is now", body = Policy, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn show(Extract(state): Extract<State>, caller: Caller<Looks>) -> Result<Response, Problem> {
    Ok(current(in_force(&state, caller.staff()).await?.record).into_response())
}

/// The newest policies.
#[derive(Serialize, ToSchema)]
pub struct PolicyPage {
    /// The policies, the one in force first; twenty at most.
    policies: Vec<Policy>,
}

/// The newest policies, the one in force first: what was changed, when and by whom.
#[utoipa::path(
    get, path = "/api/policy/history", tag = "policy", operation_id = "listPolicies",
    responses((status = 200, description = "The newest", body = PolicyPage)),
)]
pub async fn history(Extract(state): Extract<State>, caller: Caller<Looks>) -> Result<Answer<PolicyPage>, Problem> {
    let latest = policy::latest(&state.store, caller.staff(), LATEST).await?;
    Ok(Answer(PolicyPage { policies: latest.into_iter().map(Policy::from).collect() }))
}

/// Makes another policy. Orders that are searched for already go on by the one that they began with.
#[utoipa::path(
    put, path = "/api/policy", tag = "policy", operation_id = "setPolicy", request_body = Rules, params(SeenPolicy),
    responses((status = 200, description = "It is in force", body = Policy, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn set(
    Extract(state): Extract<State>,
    caller: Caller<Policies>,
    SeenPolicy(seen): SeenPolicy,
    Json(rules): Json<Rules>,
) -> Result<Response, Problem> {
    let draft = rules.read()?;
    let origin = origin(caller.staff(), seen.as_ref(), &draft);
    let outcome = policy::set(&state.store, caller.staff(), &draft, seen, Some(&origin)).await?;
    state.metrics.count("set_policy", outcome.name());
    match outcome {
        SetPolicyOutcome::Done(record) | SetPolicyOutcome::AlreadySo(record) | SetPolicyOutcome::Repeated(record) => {
            Ok(current(record).into_response())
        }
        SetPolicyOutcome::Stale(ref record) => Err(current(record.clone()).beside(Problem::of_set_policy(&outcome))),
        refused => Err(Problem::of_set_policy(&refused)),
    }
}

/// What yesterday would have been like.
#[derive(Serialize, ToSchema)]
pub struct Preview {
    /// `COMPARED`; `TOO_FEW`: masters accepted too few orders yesterday to say anything; `NOT_REPLAYED`: only the limit of orders or the working
    /// day is changed, by which no replay goes; `NOT_COMPUTED`: it could not be computed.
    #[schema(example = "COMPARED")]
    result: &'static str,
    /// How many orders there were yesterday, with `TOO_FEW` those that masters accepted; null: it is not known.
    orders: Option<usize>,
    /// In how many seconds masters would have taken `wait_percent` of a hundred of the orders that they would have taken: under the policy in
    /// force, and under this one; null: under one of them they would have taken none. To be read together with `accepted_percent`.
    wait_seconds: Option<[f64; 2]>,
    /// Of how many of a hundred of those: 90, and 50 where they would have taken fewer than nine of ten orders, in whole percent, under one of the
    /// policies.
    wait_percent: Option<u8>,
    /// How many of a hundred orders masters would have accepted: under the policy in force, and under this one.
    accepted_percent: Option<[f64; 2]>,
    /// How many messages an order took: under the policy in force, and under this one.
    messages: Option<[f64; 2]>,
    /// Of how many of a hundred answers under this policy it is not known what they would have been, as the master was not asked, or not
    /// waited for: they were drawn from other answers, his own or his city's.
    drawn_percent: Option<f64>,
}

impl From<model::Preview> for Preview {
    fn from(preview: model::Preview) -> Self {
        let without = |result, orders| Self {
            result,
            orders,
            wait_seconds: None,
            wait_percent: None,
            accepted_percent: None,
            messages: None,
            drawn_percent: None,
        };
        match preview {
            model::Preview::Compared(compared) => {
                let wait = compared.wait();
                let Compared { orders, accepted_percent, messages, drawn_percent, .. } = compared;
                Self {
                    wait_seconds: wait.map(|wait| wait.seconds),
                    wait_percent: wait.map(|wait| wait.percent),
                    accepted_percent: Some(accepted_percent),
                    messages: Some(messages),
                    drawn_percent: Some(drawn_percent),
                    ..without("COMPARED", Some(orders))
                }
            }
            model::Preview::TooFew { orders } => without("TOO_FEW", Some(orders)),
            model::Preview::NotReplayed => without("NOT_REPLAYED", None),
            model::Preview::NotComputed => without("NOT_COMPUTED", None),
        }
    }
}

/// What yesterday's orders would have been like under other rules. Nothing is changed; for admins.
///
/// It is not counted as a change. Few may ask at once, and each person for one draft at a time: where there are more, and where it takes
/// too long, the result is `NOT_COMPUTED`.
#[utoipa::path(
    post, path = "/api/policy/preview", tag = "policy", operation_id = "previewPolicy", request_body = Rules,
    responses((status = 200, description = "By a replay of yesterday", body = Preview)),
)]
pub async fn preview(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    Json(rules): Json<Rules>,
) -> Result<Answer<Preview>, Problem> {
    let now = in_force(&state, caller.staff()).await?;
    if !now.may_change {
        return Err(Problem::of_set_policy(&SetPolicyOutcome::NotAllowed));
    }
    let draft = rules.read()?;
    Ok(Answer(policy::preview(&state.store, &now, &draft).await?.into()))
}
