//! The third door: orders, masters and figures over HTTP, for programs and for the dispatchers' page.
//!
//! It does what the bots do, by the same verbs of [`dispatch`](crate::dispatch), and says it in JSON: times in RFC 3339, phones
//! in E.164, and what is not done as problems of RFC 9457. A handler reads a request, calls a verb, and writes the answer.

mod actions;
mod answer;
mod board;
mod body;
mod caller;
mod card;
mod document;
mod draft;
mod figures;
#[cfg(fuzzing)]
pub mod fuzzing;
mod masters;
mod new_order;
mod order;
mod orders;
mod page;
mod places;
mod policy;
mod problem;
mod seen;
mod session;
mod sheet;
mod sheets;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State as Extract};
use axum::http::Response;
use axum::middleware::{Next, from_fn_with_state};
use axum::routing::{get, post};
use futures_util::FutureExt;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::civil::DateTime;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};

use crate::config::Token;
use crate::dispatch::authorize::AuthorizeOutcome;
use crate::dispatch::look_up;
use crate::metrics::{Fact, Metrics};
use crate::model::access;
use crate::model::city::City;
use crate::model::paste::Pasted;
use crate::model::queue::Sought;
use crate::model::sheet::Column;
use crate::model::slot::{Hours, NoTime, When};
use crate::model::{Category, OrderId, OrderStatus};
use crate::store::{self, Store};
pub use document::document;
pub use problem::Kind;
use problem::Problem;

/// What may be read of a request before it has its permit.
#[derive(Clone, Copy)]
struct Reads {
    /// So many bytes.
    at_most: usize,
    /// Whether nothing is read of whoever presents nothing like a token.
    of_tokens_only: bool,
}

/// Most bodies: words and numbers.
const BODY: Reads = Reads { at_most: 1024 * 1024, of_tokens_only: true };
/// A sheet.
const SHEET: Reads = Reads { at_most: 8 * 1024 * 1024, of_tokens_only: true };
/// The proof of who opens a page.
const OPENING: Reads = Reads { at_most: 16 * 1024, of_tokens_only: false };

/// A body that takes longer to arrive is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// What a request may take once it is read, waiting for its permit included; with what is sent because of it that stays inside a server's drain and
/// the function's own timeout.
const DEADLINE: Duration = Duration::from_secs(19);
/// For how long a request waits for its permit.
const QUEUE: Duration = Duration::from_secs(5);

/// What the API works with. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub store: Store,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// What is Russian in requests.
    words: Words,
    /// The dispatchers' bot, for which Telegram signs who opened a page.
    admin_bot: Token,
    /// So many requests are answered at once: taps need connections too.
    permits: Arc<Semaphore>,
}

/// What is Russian in requests, from the one place where words stand.
#[derive(Clone, Copy)]
pub struct Words {
    /// What a client is called who gave no name.
    pub nameless: &'static str,
    /// What words ask for.
    pub sought: fn(&str) -> Sought,
    /// What an order in free words says, in one of those cities.
    pub read_order: fn(&str, &[City]) -> Pasted,
    /// When words that say nothing else say that somebody is to come, by the clocks and the working hours of a city.
    pub read_when: fn(&str, DateTime, Hours) -> Result<When, NoTime>,
    /// What a sheet's column may be called, in lower case; it is written by the first.
    pub column_names: fn(Column) -> &'static [&'static str],
    /// The columns that a sheet is written with before those: number, status, master, sum, when it was made.
    pub exported: &'static [&'static str; 5],
    /// What a trade is called.
    pub trade: fn(Category) -> &'static str,
    /// What a status is called.
    pub status: fn(OrderStatus) -> &'static str,
    /// What is written for yes.
    pub yes: &'static str,
    /// Whether a cell, in lower case, says yes.
    pub is_yes: fn(&str) -> bool,
    /// Whether it says no.
    pub is_no: fn(&str) -> bool,
}

/// Marks an answer: messages were enqueued; about this order, if it is one, they are to be sent in the same request.
#[derive(Clone, Copy, Debug)]
pub struct Enqueued(pub Option<OrderId>);

impl State {
    /// Over that database.
    #[must_use]
    pub fn new(store: Store, metrics: Arc<Metrics>, words: Words, admin_bot: Token) -> Self {
        let permits = Arc::new(Semaphore::new((store.connections() / 2).max(1)));
        Self { store, metrics, words, admin_bot, permits }
    }

    /// What the database holds, for whoever watches the system.
    ///
    /// # Errors
    /// When the database failed.
    pub async fn facts(&self) -> Result<Vec<Fact>, store::Error> {
        look_up::facts(&self.store).await
    }
}

/// The routes, each below `/api`, by what may be read for them. What is no route, or has not that method, is answered without reading.
pub fn routes(state: State) -> Router {
    let reading =
        |reads: Reads, routes: Router<State>| routes.route_layer(from_fn_with_state((state.clone(), reads), in_permit));
    let opening = Router::new().route("/session", post(session::open));
    let sheets = Router::new().route("/orders/import", post(sheets::import));
    let others = Router::new()
        .route("/openapi.json", get(document::openapi))
        .route("/session", get(session::show).delete(session::end))
        .route("/cities", get(places::cities))
        .route("/board", get(board::board))
        .route("/figures", get(figures::figures))
        .route("/policy", get(policy::show).put(policy::set))
        .route("/policy/history", get(policy::history))
        .route("/policy/preview", post(policy::preview))
        .route("/draft", get(draft::show).post(draft::begin).patch(draft::change).delete(draft::drop))
        .route("/draft/order", post(draft::create))
        .route("/masters", get(masters::list))
        .route("/masters/{id}", get(masters::show).patch(masters::edit))
        .route("/orders.csv", get(sheets::export))
        .route("/orders", get(orders::list).post(orders::create))
        .route("/orders/{id}", get(orders::show).patch(orders::edit))
        .route("/orders/{id}/card", get(card::card))
        .route("/orders/{id}/candidates", get(actions::candidates))
        .route("/orders/{id}/assign", post(actions::assign))
        .route("/orders/{id}/search", post(actions::search))
        .route("/orders/{id}/return", post(actions::take_back))
        .route("/orders/{id}/cancel", post(actions::cancel))
        .route("/orders/{id}/close", post(actions::close))
        .route("/orders/{id}/reopen", post(actions::reopen))
        .route("/orders/{id}/claim", post(actions::claim).delete(actions::unclaim));
    let api = reading(OPENING, opening)
        .merge(reading(SHEET, sheets))
        .merge(reading(BODY, others))
        .fallback(async || Problem::new(Kind::NotFound))
        .method_not_allowed_fallback(async || Problem::new(Kind::MethodNotAllowed))
        // Bounded before it is read.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), counted))
        .with_state(state);
    Router::new().nest("/api", api).merge(page::routes())
}

/// Counts what every request is answered with.
async fn counted(Extract(state): Extract<State>, request: Request, next: Next) -> Response<Body> {
    let response = next.run(request).await;
    let outcome = response.extensions().get::<Kind>().map_or("SUCCESS", |kind| kind.counted());
    state.metrics.count("api", outcome);
    response
}

/// Reads a request whole, waits for a permit, bounds its time, and answers for a handler that panics. Nobody takes a permit from others
/// by sending slowly.
async fn in_permit(
    Extract((state, reads)): Extract<(State, Reads)>,
    request: Request,
    next: Next,
) -> Result<Response<Body>, Problem> {
    let request = read(&state, request, reads).await?;
    let unavailable = |why: &'static str| {
        tracing::warn!("{why}");
        Problem::new(Kind::Unavailable).with_detail(why).retry_after(2)
    };
    let deadline = Instant::now() + DEADLINE;
    let Ok(Ok(_permit)) = timeout(QUEUE, state.permits.acquire()).await else {
        return Err(unavailable("there are too many requests to the API at once"));
    };
    match timeout_at(deadline, AssertUnwindSafe(next.run(request)).catch_unwind()).await {
        Ok(Ok(response)) => Ok(response),
        // The panic hook has said where.
        Ok(Err(_)) => Err(Problem::new(Kind::Internal)),
        Err(_) => Err(unavailable("a request to the API was not answered in time")),
    }
}

/// The request with its whole body, if there may be one.
async fn read(state: &State, request: Request, reads: Reads) -> Result<Request, Problem> {
    let (head, body) = request.into_parts();
    if body.is_end_stream() {
        return Ok(Request::from_parts(head, body));
    }
    if reads.of_tokens_only && access::Token::parse(caller::presented(&head.headers)).is_none() {
        let unknown = AuthorizeOutcome::Unknown;
        state.metrics.count("api_authorize", unknown.name());
        return Err(Problem::of_authorize(&unknown));
    }
    match timeout(PATIENCE, Limited::new(body, reads.at_most).collect()).await {
        Ok(Ok(body)) => Ok(Request::from_parts(head, Body::from(body.to_bytes()))),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Kind::TooLarge).with_detail(format!("expected at most {} bytes", reads.at_most)))
        }
        Ok(Err(_)) => Err(Problem::malformed("the body ended early")),
        Err(_) => Err(Problem::malformed("the body did not come in time")),
    }
}
