//! `torture`: tries to break the system on this machine, and proves that it did not.

use std::io::{IsTerminal, Write, stderr};
use std::time::Duration;

use clap::Args;
use field_service::config::environment;
use field_service::torture;

use super::{Result, say};

#[derive(Args)]
pub struct Torture {
    /// Ends after so many taps and messages of people
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    taps: u64,
    /// Ends after so many minutes at the latest, beside what it takes to start and to settle
    #[arg(long, value_name = "N", default_value_t = 5.0, value_parser = minutes)]
    minutes: f64,
    /// Repeats the plan of a run
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Servers that take updates; one more has nothing but its jobs
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=8))]
    processes: u64,
    /// Masters who tap at the same time
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(4..=400))]
    masters: u64,
    /// Through PgBouncer in transaction mode, and to it by TLS with a certificate of a private authority; needs pgbouncer and openssl
    #[arg(long)]
    pooled: bool,
    /// Tells everything as JSON
    #[arg(long)]
    json: bool,
}

fn minutes(given: &str) -> std::result::Result<f64, String> {
    let minutes: Option<f64> = given.parse().ok();
    let sane = minutes.filter(|minutes| (0.05..=1440.0).contains(minutes));
    sane.ok_or_else(|| "expected a number of minutes from 0.05 to 1440".to_owned())
}

pub async fn run(options: Torture) -> Result {
    refuse_others()?;
    let Torture { taps, minutes, seed, processes, masters, pooled, json } = options;
    let torture = torture::Torture {
        taps,
        time: Duration::from_secs_f64(minutes * 60.0),
        seed,
        servers: usize::try_from(processes)?,
        masters: usize::try_from(masters)?,
        pooled,
    };
    let shown = stderr().is_terminal();
    let report = torture
        .run(move |done| {
            if shown {
                // A terminal that has gone is no reason to stop.
                drop(write!(stderr(), "\r{done} of {taps} taps"));
            }
        })
        .await?;
    if shown {
        drop(stderr().write_all(b"\r\x1b[K"));
    }
    say(&if json { serde_json::to_string_pretty(&report)? } else { report.to_string() })?;
    if report.holds() { Ok(()) } else { Err("an invariant is broken: see above".into()) }
}

/// Whoever has set a database or a Telegram elsewhere may think that it is tortured.
fn refuse_others() -> Result {
    for variable in ["DATABASE_URL", "TELEGRAM_API_URL"] {
        let elsewhere = environment(variable).filter(|value| !value.is_empty() && !is_here(value));
        if elsewhere.is_some() {
            return Err(format!("{variable} is not of this machine: torture starts a database and a Telegram of its own, and touches no other").into());
        }
    }
    Ok(())
}

/// Whether an address or a connection string leads to this machine.
fn is_here(value: &str) -> bool {
    let host = match reqwest::Url::parse(value) {
        Ok(url) => url.host_str().unwrap_or_default().to_owned(),
        Err(_) => value.split_whitespace().find_map(|part| part.strip_prefix("host=")).unwrap_or_default().to_owned(),
    };
    ["", "localhost", "127.0.0.1", "[::1]", "::1"].contains(&host.as_str()) || host.starts_with('/')
}
