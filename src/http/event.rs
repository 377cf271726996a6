//! The webhook's URL as a Lambda function: the event is the request, the result is the response.
//!
//! `lambda_http` reads the event and writes the result, in the form of whoever sent it: a function URL or an HTTP API, a REST
//! API, or a load balancer. What it does not understand would end the invocation with an error, which is retried or looks like
//! a broken function. That is read here once more, leniently: what a caller may have broken is left out, as if it had not been
//! sent, and an event that is no request at all is answered with 400.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads>,
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>,
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html>

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;

use axum::body::{self, Body};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::FutureExt;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, LambdaEvent, Service, service_fn};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use super::Http;

/// What the three kinds of event have in common; a field of another type than expected is as if it were missing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    /// Of a REST API and a load balancer.
    #[serde(default, deserialize_with = "lenient")]
    http_method: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    path: Option<String>,
    /// Of a function URL and an HTTP API.
    #[serde(default, deserialize_with = "lenient")]
    request_context: Option<Context>,
    #[serde(default, deserialize_with = "lenient")]
    raw_path: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    raw_query_string: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    headers: Option<BTreeMap<String, String>>,
    /// A load balancer sends these instead, if it is so configured, and takes only the same in the answer.
    #[serde(default, deserialize_with = "lenient")]
    multi_value_headers: Option<BTreeMap<String, Vec<String>>>,
    #[serde(default, deserialize_with = "lenient")]
    body: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
struct Context {
    #[serde(default, deserialize_with = "lenient")]
    http: Option<Http2>,
}

#[derive(Deserialize)]
struct Http2 {
    method: String,
}

/// Takes what has the right form, and leaves everything else out.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(from: D) -> Result<Option<T>, D::Error> {
    let raw: Box<RawValue> = Deserialize::deserialize(from)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

/// The response, in the form that all of them take.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: u16,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    multi_value_headers: BTreeMap<String, Vec<String>>,
    body: String,
    is_base64_encoded: bool,
}

impl Http {
    /// Answers an invocation, to the end: nothing goes on after the response.
    ///
    /// # Panics
    /// Never: answers are plain data.
    pub async fn invoke(&self, invocation: LambdaEvent<Box<RawValue>>) -> Box<RawValue> {
        let LambdaEvent { payload: event, context } = invocation;
        let answered = match understood(&event) {
            Some(request) => self.answer_understood(LambdaEvent::new(request, context)).await,
            None => None,
        };
        match answered {
            Some(answer) => answer,
            None => to_raw_value(&self.answer_leniently(&event).await).expect("an answer is plain data"),
        }
    }

    /// `None`: it could not be made a request, such as for its address.
    async fn answer_understood(&self, event: LambdaEvent<LambdaRequest>) -> Option<Box<RawValue>> {
        let answer = async |request: lambda_http::Request| Ok::<_, Infallible>(self.answer(request).await);
        let mut adapter = Adapter::from(service_fn(answer));
        let Ok(answered) = AssertUnwindSafe(async { adapter.call(event).await }).catch_unwind().await.ok()?;
        to_raw_value(&answered).ok()
    }

    async fn answer_leniently(&self, event: &RawValue) -> Answer {
        let Some((request, has_many_values)) = request(event) else {
            // Nothing of it is shown: it may hold anything.
            tracing::warn!(bytes = event.get().len(), "an event that is not a request");
            let nothing = (StatusCode::BAD_REQUEST, HeaderMap::new(), Vec::new());
            return answer(nothing, false);
        };
        let (head, body) = self.answer(request).await.into_parts();
        // Our own bodies are small, and made without anything that could fail.
        let body = body::to_bytes(body, usize::MAX).await.map(Vec::from).unwrap_or_default();
        answer((head.status, head.headers, body), has_many_values)
    }
}

/// The event as `lambda_http` reads it; `None` if it does not, or would panic over a body that is not base64.
fn understood(event: &RawValue) -> Option<LambdaRequest> {
    let Event { body, is_base64_encoded, .. } = serde_json::from_str(event.get()).ok()?;
    let readable = is_base64_encoded != Some(true) || body.is_none_or(|body| STANDARD.decode(body).is_ok());
    serde_json::from_str(event.get()).ok().filter(|_| readable)
}

/// The request that an event is, and whether its headers have many values each.
fn request(event: &RawValue) -> Option<(Request<Body>, bool)> {
    let event: Event = serde_json::from_str(event.get()).ok()?;
    let method = event.http_method.or_else(|| Some(event.request_context?.http?.method))?;
    let mut path = event.raw_path.or(event.path)?;
    if let Some(query) = event.raw_query_string.filter(|query| !query.is_empty()) {
        path = format!("{path}?{query}");
    }
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::from_bytes(method.as_bytes()).ok()?;
    *request.uri_mut() = path.parse::<Uri>().ok().filter(|uri| uri.path().starts_with('/'))?;
    let has_many_values = event.multi_value_headers.is_some();
    let many = event.multi_value_headers.into_iter().flatten();
    // A REST API says the same twice.
    let one = event.headers.into_iter().flatten().filter(|_| !has_many_values).map(|(name, value)| (name, vec![value]));
    for (name, values) in many.chain(one) {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        for value in values.iter().filter_map(|value| HeaderValue::from_str(value).ok()) {
            request.headers_mut().append(&name, value);
        }
    }
    *request.body_mut() = match event.body {
        Some(body) if event.is_base64_encoded == Some(true) => STANDARD.decode(body).map_or_else(
            |_| {
                // Who sent it is yet to be seen; an empty body is not understood either.
                tracing::warn!("a body that is not base64, although the event says so");
                Body::empty()
            },
            Body::from,
        ),
        Some(body) => Body::from(body),
        None => Body::empty(),
    };
    Some((request, has_many_values))
}

fn answer((status, headers, body): (StatusCode, HeaderMap, Vec<u8>), has_many_values: bool) -> Answer {
    let mut many: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in &headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        many.entry(name.as_str().to_owned()).or_default().push(value);
    }
    let one = if has_many_values {
        BTreeMap::new()
    } else {
        std::mem::take(&mut many).into_iter().map(|(name, values)| (name, values.join(", "))).collect()
    };
    let (body, is_base64_encoded) = match String::from_utf8(body) {
        Ok(text) => (text, false),
        Err(bytes) => (STANDARD.encode(bytes.as_bytes()), true),
    };
    Answer { status_code: status.as_u16(), headers: one, multi_value_headers: many, body, is_base64_encoded }
}
