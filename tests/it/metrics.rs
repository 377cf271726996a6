//! What Prometheus reads, and that what watches the system asks for nothing that is not there.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use field_service::metrics::list::{COUNTERS, GAUGES};
use serde_json::Value;

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
    assert!(value(&text, "field_service_recent_lost_tap_seconds{quantile=\"0.5\"}") >= 0.0);
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

#[tokio::test]
async fn every_chart_and_alert_asks_for_what_there_is() {
    let t = Dispatch::start().await;
    let order = t.order().offered_to([ANNA, BORIS]).await;
    t.tap_accept(ANNA, order).await;
    t.tap_accept(BORIS, order).await;
    // What has not happened is not told: let all of it have happened once.
    for (subject, _) in COUNTERS {
        t.app.metrics.count(subject, "SUCCESS");
    }
    for (gauge, _) in GAUGES {
        t.app.metrics.measure(gauge, 1.0);
    }
    t.app.metrics.count_job("deliver", "FAILED");
    t.app.liveness.beat("deliver", Duration::from_secs(1), Instant::now());
    let text = t.metrics().await;
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
    let dashboard: Value = serde_json::from_str(&deploy("grafana.json")).expect("JSON");
    let mut asked = named(&deploy("alerts.yaml"));
    assert!(!asked.is_empty());
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let names = named(target["expr"].as_str().expect("an expression"));
            assert!(!names.is_empty(), "{target}");
            asked.extend(names);
        }
    }
    let missing: Vec<_> = asked.difference(&known).collect();
    assert!(missing.is_empty(), "{missing:?} are asked for, and there are {known:?}");
}

/// Prometheus' own tool reads what there is, and the rules. It is in Debian's package `prometheus`; without it this says so loudly.
#[tokio::test]
async fn prometheus_own_tool_reads_the_rules() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/alerts.yaml");
    match Command::new("promtool").args(["check", "rules"]).arg(rules).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => eprintln!("NOT RUN: promtool is not here (apt install prometheus)"),
    }
}

#[test]
fn the_list_is_in_order_and_names_nothing_twice() {
    let subjects: Vec<_> = COUNTERS.iter().map(|(subject, _)| *subject).collect();
    assert!(subjects.is_sorted() && GAUGES.iter().map(|(gauge, _)| gauge).is_sorted());
    assert_eq!(subjects.iter().collect::<BTreeSet<_>>().len(), subjects.len());
}
