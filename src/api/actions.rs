//! What is done with an order: give it, search, take it back, cancel, close, open again, see to it; and who could be given it.
//!
//! Each but the last names the order as it was seen (`If-Match`); if it has changed since, nothing is done, and the answer is what it is
//! now.

use axum::Json as Answer;
use axum::extract::State as Extract;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::body::{Json, OrderNumber};
use super::caller::{Caller, Looks, Orders};
use super::new_order::words;
use super::orders::act;
use super::problem::{FieldError, Kind, Problem};
use super::seen::SeenOrder;
use crate::dispatch::act::StaffCommand;
use crate::dispatch::candidates as eligible;
use crate::model::candidates::CandidateLine;
use crate::model::selection::Exclusion;
use crate::model::staff_order::REASON;
use crate::model::{Amount, MasterId, OfferState, StaffId};

/// A master who could be given the order.
#[derive(Serialize, ToSchema)]
pub struct Candidate {
    /// The master's number.
    id: i64,
    /// The full name.
    name: String,
    /// How many active orders the master has, with live offers.
    load: i64,
    /// How many the master may have.
    limit: i64,
    /// Why the search would not ask this master; null: it would. `CATEGORY`, `DISTRICT`, `ASKED`, `BLOCKED`, `WAITING` for
    /// approval, `UNREACHABLE`, `OFF_SHIFT`, `LIMIT`, `HELD`, `FAILED` or `RANK`.
    #[schema(example = "OFF_SHIFT")]
    why_not: Option<&'static str>,
    /// The state of this order's last offer to the master.
    #[schema(example = "DECLINED")]
    offer: Option<&'static str>,
    /// Why staff have blocked the master.
    blocked_reason: Option<String>,
}

impl From<CandidateLine> for Candidate {
    fn from(line: CandidateLine) -> Self {
        Self {
            id: line.id.0,
            name: line.name,
            load: line.load,
            limit: line.limit,
            why_not: line.why_not.map(Exclusion::as_str),
            offer: line.offer.map(OfferState::as_str),
            blocked_reason: line.blocked_reason,
        }
    }
}

/// The masters who could be given an order.
#[derive(Serialize, ToSchema)]
pub struct Candidates {
    /// Those whom the search would ask, in its order; then the others.
    candidates: Vec<Candidate>,
}

/// Who could be given an order: those whom the search would ask, in its order, then the other masters of the city, each with the
/// reason why not.
#[utoipa::path(
    get, path = "/api/orders/{id}/candidates", tag = "orders", operation_id = "listCandidates", params(OrderNumber),
    responses((status = 200, description = "All of them", body = Candidates)),
)]
pub async fn candidates(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    OrderNumber(order): OrderNumber,
) -> Result<Answer<Candidates>, Problem> {
    let found = eligible::every(&state.store, order, caller.staff()).await?;
    let lines = found.ok_or_else(|| Problem::new(Kind::NotFound))?;
    Ok(Answer(Candidates { candidates: lines.into_iter().map(Candidate::from).collect() }))
}

/// To whom an order is given.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The master's number.
    master_id: i64,
    /// Also if the search would not ask that master.
    #[serde(default)]
    anyway: bool,
}

/// Gives an order to a master, and takes it from the one who has it. Both are told.
#[utoipa::path(
    post, path = "/api/orders/{id}/assign", tag = "orders", operation_id = "assignOrder", request_body = Assignment,
    params(OrderNumber, SeenOrder),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn assign(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
    SeenOrder(seen): SeenOrder,
    Json(said): Json<Assignment>,
) -> Result<Response, Problem> {
    let master = MasterId(said.master_id);
    if said.anyway {
        return act(&state, caller.staff(), order, seen, &StaffCommand::Assign(master)).await;
    }
    let found = eligible::candidate(&state.store, order, caller.staff(), master).await?;
    // Who has it already is no candidate, and is told so.
    let new = found.filter(|(order, _)| order.owner().is_none_or(|(owner, _)| owner != master));
    if let Some(reason) = new.and_then(|(_, line)| line.why_not) {
        let detail = format!("{}: with \"anyway\": true the order is given all the same", reason.as_str());
        return Err(Problem::new(Kind::NotEligible).with_detail(detail));
    }
    act(&state, caller.staff(), order, seen, &StaffCommand::AssignWithinLimit(master)).await
}

/// Asks masters now: begins the search, or its next round at once.
#[utoipa::path(
    post, path = "/api/orders/{id}/search", tag = "orders", operation_id = "searchForMaster",
    params(OrderNumber, SeenOrder),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn search(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
    SeenOrder(seen): SeenOrder,
) -> Result<Response, Problem> {
    act(&state, caller.staff(), order, seen, &StaffCommand::AssignNow).await
}

/// Why something is done.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// In words, which its master is told.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Reason {
    fn read(&self) -> Result<String, Problem> {
        words("reason", &self.reason, REASON).map_err(|error| Problem::invalid(vec![error]))
    }
}

/// Takes an order back from its master, and searches anew: masters who were asked before may be asked again.
#[utoipa::path(
    post, path = "/api/orders/{id}/return", tag = "orders", operation_id = "takeOrderBack", request_body = Reason,
    params(OrderNumber, SeenOrder),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn take_back(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
    SeenOrder(seen): SeenOrder,
    Json(said): Json<Reason>,
) -> Result<Response, Problem> {
    act(&state, caller.staff(), order, seen, &StaffCommand::SearchAgain(said.read()?)).await
}

/// Cancels an order. Whoever has it, and whoever is asked, is told.
#[utoipa::path(
    post, path = "/api/orders/{id}/cancel", tag = "orders", operation_id = "cancelOrder", request_body = Reason,
    params(OrderNumber, SeenOrder),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn cancel(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
    SeenOrder(seen): SeenOrder,
    Json(said): Json<Reason>,
) -> Result<Response, Problem> {
    act(&state, caller.staff(), order, seen, &StaffCommand::Cancel(said.read()?)).await
}

/// What a client paid.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Payment {
    /// In rubles, with two decimals at most.
    #[schema(example = "2500.00")]
    amount: String,
}

/// Closes an order that waits for its money, on its master's behalf.
#[utoipa::path(
    post, path = "/api/orders/{id}/close", tag = "orders", operation_id = "closeOrder", request_body = Payment,
    params(OrderNumber, SeenOrder),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn close(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
    SeenOrder(seen): SeenOrder,
    Json(said): Json<Payment>,
) -> Result<Response, Problem> {
    let Some(amount) = Amount::parse(&said.amount) else {
        let detail = format!("expected rubles from 0 to {}, such as 2500.00", Amount::MAX);
        return Err(Problem::invalid(vec![FieldError::new("amount", detail)]));
    };
    act(&state, caller.staff(), order, seen, &StaffCommand::Close(amount)).await
}

/// Opens an order again that was closed or canceled less than a day ago.
#[utoipa::path(
    post, path = "/api/orders/{id}/reopen", tag = "orders", operation_id = "reopenOrder",
    params(OrderNumber, SeenOrder),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn reopen(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
    SeenOrder(seen): SeenOrder,
) -> Result<Response, Problem> {
    act(&state, caller.staff(), order, seen, &StaffCommand::Reopen).await
}

/// From whom an order is taken over.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// Who was seen to see to it; null: nobody was.
    #[serde(default)]
    from_staff_id: Option<i64>,
}

/// Sees to an order: the others see who does.
#[utoipa::path(
    post, path = "/api/orders/{id}/claim", tag = "orders", operation_id = "claimOrder", request_body = Claim,
    params(OrderNumber),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn claim(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
    Json(said): Json<Claim>,
) -> Result<Response, Problem> {
    let from = said.from_staff_id.map(StaffId);
    act(&state, caller.staff(), order, None, &StaffCommand::Claim(from)).await
}

/// Leaves an order to the others again.
#[utoipa::path(
    delete, path = "/api/orders/{id}/claim", tag = "orders", operation_id = "unclaimOrder", params(OrderNumber),
    responses((status = 200, description = "It is so", body = super::order::Order)),
)]
pub async fn unclaim(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    OrderNumber(order): OrderNumber,
) -> Result<Response, Problem> {
    act(&state, caller.staff(), order, None, &StaffCommand::Unclaim).await
}
