//! The Lambda function behind the webhook's URL.

use std::process::ExitCode;

use field_service::app::{App, run_function};
use field_service::{config, http::Http, store::Clock};
use lambda_http::{Error, service_fn};

fn main() -> ExitCode {
    run_function(run())
}

async fn run() -> Result<(), Error> {
    // One invocation at a time per environment, so one connection.
    let app = &App::from_env(&config::environment, 1, Clock::default())?;
    let http = &Http::new(app.http());
    lambda_http::run(service_fn(async |request| {
        let response = http.answer(request).await;
        app.metrics.print_embedded();
        Ok::<_, Error>(response)
    }))
    .await
}
