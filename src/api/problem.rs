//! What is not done, as RFC 9457 says it: `application/problem+json`.
//!
//! Each outcome of a verb that is no success is one `type`; so programs need not read words.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::dispatch::act::ActOutcome;
use crate::dispatch::authorize::AuthorizeOutcome;
use crate::dispatch::intake::IntakeOutcome;
use crate::dispatch::manage::ManageOutcome;
use crate::dispatch::policy::SetPolicyOutcome;
use crate::dispatch::session::SessionOutcome;
use crate::store;

/// What kind of a problem it is. In `type` it stands after `urn:field-service:problem:`, in lower case with hyphens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request cannot be read.
    Malformed,
    /// A field says what cannot be.
    Invalid,
    /// There is no token, or not a good one.
    Unauthorized,
    /// The token, or the person, may not do that.
    Forbidden,
    /// There is no such thing, or none that the token may see.
    NotFound,
    /// The path is there, the method is not.
    MethodNotAllowed,
    /// The body is too large.
    TooLarge,
    /// The body is of another media type.
    MediaType,
    /// `Idempotency-Key` is missing.
    KeyMissing,
    /// The key was used for another request.
    KeyOfAnother,
    /// A request by this key is under way.
    UnderWay,
    /// `If-Match` is missing.
    MatchMissing,
    /// It has changed since it was seen.
    Stale,
    /// An order was made of the draft.
    AlreadyMade,
    /// The order is not so far, or too far.
    NotNow,
    /// It ended more than a day ago.
    TooLate,
    /// Somebody else sees to it.
    Claimed,
    /// Masters have been asked, and have not answered yet.
    AlreadyOffered,
    /// The time has passed.
    PastSlot,
    /// The master is blocked.
    Blocked,
    /// There is no such master in the order's city.
    NoSuchMaster,
    /// The master would not be asked by the search.
    NotEligible,
    /// Somebody is at work on it.
    Busy,
    /// There were too many requests.
    TooMany,
    /// The database is away, or there is too much to do.
    Unavailable,
    /// Something broke.
    Internal,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 26] = [
        Self::Malformed,
        Self::Invalid,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::TooLarge,
        Self::MediaType,
        Self::KeyMissing,
        Self::KeyOfAnother,
        Self::UnderWay,
        Self::MatchMissing,
        Self::Stale,
        Self::AlreadyMade,
        Self::NotNow,
        Self::TooLate,
        Self::Claimed,
        Self::AlreadyOffered,
        Self::PastSlot,
        Self::Blocked,
        Self::NoSuchMaster,
        Self::NotEligible,
        Self::Busy,
        Self::TooMany,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The word, the status, and the title, which is always the same.
    fn said(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::Malformed => ("malformed", StatusCode::BAD_REQUEST, "The request cannot be read"),
            Self::Invalid => ("invalid", StatusCode::UNPROCESSABLE_ENTITY, "A field is not valid"),
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "A valid bearer token is needed"),
            Self::Forbidden => ("forbidden", StatusCode::FORBIDDEN, "The token may not do that"),
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, "There is nothing here"),
            Self::MethodNotAllowed => {
                ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed here")
            }
            Self::TooLarge => ("too-large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large"),
            Self::MediaType => ("media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The media type is not supported"),
            Self::KeyMissing => ("key-missing", StatusCode::BAD_REQUEST, "Idempotency-Key is missing"),
            Self::KeyOfAnother => {
                ("key-of-another", StatusCode::UNPROCESSABLE_ENTITY, "The key was used for another request")
            }
            Self::UnderWay => ("under-way", StatusCode::CONFLICT, "A request by this key is under way"),
            Self::MatchMissing => ("match-missing", StatusCode::PRECONDITION_REQUIRED, "If-Match is missing"),
            Self::Stale => ("stale", StatusCode::PRECONDITION_FAILED, "It has changed since it was seen"),
            Self::AlreadyMade => ("already-made", StatusCode::CONFLICT, "An order was made of it"),
            Self::NotNow => ("not-now", StatusCode::CONFLICT, "The state does not allow that"),
            Self::TooLate => ("too-late", StatusCode::CONFLICT, "It ended too long ago"),
            Self::Claimed => ("claimed", StatusCode::CONFLICT, "Somebody else sees to it"),
            Self::AlreadyOffered => ("already-offered", StatusCode::CONFLICT, "Masters have been asked already"),
            Self::PastSlot => ("past-slot", StatusCode::UNPROCESSABLE_ENTITY, "That time has passed"),
            Self::Blocked => ("blocked", StatusCode::CONFLICT, "The master is blocked"),
            Self::NoSuchMaster => ("no-such-master", StatusCode::UNPROCESSABLE_ENTITY, "There is no such master"),
            Self::NotEligible => ("not-eligible", StatusCode::CONFLICT, "The search would not ask that master"),
            Self::Busy => ("busy", StatusCode::SERVICE_UNAVAILABLE, "Somebody is at work on it"),
            Self::TooMany => ("too-many", StatusCode::TOO_MANY_REQUESTS, "There were too many requests"),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE, "It cannot be done at the moment"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, "Something broke"),
        }
    }

    /// The word in counters.
    #[must_use]
    pub fn counted(self) -> &'static str {
        self.said().0
    }

    /// The problem's `type`.
    #[must_use]
    pub fn uri(self) -> String {
        format!("urn:field-service:problem:{}", self.said().0)
    }

    /// The status it is answered with.
    #[must_use]
    pub fn status(self) -> StatusCode {
        self.said().1
    }
}

/// What is wrong with a field of the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// A JSON pointer (RFC 6901) into the body.
    #[schema(example = "/client_phone")]
    pub pointer: String,
    /// What is wrong, and what would not be.
    pub detail: String,
}

impl FieldError {
    /// That a field of the body's top level is not valid.
    pub fn new(field: &str, detail: impl Into<String>) -> Self {
        Self { pointer: format!("/{field}"), detail: detail.into() }
    }
}

/// What was read; or what is wrong with it, noted among what is wrong with other fields.
pub fn note<T>(read: Result<T, FieldError>, errors: &mut Vec<FieldError>) -> Option<T> {
    read.map_err(|error| errors.push(error)).ok()
}

/// A problem.
#[derive(Debug)]
pub struct Problem(Box<Said>);

/// What a problem says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Said {
    #[serde(skip)]
    kind: Kind,
    /// Which kind it is: `urn:field-service:problem:` and a word.
    #[serde(rename = "type")]
    #[schema(example = "urn:field-service:problem:stale")]
    uri: String,
    /// The same words for each kind.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened here, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// What it is now, if it has changed since it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    current: Option<Value>,
    /// What is wrong with a sheet, row by row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    report: Option<Value>,
    #[serde(skip)]
    headers: Vec<(header::HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of that kind.
    pub fn new(kind: Kind) -> Self {
        let (_, status, title) = kind.said();
        Self(Box::new(Said {
            kind,
            uri: kind.uri(),
            title,
            status: status.as_u16(),
            detail: None,
            errors: Vec::new(),
            current: None,
            report: None,
            headers: Vec::new(),
        }))
    }

    /// The same with words of what happened here.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// A request that cannot be read, and why.
    pub fn malformed(why: impl Into<String>) -> Self {
        Self::new(Kind::Malformed).with_detail(why)
    }

    /// Fields that are not valid.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let mut problem = Self::new(Kind::Invalid);
        problem.0.errors = errors;
        problem
    }

    /// The same with what it is now.
    pub fn with_current(mut self, current: Option<Value>) -> Self {
        self.0.current = current;
        self
    }

    /// The same with what is wrong with a sheet.
    pub fn with_report(mut self, report: Option<Value>) -> Self {
        self.0.report = report;
        self
    }

    /// The same with another header.
    pub fn with_header(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// The same with when to ask again.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Why an order was not changed.
    pub fn of_act(outcome: &ActOutcome) -> Self {
        let kind = match outcome {
            ActOutcome::Done | ActOutcome::AlreadyDone | ActOutcome::Repeated => Kind::Internal,
            ActOutcome::Stale(_) => Kind::Stale,
            ActOutcome::NotNow => Kind::NotNow,
            ActOutcome::TooLate => Kind::TooLate,
            ActOutcome::ClaimedBy(_) => Kind::Claimed,
            ActOutcome::AlreadyOffered => Kind::AlreadyOffered,
            ActOutcome::PastSlot => Kind::PastSlot,
            ActOutcome::Blocked(_) | ActOutcome::NotLetIn => Kind::Blocked,
            ActOutcome::AtLimit => Kind::NotEligible,
            ActOutcome::NoSuchMaster => Kind::NoSuchMaster,
            ActOutcome::ReadOnly => Kind::Forbidden,
            ActOutcome::NotFound => Kind::NotFound,
            ActOutcome::Busy => Kind::Busy,
        };
        let problem = Self::new(kind);
        match outcome {
            ActOutcome::ClaimedBy(name) => problem.with_detail(format!("{name} sees to it")),
            ActOutcome::Blocked(blocked) => match &blocked.reason {
                Some(reason) => problem.with_detail(reason.clone()),
                None => problem,
            },
            ActOutcome::NotLetIn => problem.with_detail("waits for approval"),
            ActOutcome::Busy => problem.retry_after(1),
            _ => problem,
        }
    }

    /// Why nobody was let in.
    pub fn of_authorize(outcome: &AuthorizeOutcome) -> Self {
        match outcome {
            // The same in every case: what is wrong with a token is nobody's business.
            AuthorizeOutcome::Welcome(_) | AuthorizeOutcome::Unknown => Self::unauthorized(),
            AuthorizeOutcome::OutOfScope(scope) => {
                let scope = scope.as_str().to_ascii_lowercase();
                Self::new(Kind::Forbidden).with_detail(format!("this needs a token with the scope {scope}"))
            }
            AuthorizeOutcome::TooMany(seconds) => Self::new(Kind::TooMany)
                .with_detail(format!(
                    "a token may change something {} times a minute",
                    crate::model::access::WRITES_A_MINUTE
                ))
                .retry_after(*seconds),
        }
    }

    /// Why no page was opened: the same in every case, as with tokens.
    pub fn of_session(outcome: &SessionOutcome) -> Self {
        match outcome {
            SessionOutcome::Begun(_) => Self::new(Kind::Internal),
            SessionOutcome::NoProof | SessionOutcome::LinkSpent | SessionOutcome::NotStaff => Self::unauthorized(),
        }
    }

    fn unauthorized() -> Self {
        Self::new(Kind::Unauthorized).with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// Why nothing was taken in. What stands against the orders is said by whoever knows how they were named.
    pub fn of_intake(outcome: &IntakeOutcome) -> Self {
        match outcome {
            IntakeOutcome::Made(_) | IntakeOutcome::Repeated(_) => Self::new(Kind::Internal),
            IntakeOutcome::KeyOfAnother => Self::new(Kind::KeyOfAnother),
            IntakeOutcome::UnderWay => Self::new(Kind::UnderWay).retry_after(1),
            IntakeOutcome::Refused(_) => Self::new(Kind::Invalid),
            IntakeOutcome::NotAllowed => Self::new(Kind::Forbidden),
        }
    }

    /// Why a master was not changed.
    pub fn of_manage(outcome: &ManageOutcome) -> Self {
        match outcome {
            ManageOutcome::Done | ManageOutcome::AlreadySo(_) => Self::new(Kind::Internal),
            ManageOutcome::Stale(_) | ManageOutcome::Changed => Self::new(Kind::Stale),
            ManageOutcome::NotAllowed => Self::new(Kind::Forbidden),
            // The master was found before: it is the district.
            ManageOutcome::NotFound => {
                Self::invalid(vec![FieldError::new("district_ids", "expected districts of the master's city")])
            }
            ManageOutcome::Busy => Self::new(Kind::Busy).retry_after(1),
        }
    }

    /// Why no policy was made.
    pub fn of_set_policy(outcome: &SetPolicyOutcome) -> Self {
        match outcome {
            SetPolicyOutcome::Done(_) | SetPolicyOutcome::AlreadySo(_) | SetPolicyOutcome::Repeated(_) => {
                Self::new(Kind::Internal)
            }
            SetPolicyOutcome::Stale(_) => Self::new(Kind::Stale),
            SetPolicyOutcome::NotAllowed => {
                Self::new(Kind::Forbidden).with_detail("only an admin changes how masters are searched for")
            }
            SetPolicyOutcome::Busy => Self::new(Kind::Busy).retry_after(1),
        }
    }

    /// What it says.
    #[cfg(test)]
    pub fn said(&self) -> &Said {
        &self.0
    }

    /// The kind of it.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }
}

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        if error.is_transient() {
            tracing::warn!(%error, "the database is not available to the API");
            Self::new(Kind::Unavailable).retry_after(1)
        } else {
            tracing::error!(%error, "a request to the API failed");
            Self::new(Kind::Internal)
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response<Body> {
        let headers = std::mem::take(&mut self.0.headers);
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (self.0.kind.status(), body).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response.headers_mut().extend(headers.into_iter().map(|(name, value)| (Some(name), value)));
        response.extensions_mut().insert(self.0.kind);
        response
    }
}

#[cfg(test)]
mod tests;
