//! `torture`, for half a minute: a few faults of each lane, a few hundred taps, and every promise holds afterwards.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

use crate::harness::BARE_FOLDER;

async fn torture(args: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_field-service"));
    command
        .current_dir(BARE_FOLDER)
        .arg("torture")
        .args(args)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[tokio::test]
async fn a_short_torture_breaks_nothing() {
    // As many taps as there is time for, so that there are faults however quick the machine is.
    let args = ["--taps", "100000", "--minutes", "0.2", "--seed", "7", "--processes", "2", "--masters", "24", "--json"];
    let (holds, said) = torture(&args, &[]).await;
    assert!(holds, "{said}");
    let report: Value = serde_json::from_str(&said).expect("a report");
    assert!(report["taps"].as_u64() > Some(100), "{said}");
    assert!(report["answers"]["accepted"].as_u64() > Some(0), "{said}");
    assert!(report["faults"].as_object().is_some_and(|faults| faults.len() > 5), "{said}");
    let checks = report["checks"].as_array().expect("checks");
    let numbers = |number: u64| checks.iter().any(|check| check["invariant"].as_u64() == Some(number));
    assert!((1..=11).all(numbers), "{said}");
}

#[tokio::test]
async fn a_database_or_a_telegram_elsewhere_is_refused() {
    for variables in [
        ("DATABASE_URL", "postgresql://user@db.example.org/name"),
        ("DATABASE_URL", "host=10.0.0.1 user=x dbname=y"),
        ("TELEGRAM_API_URL", "https://api.telegram.org"),
    ] {
        let (done, said) = torture(&["--taps", "1"], &[variables]).await;
        assert!(!done && said.contains(variables.0) && said.contains("not of this machine"), "{said}");
    }
}
