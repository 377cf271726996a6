//! What is read of a request: a JSON body, and the address's query.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
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
    let read: Result<Object<T>, _> = serde_path_to_error::deserialize(&mut json);
    let Object(value) = read.map_err(|error| {
        let pointer: String = error.path().iter().map(segment).collect();
        let inner = error.into_inner();
        if inner.is_data() {
            // Without the place, which is a line and a column.
            let said = inner.to_string();
            Problem::invalid(vec![field_error(pointer, said.split(" at line ").next().unwrap_or_default())])
        } else {
            Problem::malformed(format!("not JSON: {inner}"))
        }
    })?;
    json.end().map_err(|error| Problem::malformed(format!("not JSON: {error}")))?;
    Ok(value)
}

/// What is wrong, in the words of JSON and not in those of the program's types.
fn field_error(pointer: String, said: &str) -> FieldError {
    let missing = said.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    if let Some(name) = missing {
        return FieldError { pointer: format!("{pointer}{}", key(name)), detail: "expected a value".to_owned() };
    }
    let expected = ["invalid type: ", "invalid value: ", "invalid length "].iter().any(|known| said.starts_with(known));
    let wanted = said.rsplit_once(", expected ").map(|(_, wanted)| wanted).filter(|_| expected);
    let detail = match wanted {
        Some("i8" | "i16" | "i32" | "i64" | "isize") => "expected a whole number".to_owned(),
        Some("u8" | "u16" | "u32" | "u64" | "usize") => "expected a whole number from 0 on".to_owned(),
        Some("f32" | "f64") => "expected a number".to_owned(),
        Some("a sequence") => "expected an array".to_owned(),
        Some("a map") => "expected an object".to_owned(),
        Some(wanted) if wanted.starts_with("struct ") => "expected an object".to_owned(),
        Some(wanted) => format!("expected {wanted}"),
        None => said.to_owned(),
    };
    FieldError { pointer, detail }
}

/// A name as a part of a JSON pointer.
fn key(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// What is read of an object alone. By itself serde reads a structure of an array too, field by field, in an order that nobody was
/// ever told.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfObject(PhantomData))
    }
}

/// See [`Object`].
struct OfObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
    type Value = Object<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

fn segment(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key: name } | Segment::Enum { variant: name } => key(name),
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

/// An object that may be missing or null; not an array of what it consists of.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::<Object<T>>::deserialize(deserializer).map(|object| object.map(|Object(value)| value))
}

/// The same, which tells null from what is missing.
#[expect(clippy::option_option, reason = "null is not the same as nothing")]
pub fn object_given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    object(deserializer).map(Some)
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
        #[serde(default, deserialize_with = "object_given")]
        #[expect(dead_code, clippy::option_option, reason = "only read")]
        slot: Option<Option<Line>>,
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
            ("{}", Kind::Invalid, Some("/lines")),
            ("{\"lines\":[{}]}", Kind::Invalid, Some("/lines/0/sum")),
        ] {
            let problem = read::<Body>(body.as_bytes()).expect_err(body);
            let said = serde_json::to_value(problem.said()).expect("JSON");
            assert_eq!(problem.kind(), kind, "{body}: {said}");
            assert_eq!(said["errors"][0]["pointer"].as_str(), pointer, "{body}: {said}");
        }
    }

    #[test]
    fn a_body_is_an_object_and_so_is_what_it_consists_of() {
        for sound in
            ["{\"lines\":[{\"sum\":1}]}", "{\"lines\":[],\"slot\":null}", "{\"lines\":[],\"slot\":{\"sum\":1}}"]
        {
            assert!(read::<Body>(sound.as_bytes()).is_ok(), "{sound}");
        }
        for (body, pointer, detail) in [
            ("[[]]", "", "expected an object"),
            ("[]", "", "expected an object"),
            ("1", "", "expected an object"),
            ("null", "", "expected an object"),
            ("\"x\"", "", "expected an object"),
            ("{\"lines\":[],\"slot\":[1]}", "/slot", "expected an object"),
            ("{\"lines\":{}}", "/lines", "expected an array"),
            ("{\"lines\":[{\"sum\":\"1\"}]}", "/lines/0/sum", "expected a whole number"),
            ("{\"lines\":[{\"sum\":1.5}]}", "/lines/0/sum", "expected a whole number"),
            ("{\"lines\":[{\"sum\":18446744073709551615}]}", "/lines/0/sum", "expected a whole number"),
            ("{}", "/lines", "expected a value"),
        ] {
            let problem = read::<Body>(body.as_bytes()).expect_err(body);
            let said = serde_json::to_value(problem.said()).expect("JSON");
            let first = &said["errors"][0];
            assert_eq!((first["pointer"].as_str(), first["detail"].as_str()), (Some(pointer), Some(detail)), "{body}");
        }
    }
}
