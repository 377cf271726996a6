//! The Lambda function that the schedule calls every minute.

use std::process::ExitCode;
use std::time::Duration;

use field_service::app::{App, run_function};
use field_service::{config, store::Clock};
use lambda_http::lambda_runtime::{self, Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

/// A minute is too coarse for offers that live for two: an invocation goes on for most of its minute.
const INVOCATION: Duration = Duration::from_secs(54);

fn main() -> ExitCode {
    run_function(run())
}

async fn run() -> Result<(), Error> {
    // The jobs take turns.
    let app = &App::without_webhook(&config::environment, 2, Clock::default())?;
    let jobs = &app.jobs();
    lambda_runtime::run(service_fn(async |_: LambdaEvent<IgnoredAny>| {
        let failed = jobs.run(tokio::time::sleep(INVOCATION)).await;
        app.end_invocation();
        // Lambda counts the invocation as an error then, which an alarm watches.
        if failed.is_empty() { Ok::<_, Error>(()) } else { Err(format!("jobs failed: {}", failed.join(", ")).into()) }
    }))
    .await
}
