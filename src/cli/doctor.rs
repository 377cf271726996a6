//! `doctor`: what is wrong with this installation, a line each, and what to do about it.

use std::process::ExitCode;

use clap::Args;
use field_service::config::environment;
use field_service::doctor::{self, Before};
use field_service::logging::printable;
use field_service::model::doctor::finding::{Check, Finding, Level, Report, Verdict};
use field_service::store::Clock;
use serde_json::{Value, json};

use super::{Result, say};

#[derive(Args)]
pub struct Doctor {
    /// Print one JSON object, for monitoring
    #[arg(long)]
    json: bool,
    /// Fail over warnings too
    #[arg(long)]
    strict: bool,
}

/// Says what was found; the exit code says what it all means.
pub async fn run(Doctor { json, strict }: &Doctor, before: Before) -> Result<ExitCode> {
    let report = doctor::examine(&environment, Clock::default(), before).await;
    let verdict = report.verdict(*strict);
    if *json {
        say(&serde_json::to_string_pretty(&as_json(&report, verdict))?)?;
    } else {
        say(&as_text(&report))?;
    }
    Ok(ExitCode::from(verdict.exit_code()))
}

fn as_text(report: &Report) -> String {
    let of = |check: &Check| check.findings.iter().map(|finding| line(check.name, finding)).collect::<Vec<_>>();
    let mut lines: Vec<_> = report.checks.iter().flat_map(of).collect();
    let [wrong, warnings, unchecked] =
        [Level::Wrong, Level::Warning, Level::Unchecked].map(|level| report.count(level));
    lines.push(if wrong + warnings + unchecked == 0 {
        "everything is fine".to_owned()
    } else {
        format!("wrong: {wrong}, warnings: {warnings}, unchecked: {unchecked}")
    });
    lines.join("\n")
}

fn line(check: &str, Finding { level, what, remedy, .. }: &Finding) -> String {
    let level = match level {
        Level::Wrong => "WRONG",
        level => level.as_str(),
    };
    let remedy = remedy.as_ref().map(|remedy| format!(" -> {remedy}")).unwrap_or_default();
    // Whatever was read, it is one line.
    format!("{level:<10}{check:<12}{what}{remedy}").replace(['\n', '\r'], " ")
}

fn as_json(report: &Report, verdict: Verdict) -> Value {
    let of = |check: &Check| -> Vec<Value> {
        let finding = |Finding { level, code, what, remedy }: &Finding| {
            // Before it is JSON: what would be escaped after that is no JSON any more.
            let (what, remedy) = (printable(what), remedy.as_deref().map(printable));
            json!({"check": check.name, "level": level.as_str(), "code": code, "what": what, "remedy": remedy})
        };
        check.findings.iter().map(finding).collect()
    };
    let findings: Vec<_> = report.checks.iter().flat_map(of).collect();
    json!({"verdict": verdict.as_str(), "findings": findings})
}
