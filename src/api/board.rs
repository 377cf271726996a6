//! `/api/board`: the queue as a page shows it, what needs somebody first.

use axum::extract::{FromRequestParts, State as Extract};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use super::answer::{Current, PAGE, is_seen, limited};
use super::body::Asked;
use super::caller::{admitted, presented};
use super::new_order::category;
use super::order::Order;
use super::problem::Problem;
use crate::dispatch::authorize::AuthorizeOutcome;
use crate::dispatch::board;
use crate::model::access::Access;
use crate::model::order_record::OrderRecord;
use crate::model::queue::{Narrowed, QueueLine, QueueState, Trouble};
use crate::model::{CityId, MasterId, StaffRef};

/// What the board is narrowed to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BoardFilter {
    /// `URGENT`, `SEARCHING`, `DEFERRED`, `ASSIGNED`, `EN_ROUTE`, `WORKING`, `PAYMENT`, `CLOSED` or `CANCELED`; all that are not over,
    /// unless given.
    state: Option<String>,
    /// Orders of the city of that number.
    city: Option<i64>,
    /// Orders of that trade.
    category: Option<String>,
    /// Orders of the master of that number.
    master: Option<i64>,
    /// Orders of that day, by the client's time.
    #[param(value_type = Option<String>, format = Date)]
    day: Option<Date>,
    /// Which page, from 1; the last one if there are fewer.
    #[param(minimum = 1, default = 1)]
    page: Option<i64>,
    /// How many orders it has.
    #[param(minimum = 1, maximum = 100, default = 100)]
    limit: Option<i64>,
}

/// A page of the queue.
#[derive(Serialize, ToSchema)]
pub struct Board {
    /// How many orders there are in each state.
    counts: Vec<StateCount>,
    /// How many orders there are on all pages.
    total: i64,
    /// Which page this is.
    page: i64,
    /// The orders: what needs somebody first, then by age.
    orders: Vec<BoardLine>,
}

/// How many orders are in a state.
#[derive(Serialize, ToSchema)]
pub struct StateCount {
    /// The state; `URGENT` counts those that need somebody once more.
    #[schema(example = "URGENT")]
    state: &'static str,
    /// How many.
    orders: i64,
}

/// An order of the board.
#[derive(Serialize, ToSchema)]
pub struct BoardLine {
    /// The order.
    #[serde(flatten)]
    order: Order,
    /// Why it needs somebody.
    troubles: Vec<BoardTrouble>,
    /// How many masters are asked at this moment.
    offered: i64,
    /// How many of them have opened it.
    seen: i64,
}

/// Why an order needs somebody.
#[derive(Serialize, ToSchema)]
pub struct BoardTrouble {
    /// `ESCALATED`: staff are called; `LATE`: past its time; `WAITING`: without a master for too long; `UNREACHABLE`: the bot cannot
    /// write to its master; `UNSEEN`: nobody has opened it.
    #[schema(example = "WAITING")]
    kind: &'static str,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
}

impl From<Trouble> for BoardTrouble {
    fn from(trouble: Trouble) -> Self {
        let (kind, since) = match trouble {
            Trouble::Escalated { since, .. } => ("ESCALATED", Some(since.at)),
            Trouble::Late => ("LATE", None),
            Trouble::Waiting { since } => ("WAITING", Some(since.at)),
            Trouble::Unreachable => ("UNREACHABLE", None),
            Trouble::Unseen => ("UNSEEN", None),
        };
        Self { kind, since }
    }
}

impl From<(QueueLine, OrderRecord)> for BoardLine {
    fn from((line, record): (QueueLine, OrderRecord)) -> Self {
        let troubles = line.troubles.into_iter().map(BoardTrouble::from).collect();
        Self { order: record.into(), troubles, offered: line.offered, seen: line.seen }
    }
}

/// The queue, what needs somebody first. With `If-None-Match` it is sent only if anything has changed, and every half a minute.
#[utoipa::path(
    get, path = "/api/board", tag = "board", operation_id = "getBoard",
    params(BoardFilter, ("If-None-Match" = Option<String>, Header, description = "The `ETag` that was seen")),
    responses(
        (status = 200, description = "As it is now", body = Board, headers(("ETag" = String, description = "For `If-None-Match`"))),
        (status = 304, description = "As it was seen"),
    ),
)]
pub async fn board(
    Extract(state): Extract<State>,
    watcher: Watcher,
    Asked(asked): Asked<BoardFilter>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let narrowed = narrowed(&asked)?;
    let page = asked.page.unwrap_or(1);
    if page < 1 {
        return Err(Problem::malformed("page: expected 1 or more"));
    }
    let size = limited(asked.limit.unwrap_or(PAGE), PAGE)?;
    // Of another page, or narrowed otherwise, it is another one.
    let digest = digest(&SHA256, format!("{} {narrowed:?} {page} {size}", watcher.stamp).as_bytes());
    let tag = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12]);
    if is_seen(&headers, &tag) {
        return Ok(Current { said: (), tag }.unchanged());
    }
    let found = board::read(&state.store, StaffRef::Id(watcher.access.staff), &narrowed, (page, size)).await?;
    // The right was taken away in this very moment.
    let Some(found) = found else { return Err(Problem::of_authorize(&AuthorizeOutcome::Unknown)) };
    Ok(Current { said: Board::from(found), tag }.into_response())
}

/// Whoever may look at the queue, and as what of it that token sees it now.
pub struct Watcher {
    access: Access,
    stamp: String,
}

impl FromRequestParts<State> for Watcher {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let (outcome, stamp) = board::watch(&state.store, presented(&parts.headers)).await?;
        Ok(Self { access: admitted(state, outcome)?, stamp })
    }
}

impl From<board::Board> for Board {
    fn from(found: board::Board) -> Self {
        let count = |(state, orders): (QueueState, i64)| StateCount { state: state.as_str(), orders };
        Self {
            counts: found.queue.counts.into_iter().map(count).collect(),
            total: found.queue.total,
            page: found.queue.page,
            orders: found.lines.into_iter().map(BoardLine::from).collect(),
        }
    }
}

fn narrowed(asked: &BoardFilter) -> Result<Narrowed, Problem> {
    let state = asked.state.as_deref().map(|word| {
        let all = QueueState::ALL.map(QueueState::as_str).join(", ");
        QueueState::parse(word).ok_or_else(|| Problem::malformed(format!("state: expected one of {all}")))
    });
    if asked.day.is_some_and(|day| !(2000..3000).contains(&day.year())) {
        return Err(Problem::malformed("day: expected a day of this century"));
    }
    let trade = asked.category.as_deref().map(|word| category(word).map_err(|error| Problem::malformed(error.detail)));
    Ok(Narrowed {
        state: state.transpose()?,
        city: asked.city.map(CityId),
        category: trade.transpose()?,
        master: asked.master.map(MasterId),
        day: asked.day,
    })
}
