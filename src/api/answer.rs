//! What answers are made of: a page with the way to the next one, a thing with its `ETag`, and what was recorded to be answered.

use axum::Json as Answer;
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LINK};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::Problem;
use crate::model::OrderId;

/// The most rows of a page.
pub const PAGE: i64 = 100;
/// How many rows a page has unless the query says otherwise.
pub const ROWS: i64 = 50;

/// Says that the answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// How many rows a page has, if the query may say so.
///
/// # Errors
/// That it is none, or more than `most`.
pub fn limited(limit: i64, most: i64) -> Result<i64, Problem> {
    if (1..=most).contains(&limit) {
        Ok(limit)
    } else {
        Err(Problem::malformed(format!("limit: expected 1 to {most}")))
    }
}

/// A page of `rows`, of which one more than `limit` was read to know whether there are more; `link` says where those are that follow
/// the page's last row.
pub fn page<T>(mut rows: Vec<T>, limit: i64, link: impl FnOnce(&T) -> HeaderValue) -> (Vec<T>, Option<HeaderValue>) {
    let has_more = i64::try_from(rows.len()).unwrap_or(i64::MAX) > limit;
    if has_more {
        rows.pop();
    }
    let next = rows.last().filter(|_| has_more).map(link);
    (rows, next)
}

/// The `Link` to the next page of a list.
///
/// # Panics
/// Never: a query is ASCII.
pub fn next_page<const W: usize, const N: usize>(
    what: &str,
    words: [(&str, Option<String>); W],
    numbers: [(&str, Option<i64>); N],
) -> HeaderValue {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in words {
        value.map(|value| query.append_pair(name, &value));
    }
    for (name, value) in numbers {
        value.map(|value| query.append_pair(name, &value.to_string()));
    }
    let link = format!("</api/{what}?{}>; rel=\"next\"", query.finish());
    HeaderValue::try_from(link).expect("a query is ASCII")
}

/// An answer with the `Link` to the next page, if there is one.
pub fn linked(answer: impl IntoResponse, next: Option<HeaderValue>) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().extend(next.map(|link| (LINK, link)));
    response
}

/// Where an order is, for `Location`.
///
/// # Panics
/// Never: a number is ASCII.
pub fn location_of(order: OrderId) -> HeaderValue {
    HeaderValue::try_from(format!("/api/orders/{order}")).expect("a number is ASCII")
}

/// A thing as it is now, and what its `ETag` has between the quotes, which `If-Match` repeats.
pub struct Current<T> {
    /// What it says.
    pub said: T,
    /// Another one as soon as anything of it has changed.
    pub tag: String,
}

impl<T: Serialize> Current<T> {
    fn etag(&self) -> Option<(HeaderName, HeaderValue)> {
        Some((ETAG, HeaderValue::try_from(format!("\"{}\"", self.tag)).ok()?))
    }

    /// That it is as it was seen.
    pub fn unchanged(self) -> Response {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        response.headers_mut().extend(self.etag());
        response
    }

    /// The problem of whoever has seen it otherwise, with what it is now.
    pub fn beside(self, stale: Problem) -> Problem {
        let problem = stale.with_current(serde_json::to_value(&self.said).ok());
        self.etag().into_iter().fold(problem, |problem, (name, value)| problem.with_header(name, value))
    }
}

impl<T: Serialize> IntoResponse for Current<T> {
    fn into_response(self) -> Response {
        let etag = self.etag();
        let mut response = Answer(self.said).into_response();
        response.headers_mut().extend(etag);
        response
    }
}

/// Whether `If-None-Match` names that tag. A proxy that compresses makes tags weak.
pub fn is_seen(headers: &HeaderMap, tag: &str) -> bool {
    let seen = headers.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).unwrap_or_default();
    let quoted = format!("\"{tag}\"");
    seen.split(',').any(|known| known.trim().trim_start_matches("W/") == quoted)
}

/// What was recorded to be answered by a key: JSON already. `replayed`: it was answered before.
pub fn recorded(answer: String, replayed: bool) -> Response {
    let json = [(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    let mut response = (StatusCode::CREATED, json, answer).into_response();
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
