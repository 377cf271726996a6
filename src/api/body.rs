//! What is read of a request: a JSON body, and the address's query.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_path_to_error::Segment;
use utoipa::IntoParams;

use super::State;
use super::problem::{FieldError, Kind, Problem};
use crate::model::OrderId;

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<State> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let is_json = media_type(request.headers()).is_some_and(|given| given == "application/json");
        let bytes = bytes(request, state).await?;
        if !is_json {
            return Err(Problem::new(Kind::MediaType).with_detail("expected application/json"));
        }
        read(&bytes).map(Self)
    }
}

/// The media type of a body, without its parameters, in lower case.
pub fn media_type(headers: &HeaderMap) -> Option<String> {
    let given = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// The whole body.
pub async fn bytes(request: Request, state: &State) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|refused: BytesRejection| {
        let kind = if refused.status() == StatusCode::PAYLOAD_TOO_LARGE { Kind::TooLarge } else { Kind::Malformed };
        Problem::new(kind)
    })
}

/// Reads a body. What cannot be read names the field.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut json);
    let value = read.map_err(|error| {
        let pointer: String = error.path().iter().map(segment).collect();
        let inner = error.into_inner();
        if inner.is_data() {
            // Without the place, which is a line and a column.
            let said = inner.to_string();
            let detail = said.split(" at line ").next().unwrap_or_default().to_owned();
            Problem::invalid(vec![FieldError { pointer, detail }])
        } else {
            Problem::malformed(format!("not JSON: {inner}"))
        }
    })?;
    json.end().map_err(|error| Problem::malformed(format!("not JSON: {error}")))?;
    Ok(value)
}

fn segment(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            format!("/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Unknown => String::new(),
    }
}

/// The address's query.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<State> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(error) => Err(Problem::malformed(error.body_text())),
        }
    }
}

/// The number in the path: what is no number is nothing that there is.
pub struct Number(pub i64);

impl FromRequestParts<State> for Number {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        match Path::<i64>::from_request_parts(parts, state).await {
            Ok(Path(number)) => Ok(Self(number)),
            Err(_) => Err(Problem::new(Kind::NotFound)),
        }
    }
}

/// The order that the path names.
#[derive(IntoParams)]
#[into_params(parameter_in = Path, names("id"))]
pub struct OrderNumber(
    /// The order's number
    #[param(value_type = i64)]
    pub OrderId,
);

impl FromRequestParts<State> for OrderNumber {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        Number::from_request_parts(parts, state).await.map(|Number(number)| Self(OrderId(number)))
    }
}

/// What may be missing, and is not null.
pub fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Tells null from what is missing.
#[expect(clippy::option_option, reason = "null is not the same as nothing")]
pub fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only read")]
        lines: Vec<Line>,
    }

    #[derive(Debug, Deserialize)]
    struct Line {
        #[expect(dead_code, reason = "only read")]
        sum: i64,
    }

    #[test]
    fn what_cannot_be_read_names_the_field() {
        for (body, kind, pointer) in [
            ("{", Kind::Malformed, None),
            ("{\"lines\":[]} x", Kind::Malformed, None),
            ("{\"lines\":[{\"sum\":1},{\"sum\":\"a\"}]}", Kind::Invalid, Some("/lines/1/sum")),
            ("{\"lines\":[],\"a/b\":1}", Kind::Invalid, Some("/a~1b")),
            ("{}", Kind::Invalid, Some("")),
        ] {
            let problem = read::<Body>(body.as_bytes()).expect_err(body);
            let said = serde_json::to_value(problem.said()).expect("JSON");
            assert_eq!(problem.kind(), kind, "{body}: {said}");
            assert_eq!(said["errors"][0]["pointer"].as_str(), pointer, "{body}: {said}");
        }
    }
}
