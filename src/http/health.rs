//! `GET /health`: 200 while the database answers and every job of this process is alive, else 503.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State as Extract;
use axum::http::StatusCode;
use serde::Serialize;

use super::State;

/// Whoever asks wants to know now: a database that takes longer is as good as none.
const PATIENCE: Duration = Duration::from_secs(2);

/// The answer's body.
#[derive(Serialize)]
pub(super) struct Health {
    /// Whether the database answers.
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
    let database = match tokio::time::timeout(PATIENCE, state.bots.store.ping()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "the database is not reachable");
            false
        }
        Err(_) => {
            tracing::error!("the database has not answered for {PATIENCE:?}");
            false
        }
    };
    let pulses = state.liveness.pulses(Instant::now());
    let alive = pulses.values().all(|pulse| pulse.alive);
    let jobs = pulses
        .into_iter()
        .map(|(name, pulse)| (name, Job { age_seconds: pulse.age.as_secs_f64(), alive: pulse.alive }))
        .collect();
    let status = if database && alive { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Health { database, jobs }))
}
