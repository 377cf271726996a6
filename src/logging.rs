//! Log lines: JSON in Lambda, human-readable elsewhere; never a token, a client's phone or an address.

use std::io::IsTerminal;

pub use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt::format;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::Lookup;

/// Sets the process's subscriber up, with the level of `RUST_LOG` or `AWS_LAMBDA_LOG_LEVEL`; `default` without either.
/// Human-readable lines go to standard error. A second call does nothing.
///
/// Libraries are heard from `warn` on, whatever is asked for: at `trace` the Lambda runtime logs whole requests, with
/// the webhook's secret, and at `debug` the database driver logs parameters.
///
/// # Errors
/// When the level cannot be parsed; `default` is in force then.
pub fn init(lookup: Lookup, default: LevelFilter) -> Result<(), String> {
    let (levels, complaint) = match levels(lookup, default) {
        Ok(levels) => (levels, None),
        Err(complaint) => (Targets::new().with_default(default), Some(complaint)),
    };
    let ours = |metadata: &Metadata| metadata.target().starts_with(env!("CARGO_CRATE_NAME"));
    let quiet = filter_fn(move |metadata| ours(metadata) || *metadata.level() <= Level::WARN);
    let lines = if lookup("AWS_LAMBDA_FUNCTION_NAME").is_some() {
        fmt::layer().json().flatten_event(true).with_span_list(false).boxed()
    } else {
        let colours = std::io::stderr().is_terminal();
        // The message says what these fields say, for programs that read the JSON.
        let in_message = ["order", "master", "staff", "outcome", "row", "job", "changed", "duration_ms"];
        let fields = format::debug_fn(move |writer, field, value| match field.name() {
            "message" => write!(writer, "{value:?}"),
            name if in_message.contains(&name) => Ok(()),
            name => write!(writer, " {name}={value:?}"),
        });
        fmt::layer().with_writer(std::io::stderr).with_ansi(colours).with_target(false).fmt_fields(fields).boxed()
    };
    // A subscriber that is there already, as in tests, stays.
    let _ = tracing_subscriber::registry().with(lines.with_filter(levels.and(quiet))).try_init();
    complaint.map_or(Ok(()), Err)
}

fn levels(lookup: Lookup, default: LevelFilter) -> Result<Targets, String> {
    let asked = ["RUST_LOG", "AWS_LAMBDA_LOG_LEVEL"]
        .into_iter()
        .find_map(|name| lookup(name).filter(|value| !value.is_empty()).map(|value| (name, value)));
    let Some((name, value)) = asked else { return Ok(Targets::new().with_default(default)) };
    // Lambda knows a level above ERROR.
    let level = value.to_ascii_lowercase().replace("fatal", "error");
    level
        .parse()
        .map_err(|error| format!("{name} is malformed ({error}): expected a level such as info, or target=level,…"))
}
