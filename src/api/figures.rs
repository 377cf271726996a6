//! `/api/figures`: how orders came and found their masters in a period, and what each master did.

use axum::Json as Answer;
use axum::extract::State as Extract;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use super::body::Asked;
use super::caller::{Caller, Looks};
use super::problem::{Kind, Problem};
use crate::dispatch::figures::{self, Period, Scope};
use crate::model::CityId;
use crate::model::figures as model;

/// The most masters that are told of.
const MASTERS: i64 = 100;

/// Which period, and where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// How many days, with today: 1, 7 or 30.
    #[param(minimum = 1, maximum = 30, default = 1)]
    days: Option<i64>,
    /// In the city of that number; in all of the token's, unless given.
    city: Option<i64>,
}

/// The figures of a period.
#[derive(Serialize, ToSchema)]
pub struct Figures {
    /// The period's first day and last, on the city's calendar.
    #[schema(example = json!(["2026-11-23", "2026-11-29"]), value_type = Vec<String>)]
    days: [String; 2],
    /// What became of the orders that were made in it.
    orders: Orders,
    /// How they found their first masters.
    found: Found,
    /// What was closed in it.
    closed: Closed,
    /// How many orders came in each hour of the day, on the clocks of their cities, from midnight on.
    hours: Vec<i64>,
    /// How long they took to find their first masters.
    waits: Vec<Wait>,
    /// Taps that came after another master's.
    lost_taps: LostTaps,
    /// How long anybody waited at most while others were asked, for each city and whole week that the period touches.
    bounds: Vec<Bound>,
    /// What each master did who was asked or on shift, who took most first; a hundred at most.
    masters: Vec<MasterFigures>,
}

/// Orders that were made in a period.
#[derive(Serialize, ToSchema)]
pub struct Orders {
    /// How many there were.
    total: i64,
    /// In which status they are now.
    by_status: Vec<StatusCount>,
    /// For how many staff were called.
    escalated: i64,
}

/// How many orders are in a status.
#[derive(Serialize, ToSchema)]
pub struct StatusCount {
    /// The status.
    #[schema(example = "CLOSED")]
    status: &'static str,
    /// How many.
    orders: i64,
}

/// How orders found their masters.
#[derive(Serialize, ToSchema)]
pub struct Found {
    /// In the first round, in the second, and later.
    rounds: [i64; 3],
    /// Given by staff.
    by_hand: i64,
    /// From creation to a master, in seconds: half of them were quicker; null: there were none.
    median_seconds: Option<i64>,
    /// Nine of ten were quicker.
    p90_seconds: Option<i64>,
}

/// What was closed.
#[derive(Serialize, ToSchema)]
pub struct Closed {
    /// How many orders.
    orders: i64,
    /// What clients paid, in whole rubles.
    rubles: i64,
}

/// How many orders took so long to find their first masters.
#[derive(Serialize, ToSchema)]
pub struct Wait {
    /// Less than so many seconds, and no less than the one before; null: no less than that.
    below_seconds: Option<i64>,
    /// How many.
    orders: i64,
}

/// Taps that came after another master's.
#[derive(Serialize, ToSchema)]
pub struct LostTaps {
    /// How many.
    taps: i64,
    /// By how much they were late, in milliseconds: half of them by no more.
    median_ms: Option<i64>,
    /// The closest.
    closest_ms: Option<i64>,
}

/// The longest that a master of a city waited in a week who could have been asked when others were.
#[derive(Serialize, ToSchema)]
pub struct Bound {
    /// The city's name.
    city: String,
    /// The Monday of the week, on the city's calendar.
    #[schema(example = "2026-11-23")]
    week: String,
    /// For how many seconds: since the last offer or order, or since coming on shift, whichever was later, and also over the time in
    /// which the master could not have been asked.
    seconds: i64,
    /// The master's name; null: is not there any more.
    master: Option<String>,
}

/// What a master did.
#[derive(Serialize, ToSchema)]
pub struct MasterFigures {
    /// The name.
    name: String,
    /// How often the master was asked.
    asked: i64,
    /// How many orders the master took.
    took: i64,
    /// How many were declined.
    declined: i64,
    /// How many were let pass.
    let_pass: i64,
    /// How long an answer took, in seconds: half of them less.
    median_answer_seconds: Option<i64>,
    /// For how many seconds the master was on shift.
    on_shift_seconds: i64,
    /// The longest wait, in seconds, with which the master was the first of those whom a wave of the period could have asked and did
    /// not; null: never, though the master may have been the second of them. Counted as the seconds of `bounds`.
    passed_over_seconds: Option<i64>,
    /// What the master closed.
    closed: Closed,
}

impl From<model::Closed> for Closed {
    fn from(closed: model::Closed) -> Self {
        Self { orders: closed.orders, rubles: closed.rubles }
    }
}

impl From<model::Bound> for Bound {
    fn from(bound: model::Bound) -> Self {
        Self { city: bound.city, week: bound.week.to_string(), seconds: bound.seconds, master: bound.name }
    }
}

impl From<model::MasterLine> for MasterFigures {
    fn from(line: model::MasterLine) -> Self {
        Self {
            name: line.name,
            asked: line.asked,
            took: line.took,
            declined: line.declined,
            let_pass: line.let_pass,
            median_answer_seconds: line.answer_seconds,
            on_shift_seconds: line.on_shift_seconds,
            passed_over_seconds: line.passed_over_seconds,
            closed: line.closed.into(),
        }
    }
}

/// How orders came and found their masters in a period, and what each master did.
#[utoipa::path(
    get, path = "/api/figures", tag = "figures", operation_id = "getFigures", params(Which),
    responses((status = 200, description = "The figures", body = Figures)),
)]
pub async fn figures(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    Asked(asked): Asked<Which>,
) -> Result<Answer<Figures>, Problem> {
    let Some(period) = Period::of_days(asked.days.unwrap_or(1)) else {
        return Err(Problem::malformed("days: expected 1, 7 or 30"));
    };
    let scope = Scope { period, city: asked.city.map(CityId) };
    // One after the other: taps need connections too.
    let read = figures::figures(&state.store, caller.staff(), scope).await?;
    let masters = figures::masters(&state.store, caller.staff(), scope, (1, MASTERS)).await?;
    let charts = figures::charts(&state.store, caller.staff(), scope).await?;
    let (Some(read), Some(masters)) = (read, masters) else { return Err(Problem::new(Kind::Forbidden)) };
    let (first, last) = read.place.days;
    let count =
        |(status, orders): &(crate::model::OrderStatus, i64)| StatusCount { status: status.as_str(), orders: *orders };
    Ok(Answer(Figures {
        days: [first.to_string(), last.to_string()],
        orders: Orders {
            total: read.came.total(),
            by_status: read.came.by_status.iter().map(count).collect(),
            escalated: read.came.escalated,
        },
        found: Found {
            rounds: read.found.rounds,
            by_hand: read.found.by_hand,
            median_seconds: read.found.seconds.map(|(median, _)| median),
            p90_seconds: read.found.seconds.map(|(_, p90)| p90),
        },
        closed: read.closed.into(),
        hours: charts.hours,
        waits: waits(&charts.waits),
        lost_taps: LostTaps {
            taps: read.lost.taps,
            median_ms: read.lost.behind.map(|(median, _)| median),
            closest_ms: read.lost.behind.map(|(_, closest)| closest),
        },
        bounds: read.bounds.into_iter().map(Bound::from).collect(),
        masters: masters.lines.into_iter().map(MasterFigures::from).collect(),
    }))
}

fn waits(orders: &[i64]) -> Vec<Wait> {
    let bounds = model::WAITS.into_iter().map(Some).chain([None]);
    bounds.zip(orders).map(|(below_seconds, orders)| Wait { below_seconds, orders: *orders }).collect()
}
