//! `/api/draft`: the new order that somebody is writing, here or in the bot: it is the same one, and outlives a closed page.
//!
//! Each request names the draft as it was seen (`If-Match`); if it has changed since, nothing is done, and the answer is what it
//! is now.

mod changes;
mod shown;

use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::answer::{Current, location_of, recorded};
use super::body::Json;
use super::caller::{Caller, Drafts, Orders};
use super::new_order::obstacle;
use super::orders::Created;
use super::problem::{FieldError, Kind, Problem};
use super::seen::{NO_DRAFT, SeenDraft};
use super::{Enqueued, State};
use crate::dispatch::create::{self, CreateOutcome};
use crate::dispatch::draft::{self, BeginOutcome, SayOutcome};
use crate::model::city::City;
use crate::model::draft::{Around, Draft, Field, Said};
use crate::model::new_order::{Obstacle, Search};
use crate::model::{OrderId, StaffId, StaffRef};
use changes::{DraftChanges, Known};
use shown::NewOrderDraft;
pub use shown::name;

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
pub async fn show(Extract(state): Extract<State>, caller: Caller<Drafts>) -> Result<Response, Problem> {
    let author = Author::of(&state, &caller).await?;
    let draft = draft::open(&state.store, author.staff).await?;
    author.shown(draft.as_ref()).await.map(IntoResponse::into_response)
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
    let author = Author::of(&state, &caller).await?;
    let order = OrderId(said.guarantee_of);
    let blank = draft::open(&state.store, author.staff).await?.filter(Draft::is_blank);
    match draft::repeat(&state.store, author.staff, order, blank.as_ref(), None).await? {
        BeginOutcome::Begun(draft) => Ok((StatusCode::CREATED, author.shown(Some(&draft)).await?).into_response()),
        BeginOutcome::Left(draft) if draft.guarantee_of == Some(order) => {
            Ok((StatusCode::CREATED, author.shown(Some(&draft)).await?).into_response())
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
    params(SeenDraft),
    responses((status = 409, description = "A problem: `already-made`: an order was made of it, at `Location`"), (status = 200, description = "It is so", body = NewOrderDraft, headers(("ETag" = String, description = "For `If-Match`")))),
)]
pub async fn change(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    SeenDraft(seen): SeenDraft,
    Json(changes): Json<DraftChanges>,
) -> Result<Response, Problem> {
    let author = Author::of(&state, &caller).await?;
    let open = draft::open(&state.store, author.staff).await?;
    if open.as_ref().is_some_and(|open| seen.is_none_or(|seen| seen != (open.id, open.revision))) {
        return Err(author.shown(open.as_ref()).await?.beside(Problem::new(Kind::Stale)));
    }
    let master = match changes.preferred() {
        Some(master) => draft::knows_master(&state.store, author.staff, master).await?,
        None => true,
    };
    let city = author.city_of(open.as_ref());
    let said = changes.read(&Known { cities: &author.cities, city, master, read_order: state.words.read_order })?;
    let outcome = match seen {
        Some(seen) => draft::fill(&state.store, author.staff, seen, &said, &author.cities).await?,
        None => author.begin(said).await?,
    };
    state.metrics.count("order_draft", outcome.name());
    match outcome {
        SayOutcome::Said(draft) => Ok(author.shown(Some(&draft)).await?.into_response()),
        SayOutcome::Gone(_) => {
            let detail = "that city or district is not there any more";
            Err(Problem::invalid(vec![FieldError::new("city_id", detail)]))
        }
        SayOutcome::Made(order) => {
            let made = Problem::new(Kind::AlreadyMade).with_detail(format!("it is order {order}"));
            Err(author.otherwise(made.with_header(LOCATION, location_of(order))).await?)
        }
        SayOutcome::Changed | SayOutcome::NoDraft => Err(author.stale().await?),
    }
}

/// Drops a draft.
#[utoipa::path(
    delete, path = "/api/draft", tag = "draft", operation_id = "dropDraft",
    params(SeenDraft),
    responses((status = 204, description = "There is none any more")),
)]
pub async fn drop(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    SeenDraft(seen): SeenDraft,
) -> Result<Response, Problem> {
    let author = Author::of(&state, &caller).await?;
    let there_is_none = match seen {
        None => draft::open(&state.store, author.staff).await?.is_none(),
        Some((id, revision)) => draft::drop(&state.store, author.staff, id, Some(revision)).await?,
    };
    if there_is_none { Ok(StatusCode::NO_CONTENT.into_response()) } else { Err(author.stale().await?) }
}

/// Makes an order of a draft, once; of one that was made before, which it was.
#[utoipa::path(
    post, path = "/api/draft/order", tag = "draft", operation_id = "createOrderOfDraft", request_body = Beginning,
    params(SeenDraft),
    responses((status = 201, description = "It was made, now or before", body = Created, headers(
        ("Location" = String, description = "Where it is"),
        ("Idempotency-Replayed" = String, description = "`true`: it was made before"),
    ))),
)]
pub async fn create(
    Extract(state): Extract<State>,
    caller: Caller<Orders>,
    SeenDraft(seen): SeenDraft,
    Json(beginning): Json<Beginning>,
) -> Result<Response, Problem> {
    let author = Author::of(&state, &caller).await?;
    let Some((id, revision)) = seen else { return Err(author.stale().await?) };
    let search = if beginning.defer { Search::InTheMorning } else { Search::Now };
    let nameless = state.words.nameless;
    let outcome = create::create(&state.store, author.staff, id, revision, search, nameless, None).await?;
    state.metrics.count("order_create", outcome.name());
    match outcome {
        CreateOutcome::Created { order, .. } => {
            let mut response = made(order, false);
            response.extensions_mut().insert(Enqueued(Some(order)));
            Ok(response)
        }
        CreateOutcome::AlreadyCreated(order) => Ok(made(order, true)),
        CreateOutcome::Changed(_) | CreateOutcome::NoDraft => Err(author.stale().await?),
        refused => Err(not_made(&refused)),
    }
}

fn made(order: OrderId, replayed: bool) -> Response {
    let mut response = recorded(Created::new(order).json(), replayed);
    response.headers_mut().insert(LOCATION, location_of(order));
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

/// Somebody who writes a new order, and the cities it may be for.
struct Author<'a> {
    state: &'a State,
    staff: StaffRef,
    id: StaffId,
    cities: Vec<City>,
}

impl<'a> Author<'a> {
    async fn of<N>(state: &'a State, caller: &Caller<N>) -> Result<Self, Problem> {
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

    /// The draft has changed since it was seen.
    async fn stale(&self) -> Result<Problem, Problem> {
        self.otherwise(Problem::new(Kind::Stale)).await
    }

    /// The problem, with the draft as it is.
    async fn otherwise(&self, problem: Problem) -> Result<Problem, Problem> {
        let now = draft::open(&self.state.store, self.staff).await?;
        Ok(self.shown(now.as_ref()).await?.beside(problem))
    }

    /// A draft as it is; of none what a new one would be.
    async fn shown(&self, draft: Option<&Draft>) -> Result<Current<NewOrderDraft>, Problem> {
        let around = match draft {
            Some(draft) => draft::around(&self.state.store, self.staff, draft).await?,
            None => Around::default(),
        };
        let blank = Draft::blank(self.id, &self.cities);
        let tag = draft.map_or(NO_DRAFT.to_owned(), |draft| format!("{}.{}", draft.id, draft.revision));
        let said = shown::shown(tag.clone(), draft.unwrap_or(&blank), &around, self.city_of(draft));
        Ok(Current { said, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{OrderId, StaffId};

    #[test]
    fn what_stands_against_an_order_is_said_at_its_field() {
        let draft = || Box::new(Draft::blank(StaffId(1), &[]));
        for (outcome, pointer) in [
            (CreateOutcome::Missing(Field::Phone, draft()), "/client_phone"),
            (CreateOutcome::SlotPast(draft()), "/slot"),
            (CreateOutcome::PlaceGone(Field::City, draft()), "/city_id"),
            (CreateOutcome::PlaceGone(Field::District, draft()), "/district_id"),
            (CreateOutcome::MasterGone(draft()), "/preferred_master_id"),
            (CreateOutcome::NotClosed(OrderId(1)), "/guarantee_of"),
        ] {
            let problem = not_made(&outcome);
            let said = serde_json::to_value(problem.said()).expect("JSON");
            assert_eq!(
                (problem.kind(), said["errors"][0]["pointer"].as_str()),
                (Kind::Invalid, Some(pointer)),
                "{outcome:?}"
            );
        }
    }
}
