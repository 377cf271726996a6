//! What Prometheus reads, and that what watches the system asks for nothing that is not there.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use field_service::metrics::list::{COUNTERS, GAUGES};
use serde_json::{Value, json};

use crate::harness::{ANNA, BORIS, Dispatch, METRICS_TOKEN};

impl Dispatch {
    async fn metrics(&self) -> String {
        let answer = self.holding(METRICS_TOKEN).get("/metrics").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.text
    }
}

/// The value of a line that begins so.
fn value(text: &str, line: &str) -> f64 {
    let rest =
        text.lines().find_map(|known| known.strip_prefix(line)).unwrap_or_else(|| panic!("no {line} in\n{text}"));
    rest.trim().parse().unwrap_or_else(|error| panic!("{line}{rest}: {error}"))
}

#[tokio::test]
async fn races_redeliveries_and_what_the_database_holds_are_told() {
    let t = Dispatch::start().await;
    let (order, _) = (t.order().offered_to([ANNA, BORIS]).await, t.order().offered_to([ANNA]).await);
    let tap = t.chat(ANNA).tap_update(&format!("m:new:acc:{order}"));
    t.chat(ANNA).deliver(tap.clone()).await;
    t.tap_accept(BORIS, order).await;
    t.chat(ANNA).deliver(tap).await;
    let text = t.metrics().await;
    for (line, expected) in [
        ("field_service_offer_accept_total{outcome=\"SUCCESS\"}", 1.0),
        ("field_service_offer_accept_total{outcome=\"TAKEN\"}", 1.0),
        ("field_service_offer_accept_total{outcome=\"ALREADY_YOURS\"}", 1.0),
        ("field_service_offer_accept_seconds_count{outcome=\"TAKEN\"}", 1.0),
        ("field_service_redelivery_total{outcome=\"RECOGNISED\"}", 1.0),
        ("field_service_orders{status=\"ASSIGNED\"}", 1.0),
        ("field_service_orders{status=\"SEARCHING\"}", 1.0),
        ("field_service_recent_offers{state=\"ACCEPTED\"}", 1.0),
        ("field_service_recent_offers{state=\"SENT\"}", 1.0),
        ("field_service_unanswered_escalations", 0.0),
    ] {
        assert_eq!(value(&text, line).to_bits(), f64::to_bits(expected), "{line}\n{text}");
    }
    assert!(value(&text, "field_service_telegram_calls_total{method=\"answerCallbackQuery\",outcome=\"OK\"}") >= 3.0);
    assert!(value(&text, "field_service_statements_total{statement=\"facts.read\"}") >= 3.0);
    assert!(value(&text, "field_service_pool_wait_seconds_count") > 0.0);
    assert!(value(&text, "field_service_outbox_messages{bot=\"MASTER\"}") >= 0.0);
    assert!(value(&text, "field_service_recent_lost_tap_seconds{share=\"0.5\"}") >= 0.0);
    // An acceptance is two round trips: what locks and reads, and what acts.
    assert!(text.contains("field_service_round_trips_total{statement="), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn metrics_are_shown_to_who_has_the_token_and_while_the_database_is_away() {
    let t = Dispatch::start().await;
    for token in ["", "x", "fs_1_x"] {
        assert_eq!(t.holding(token).get("/metrics").await.status, 401);
    }
    t.app.store.close();
    let text = t.metrics().await;
    assert!(text.contains("field_service_pool_wait_seconds"), "{text}");
    assert!(!text.contains("field_service_orders{"), "what is not known is not told");
}

/// The names of metrics in an expression.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    words.filter(|word| word.starts_with("field_service_")).map(ToOwned::to_owned).collect()
}

fn deploy(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The expressions of the dashboard's panels.
fn panels() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&deploy("grafana.json")).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    targets.map(|target| target["expr"].as_str().expect("an expression").to_owned()).collect()
}

impl Dispatch {
    /// What is scraped once everything has happened: what has not is not told.
    async fn metrics_of_everything(&self) -> String {
        let order = self.order().offered_to([ANNA, BORIS]).await;
        self.tap_accept(ANNA, order).await;
        self.tap_accept(BORIS, order).await;
        for (subject, _) in COUNTERS {
            self.app.metrics.count(subject, "SUCCESS");
        }
        for (gauge, _) in GAUGES {
            self.app.metrics.measure(gauge, 1.0);
        }
        self.app.metrics.count_job("deliver", "FAILED");
        self.app.liveness.beat("deliver", Duration::from_secs(1), Instant::now());
        self.metrics().await
    }
}

#[tokio::test]
async fn every_chart_and_alert_asks_for_what_there_is() {
    let t = Dispatch::start().await;
    let text = t.metrics_of_everything().await;
    let type_of = |line: &str| {
        line.strip_prefix("# TYPE ")
            .and_then(|rest| rest.split_once(' '))
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
    };
    let mut known = BTreeSet::new();
    for (name, kind) in text.lines().filter_map(type_of) {
        match kind.as_str() {
            "counter" => drop(known.insert(format!("{name}_total"))),
            "histogram" => known.extend(["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}"))),
            _ => drop(known.insert(name)),
        }
    }
    let mut asked = named(&deploy("alerts.yaml"));
    assert!(!asked.is_empty());
    for expression in panels() {
        let names = named(&expression);
        assert!(!names.is_empty(), "{expression}");
        // Each label that it groups by is one of each metric that it asks for.
        let grouped = expression.split("by (").nth(1).and_then(|rest| rest.split(')').next()).unwrap_or_default();
        for label in grouped.split(", ").filter(|label| !label.is_empty()) {
            let has = |name: &&String| {
                text.lines().any(|line| line.starts_with(&format!("{name}{{")) && line.contains(&format!("{label}=")))
            };
            assert!(names.iter().all(|name| has(&name)), "{expression}: {label}");
        }
        asked.extend(names);
    }
    let missing: Vec<_> = asked.difference(&known).collect();
    assert!(missing.is_empty(), "{missing:?} are asked for, and there are {known:?}");
}

/// Prometheus' own tool reads what is scraped, the alerts, and each panel's expression as if it were a rule. It is in Debian's package
/// `prometheus`; without it this says so loudly.
#[tokio::test]
async fn prometheus_own_tool_understands_all_of_it() {
    let t = Dispatch::start().await;
    let folder = std::env::temp_dir().join(format!("fs-rules-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let rule = |(number, expression): (usize, String)| json!({"record": format!("panel:{number}"), "expr": expression});
    let rules: Vec<_> = panels().into_iter().enumerate().map(rule).collect();
    let scraped = folder.join("scraped.txt");
    let text = t.metrics_of_everything().await;
    std::fs::write(folder.join("panels.yaml"), json!({"groups": [{"name": "panels", "rules": rules}]}).to_string())
        .expect("a file");
    std::fs::write(folder.join("alerts.yaml"), deploy("alerts.yaml")).expect("a file");
    std::fs::write(&scraped, text).expect("a file");
    for (arguments, input) in [
        (["check", "rules", "panels.yaml"].as_slice(), None),
        (&["check", "rules", "alerts.yaml"], None),
        (&["check", "metrics"], Some(&scraped)),
    ] {
        let input = input.map_or_else(Stdio::null, |file| std::fs::File::open(file).expect("the file").into());
        match Command::new("promtool").args(arguments).current_dir(&folder).stdin(input).output() {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                // It takes OpenMetrics for the older format, in which a counter's help stands beside its whole name.
                let wrong: Vec<_> = said.lines().filter(|line| !line.ends_with("_total no help text")).collect();
                assert!(output.status.success() || !said.is_empty() && wrong.is_empty(), "{arguments:?}: {said}");
            }
            Err(_) => writeln!(std::io::stderr(), "NOT RUN: promtool is not here (apt install prometheus)")
                .expect("standard error"),
        }
    }
    std::fs::remove_dir_all(folder).expect("the folder");
}

#[test]
fn the_list_is_in_order_and_names_nothing_twice() {
    let subjects: Vec<_> = COUNTERS.iter().map(|(subject, _)| *subject).collect();
    assert!(subjects.is_sorted() && GAUGES.iter().map(|(gauge, _)| gauge).is_sorted());
    assert_eq!(subjects.iter().collect::<BTreeSet<_>>().len(), subjects.len());
}
