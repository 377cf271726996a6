//! `GET /health`: 200 while the database answers and takes writes and every job of this process is alive, else 503. The
//! answer comes within two seconds, whatever waits.

use std::collections::BTreeMap;
use std::time::Instant;

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde::Serialize;

use super::State;

/// The answer's body.
#[derive(Serialize)]
pub(super) struct Health {
    /// Whether the database answers and takes writes.
    database: bool,
    /// The jobs of this process: none in the Lambda function.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    jobs: BTreeMap<&'static str, Job>,
}

#[derive(Serialize)]
struct Job {
    /// How long ago a pass last succeeded.
    age_seconds: f64,
    alive: bool,
}

pub(super) async fn health(Extract(state): Extract<State>) -> (StatusCode, Json<Health>) {
    let asked = state.bots.store.ping().await;
    if let Err(error) = &asked {
        tracing::error!(%error, "the database is not reachable, or takes no writes");
    }
    let database = asked.is_ok();
    let pulses = state.liveness.pulses(Instant::now());
    let alive = pulses.values().all(|pulse| pulse.alive);
    let jobs = pulses
        .into_iter()
        .map(|(name, pulse)| (name, Job { age_seconds: pulse.age.as_secs_f64(), alive: pulse.alive }))
        .collect();
    let status = if database && alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Health { database, jobs }))
}
