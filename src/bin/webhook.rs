//! The Lambda function behind the webhook's URL.

use std::process::ExitCode;

use field_service::{app::App, config, http::Http, logging, store::Clock};
use lambda_http::{Error, service_fn};

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
