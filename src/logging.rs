//! Log lines: JSON in Lambda, human-readable elsewhere; never a token, a client's phone or an address.

use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::Lookup;

/// Sets the process's subscriber up, with the level of `RUST_LOG` or `AWS_LAMBDA_LOG_LEVEL`; `info` without either.
/// Human-readable lines go to standard error. A second call does nothing.
///
/// # Errors
/// When the level cannot be parsed; `info` is in force then.
pub fn init(lookup: Lookup) -> Result<(), String> {
    let in_lambda = lookup("AWS_LAMBDA_FUNCTION_NAME").is_some();
    let asked = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .find_map(|name| lookup(name).filter(|value| !value.is_empty()).map(|value| (name, value)));
    let (filter, complaint) = match &asked {
        None => (Targets::new().with_default(tracing::Level::INFO), None),
        Some((name, value)) => match value.to_ascii_lowercase().parse() {
            Ok(filter) => (filter, None),
            Err(error) => (
                Targets::new().with_default(tracing::Level::INFO),
                Some(format!("{name} is malformed ({error}): expected a level such as info, or target=level,…")),
            ),
        },
    };
    let lines = if in_lambda {
        fmt::layer().json().flatten_event(true).with_current_span(false).with_span_list(false).without_time().boxed()
    } else {
        fmt::layer().with_writer(std::io::stderr).with_target(false).boxed()
    };
    // A subscriber that is there already, as in tests, stays.
    let _ = tracing_subscriber::registry().with(lines.with_filter(filter)).try_init();
    complaint.map_or(Ok(()), Err)
}
