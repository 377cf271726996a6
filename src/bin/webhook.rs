//! The Lambda function behind the webhook's URL.

use std::process::ExitCode;

use field_service::app::{App, run_function};
use field_service::{config, http::Http, store::Clock};
use lambda_http::lambda_runtime::{self, Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;

fn main() -> ExitCode {
    run_function(run())
}

async fn run() -> Result<(), Error> {
    // One invocation at a time per environment, so one connection.
    let app = &App::from_env(&config::environment, 1, Clock::default())?;
    let http = &Http::new(app.http());
    lambda_runtime::run(service_fn(async |invocation: LambdaEvent<Box<RawValue>>| {
        let answer = http.invoke(invocation).await;
        app.end_invocation();
        Ok::<_, Error>(answer)
    }))
    .await
}
