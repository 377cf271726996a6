//! `/api/orders/import` and `/api/orders.csv`: sheets of orders, in and out.

use std::collections::BTreeSet;

use axum::Json as Answer;
use axum::extract::{Request, State as Extract};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::State;
use super::answer::{limited, linked, recorded};
use super::body::{Asked, bytes, media_type};
use super::caller::{Caller, Looks, Orders};
use super::new_order::obstacle;
use super::orders::{Filter, key, page_of};
use super::problem::{Kind, Problem};
use super::sheet::{self, ROWS, RowError, Sheet};
use crate::dispatch::draft;
use crate::dispatch::intake::{self, Intake, IntakeOutcome, Key};
use crate::model::city::City;
use crate::model::new_order::{NewOrder, Obstacle, Search};
use crate::model::slot::next_workday;
use crate::model::{OrderId, StaffRef};

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
    /// `1`: search for masters when the next working day begins, and not at once.
    #[param(value_type = Option<i64>, minimum = 0, maximum = 1)]
    defer: Option<u8>,
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
    /// When work begins next, on the clocks of the city where that is first; missing: these are working hours, or it is no dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "2026-12-01T10:00:00")]
    work_begins: Option<DateTime>,
}

/// Takes a sheet of orders in: CSV in UTF-8 or Windows-1251, with commas, semicolons or tabs, at most 10,000 rows and 8 MiB. The first
/// line names the columns, in English as the API's fields (`category`, `city`, `district`, `address`, `client_phone`, `client_name`,
/// `description`, `slot_start`, `slot_end`, `soon`; or `date` and `time`, either of them or both, in words as a client says it) or in
/// Russian. Masters are asked by the next tick.
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
    let (dry_run, partial) = (flag("dry_run", terms.dry_run)?, flag("partial", terms.partial)?);
    let search = if flag("defer", terms.defer)? { Search::InTheMorning } else { Search::Now };
    let headers = request.headers().clone();
    if media_type(&headers).is_none_or(|given| given != "text/csv") {
        return Err(Problem::new(Kind::MediaType).with_detail("expected text/csv"));
    }
    let body = bytes(request, &state).await?;
    if dry_run {
        let sheet = Imported::read(&state, caller.staff(), &body).await?;
        let report = sheet.judged(&state, caller.staff()).await?;
        return Ok(Answer(report).into_response());
    }
    // All or nothing is another request than what is valid of it, and now than in the morning.
    let terms = u8::from(partial) | (u8::from(search == Search::InTheMorning) << 1);
    let said = [&[terms][..], &body].concat();
    let key = key(&headers, &caller, "IMPORT", &said)?;
    if let Some(before) = intake::before(&state.store, &key).await? {
        // Whatever cities there are by now: what was answered stands.
        return match before {
            IntakeOutcome::Repeated(answer) => Ok(recorded(answer, true)),
            refused => Err(Problem::of_intake(&refused)),
        };
    }
    let mut sheet = Imported::read(&state, caller.staff(), &body).await?;
    sheet.orders.iter_mut().for_each(|order| order.search = search);
    if sheet.has_errors() && !partial {
        return Err(not_valid(&sheet.judged(&state, caller.staff()).await?));
    }
    make(&state, caller.staff(), &key, &sheet, partial).await
}

fn flag(name: &str, given: Option<u8>) -> Result<bool, Problem> {
    match given.unwrap_or(0) {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Problem::malformed(format!("{name}: expected 0 or 1"))),
    }
}

/// Makes the orders of a sheet: all that can be made, or all of them and otherwise none.
async fn make(state: &State, staff: StaffRef, key: &Key, sheet: &Imported, partial: bool) -> Result<Response, Problem> {
    let asked = Intake { staff, key, orders: &sheet.orders, partial, nameless: state.words.nameless };
    let answer = |made: &[Option<OrderId>], refused: &[(usize, Obstacle)]| {
        serde_json::to_string(&sheet.report(made, refused)).unwrap_or_default()
    };
    let outcome = intake::take_in(&state.store, asked, answer).await?;
    state.metrics.count("order_intake", outcome.name());
    match outcome {
        IntakeOutcome::Made(made) => Ok(recorded(made.answer, false)),
        IntakeOutcome::Repeated(answer) => Ok(recorded(answer, true)),
        IntakeOutcome::Refused(refused) => Err(not_valid(&sheet.report(&[], &refused))),
        refused => Err(Problem::of_intake(&refused)),
    }
}

/// A sheet that is to be taken in.
struct Imported {
    sheet: Sheet,
    /// Each order's line.
    lines: Vec<u64>,
    orders: Vec<NewOrder>,
    /// When work begins next, unless that is now.
    work_begins: Option<DateTime>,
}

impl Imported {
    /// Reads a sheet with orders of the cities of that person.
    async fn read(state: &State, staff: StaffRef, body: &[u8]) -> Result<Self, Problem> {
        let cities = draft::cities(&state.store, staff).await?;
        if cities.is_empty() {
            return Err(Problem::new(Kind::Forbidden));
        }
        let mut sheet = sheet::read(body, &cities, &state.words)
            .map_err(|why| Problem::malformed(format!("not a sheet of orders: {why}")))?;
        let (lines, orders) = std::mem::take(&mut sheet.orders).into_iter().unzip();
        let begins = |city: &City| next_workday(city.now, city.workday).map(|at| (city.now.duration_until(at), at));
        // In none of the cities anybody is called out of working hours if it is deferred in one.
        let work_begins = cities.iter().filter_map(begins).min().map(|(_, at)| at);
        Ok(Self { sheet, lines, orders, work_begins })
    }

    /// Whether there are rows that cannot be read.
    fn has_errors(&self) -> bool {
        !self.sheet.errors.is_empty()
    }

    /// What would come of it: nothing is made.
    async fn judged(&self, state: &State, staff: StaffRef) -> Result<Report, Problem> {
        let refused = intake::obstacles(&state.store, staff, &self.orders).await?;
        let refused = refused.ok_or_else(|| Problem::new(Kind::Forbidden))?;
        Ok(Report { work_begins: self.work_begins, ..self.report(&[], &refused) })
    }

    /// What became of it: which orders were made, and what stood against which.
    fn report(&self, made: &[Option<OrderId>], refused: &[(usize, Obstacle)]) -> Report {
        let mut errors = self.sheet.errors.clone();
        errors.extend(refused.iter().map(|(index, why)| sheet::at(self.lines[*index], obstacle(*why))));
        errors.sort_by_key(|error| error.line);
        let invalid: BTreeSet<usize> = refused.iter().map(|(index, _)| *index).collect();
        Report {
            rows: self.sheet.rows,
            valid: self.orders.len() - invalid.len(),
            orders: made.iter().flatten().map(|order| order.0).collect(),
            errors,
            ignored: self.sheet.ignored.clone(),
            work_begins: None,
        }
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
