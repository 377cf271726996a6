//! `/api/orders/import` and `/api/orders.csv`: sheets of orders, in and out.

use axum::Json as Answer;
use axum::extract::{Request, State as Extract};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use super::answer::{limited, linked, recorded};
use super::body::{Asked, bytes, media_type};
use super::caller::{Caller, Looks, Orders};
use super::new_order::obstacle;
use super::orders::{Filter, key, not_taken_in, page_of};
use super::problem::{Kind, Problem};
use super::sheet::{self, ROWS, RowError};
use crate::dispatch::intake::{self, Intake, IntakeOutcome};
use crate::dispatch::look_up;
use crate::model::OrderId;
use crate::model::new_order::{NewOrder, Obstacle};

/// How a sheet is taken in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Terms {
    /// `1`: only say what would be made.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    dry_run: Option<u8>,
    /// `1`: make what is valid although other rows are not; else it is all rows or none.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    partial: Option<u8>,
}

/// How many rows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RowLimit {
    /// So many at most.
    #[param(minimum = 1, maximum = 10_000, default = 10_000)]
    limit: Option<i64>,
}

/// What became of a sheet.
#[derive(Debug, Serialize, ToSchema)]
pub struct Report {
    /// How many rows there are.
    rows: usize,
    /// How many of them are valid.
    valid: usize,
    /// The orders that were made, in the order of the rows; none by a dry run.
    orders: Vec<i64>,
    /// What is wrong.
    errors: Vec<RowError>,
    /// The titles of columns that were not read.
    ignored: Vec<String>,
}

/// Takes a sheet of orders in: CSV in UTF-8 or Windows-1251, with commas, semicolons or tabs, at most 10,000 rows and 8 MiB. The first
/// line names the columns, in English as the API's fields (`category`, `city`, `district`, `address`, `client_phone`, `client_name`,
/// `description`, `slot_start`, `slot_end`, `soon`) or in Russian. Masters are asked by the next tick.
#[utoipa::path(
    post, path = "/api/orders/import", tag = "orders", operation_id = "importOrders",
    params(Terms, ("Idempotency-Key" = Option<String>, Header, description = "Up to 255 printable ASCII characters; needed unless it is a dry run")),
    request_body(content = String, content_type = "text/csv"),
    responses(
        (status = 200, description = "A dry run: nothing was made", body = Report),
        (status = 201, description = "The orders were made, now or by this key before", body = Report),
    ),
)]
pub async fn import(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    Asked(terms): Asked<Terms>,
    request: Request,
) -> Result<Response, Problem> {
    let flag = |name, given: Option<u8>| match given.unwrap_or(0) {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Problem::malformed(format!("{name}: expected 0 or 1"))),
    };
    let (dry_run, partial) = (flag("dry_run", terms.dry_run)?, flag("partial", terms.partial)?);
    let headers = request.headers().clone();
    if media_type(&headers).is_none_or(|given| given != "text/csv") {
        return Err(Problem::new(Kind::MediaType).with_detail("expected text/csv"));
    }
    let body = bytes(request, &state).await?;
    let key = if dry_run {
        None
    } else {
        // All or nothing is another request than what is valid of it.
        let said = [&[u8::from(partial)][..], &body].concat();
        Some(key(&headers, &caller, "IMPORT", &said)?)
    };
    if let Some(key) = &key
        && let Some(before) = intake::before(&state.store, key).await?
    {
        // Whatever cities there are by now: what was answered stands.
        return match before {
            IntakeOutcome::Repeated(answer) => Ok(recorded(answer, true)),
            refused => Err(not_taken_in(&refused)),
        };
    }
    let cities = look_up::cities(&state.store, caller.staff()).await?;
    let read = sheet::read(&body, &cities, &state.words);
    let mut sheet =
        read.map_err(|why| Problem::new(Kind::Malformed).with_detail(format!("not a sheet of orders: {why}")))?;
    let (lines, orders): (Vec<u64>, Vec<NewOrder>) = std::mem::take(&mut sheet.orders).into_iter().unzip();
    let row_errors = |refused: &[(usize, Obstacle)]| {
        let mut errors = sheet.errors.clone();
        errors.extend(refused.iter().map(|(index, why)| sheet::at(lines[*index], obstacle(*why))));
        errors.sort_by_key(|error| error.line);
        errors
    };
    let report = |made: &[Option<OrderId>], refused: &[(usize, Obstacle)]| {
        let invalid = (0..orders.len()).filter(|index| refused.iter().any(|(other, _)| other == index)).count();
        Report {
            rows: sheet.rows,
            valid: orders.len() - invalid,
            orders: made.iter().flatten().map(|order| order.0).collect(),
            errors: row_errors(refused),
            ignored: sheet.ignored.clone(),
        }
    };
    let Some(key) = key else {
        let refused = intake::obstacles(&state.store, caller.staff(), &orders).await?;
        let refused = refused.ok_or_else(|| Problem::new(Kind::Forbidden))?;
        return Ok(Answer(report(&[], &refused)).into_response());
    };
    if !sheet.errors.is_empty() && !partial {
        let refused = intake::obstacles(&state.store, caller.staff(), &orders).await?.unwrap_or_default();
        return Err(not_valid(&report(&[], &refused)));
    }
    let asked = Intake { staff: caller.staff(), key: &key, orders: &orders, partial, nameless: state.words.nameless };
    let answer = |made: &[Option<OrderId>], refused: &[(usize, Obstacle)]| {
        serde_json::to_string(&report(made, refused)).unwrap_or_default()
    };
    let outcome = intake::take_in(&state.store, asked, answer).await?;
    state.metrics.count("order_intake", outcome.name());
    match outcome {
        IntakeOutcome::Made(made) => Ok(recorded(made.answer, false)),
        IntakeOutcome::Repeated(answer) => Ok(recorded(answer, true)),
        IntakeOutcome::Refused(refused) => Err(not_valid(&report(&[], &refused))),
        refused => Err(not_taken_in(&refused)),
    }
}

/// That rows are not valid, and nothing was made.
fn not_valid(report: &Report) -> Problem {
    Problem::new(Kind::Invalid).with_report(serde_json::to_value(report).ok())
}

/// Orders as a sheet, newest first: what `GET /api/orders` finds, with all columns, at most 10,000 rows. Spreadsheets open it by a double
/// click, and `import` reads it.
#[utoipa::path(
    get, path = "/api/orders.csv", tag = "orders", operation_id = "exportOrders", params(Filter, RowLimit),
    responses(
        (status = 200, description = "UTF-8 with semicolons", body = String, content_type = "text/csv",
         headers(("Link" = String, description = "The rest, if there are more"))),
    ),
)]
pub async fn export(
    Extract(state): Extract<State>,
    caller: Caller<Looks>,
    Asked(asked): Asked<Filter>,
    Asked(RowLimit { limit }): Asked<RowLimit>,
) -> Result<Response, Problem> {
    let most = i64::try_from(ROWS).unwrap_or(i64::MAX);
    let limit = limited(limit.unwrap_or(most), most)?;
    let (records, next) = page_of(&state, caller.staff(), &asked, "orders.csv", limit).await?;
    let file = [
        (CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"orders.csv\"")),
    ];
    Ok(linked((file, sheet::write(&records, &state.words)), next))
}
