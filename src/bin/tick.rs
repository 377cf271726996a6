//! The Lambda function that the schedule calls every minute.

use std::process::ExitCode;
use std::time::Duration;

use field_service::db::{Clock, Db};
use field_service::dispatch::tick;
use field_service::metrics::Metrics;
use field_service::{config, logging};
use lambda_http::lambda_runtime::{self, Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

/// A minute is too coarse for offers that live for two: an invocation goes on passing for most of its minute.
const INVOCATION: Duration = Duration::from_secs(54);
/// The pause between two passes.
const EVERY: Duration = Duration::from_secs(4);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Error> {
    logging::init(&config::environment, logging::LevelFilter::INFO)?;
    let db = &Db::new(&config::Database::from_env(&config::environment)?, 1, Clock::default())?;
    let metrics = &Metrics::default();
    lambda_runtime::run(service_fn(async |_: LambdaEvent<IgnoredAny>| {
        let passed = tick::run(db, metrics, EVERY, tokio::time::sleep(INVOCATION)).await;
        metrics.print_embedded();
        Ok::<_, Error>(passed?)
    }))
    .await
}
