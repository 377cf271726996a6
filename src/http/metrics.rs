//! `GET /metrics`: what Prometheus reads. 404 unless `METRICS_TOKEN` is set, 401 without it as a bearer token.

use std::time::{Duration, Instant};

use axum::extract::State as Extract;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::State;

/// How long the database is waited for: well within the ten seconds that Prometheus waits.
const FACTS: Duration = Duration::from_secs(3);
/// As Prometheus names the format.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn metrics(Extract(state): Extract<State>, headers: HeaderMap) -> Response {
    let Some(token) = state.secrets.as_ref().and_then(|secrets| secrets.metrics.as_ref()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let presented = headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    if !token.matches(presented.strip_prefix(b"Bearer ").unwrap_or_default()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    // What is counted here is told also while the database is away.
    let facts = match tokio::time::timeout(FACTS, state.api.facts()).await {
        Ok(Ok(facts)) => facts,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not tell what it holds");
            Vec::new()
        }
        Err(_) => {
            tracing::warn!("the database does not tell in time what it holds");
            Vec::new()
        }
    };
    let metrics = &state.bots.metrics;
    metrics.count_lost_lines();
    let pulses = state.liveness.pulses(Instant::now());
    let jobs: Vec<_> = pulses.into_iter().map(|(job, pulse)| (job, pulse.age.as_secs_f64())).collect();
    ([(CONTENT_TYPE, HeaderValue::from_static(FORMAT))], metrics.exposition(&facts, &jobs)).into_response()
}
