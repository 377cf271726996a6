//! `/api/session`: a page is opened for somebody of the staff, and left.

use axum::Json as Answer;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::State;
use super::body::Json;
use super::caller::{Caller, Looks};
use super::problem::{FieldError, Problem};
use crate::dispatch::session::{self, Proof, SessionOutcome};
use crate::model::StaffRef;
use crate::model::access::{Access, Token};
use crate::model::init_data;

/// Who opens a page: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// `tgWebAppData` of the page's address, as the dispatchers' bot opened it; at most ten minutes old.
    init_data: Option<String>,
    /// What stands behind `#link=` in a link of the bot or of `field-service staff link`.
    link: Option<String>,
}

/// A page's token, and whose it is.
#[derive(Serialize, ToSchema)]
pub struct Session {
    /// To be presented as a bearer token. It is not told again.
    token: String,
    /// When it ends, unless the person is deactivated before.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Whose it is.
    #[serde(flatten)]
    who: Who,
}

/// Whose a token is.
#[derive(Serialize, ToSchema)]
pub struct Who {
    /// The person's, or the program's, number.
    staff_id: i64,
    /// The name.
    name: String,
    /// `ADMIN`, `DISPATCHER` or `VIEWER`.
    #[schema(example = "DISPATCHER")]
    role: &'static str,
    /// `READ`, `ORDERS` or `ALL`.
    #[schema(example = "ALL")]
    scope: &'static str,
}

impl From<Access> for Who {
    fn from(access: Access) -> Self {
        Self {
            staff_id: access.staff.0,
            name: access.full_name,
            role: access.role.as_str(),
            scope: access.scope.as_str(),
        }
    }
}

/// Opens a page for somebody of the staff: for whom Telegram vouches, or who follows a link. The token is good for twelve hours.
#[utoipa::path(
    post, path = "/api/session", tag = "session", operation_id = "openSession", request_body = Opened, security(()),
    responses((status = 201, description = "Come in", body = Session)),
)]
pub async fn open(Extract(state): Extract<State>, Json(opened): Json<Opened>) -> Result<Response, Problem> {
    let now = state.store.now().unwrap_or_else(Timestamp::now);
    let proof = match (&opened.init_data, &opened.link) {
        (Some(data), None) => {
            init_data::user(data, state.admin_bot.reveal(), now).map(|user| Proof::Person(StaffRef::Telegram(user)))
        }
        (None, Some(link)) => Token::parse(link).map(Proof::Link),
        _ => {
            let detail = "expected either init_data or link".to_owned();
            return Err(Problem::invalid(vec![FieldError { pointer: String::new(), detail }]));
        }
    };
    let outcome = session::begin(&state.store, proof.as_ref()).await?;
    state.metrics.count("session", outcome.name());
    let SessionOutcome::Begun(begun) = outcome else { return Err(Problem::of_session(&outcome)) };
    let session = Session { token: begun.token.text(), expires_at: begun.expires_at, who: begun.access.into() };
    Ok((StatusCode::CREATED, Answer(session)).into_response())
}

/// Whose the token is.
#[utoipa::path(
    get, path = "/api/session", tag = "session", operation_id = "getSession",
    responses((status = 200, description = "As of now", body = Who)),
)]
pub async fn show(caller: Caller<Looks>) -> Answer<Who> {
    Answer(caller.access.into())
}

/// Leaves the page: its token is good for nothing any more. A program's is not ended by that.
#[utoipa::path(
    delete, path = "/api/session", tag = "session", operation_id = "endSession",
    responses((status = 204, description = "It is so")),
)]
pub async fn end(Extract(state): Extract<State>, caller: Caller<Looks>) -> Result<StatusCode, Problem> {
    session::end(&state.store, &caller.access).await?;
    Ok(StatusCode::NO_CONTENT)
}
