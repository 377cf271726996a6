//! Counters: how often each outcome happened.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// Counts by subject and outcome, e.g. `offer_accept` and `TAKEN`.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

type Counts = BTreeMap<(&'static str, &'static str), u64>;

impl Metrics {
    /// Counts one more.
    pub fn count(&self, subject: &'static str, outcome: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry((subject, outcome)).or_default() += 1;
    }

    /// How often it was counted so far.
    #[must_use]
    pub fn get(&self, subject: &'static str, outcome: &'static str) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(subject, outcome)).copied().unwrap_or(0)
    }

    /// Takes the counts so far out, as a log line that CloudWatch turns into metrics; `None` if nothing was counted.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    #[must_use]
    pub fn take_embedded(&self, unix_milliseconds: i64) -> Option<Value> {
        let counts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if counts.is_empty() {
            return None;
        }
        let name = |(subject, outcome): &(&str, &str)| format!("{subject}.{outcome}");
        let metrics: Vec<_> = counts.keys().map(|key| json!({"Name": name(key), "Unit": "Count"})).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": unix_milliseconds,
                "CloudWatchMetrics": [{"Namespace": "field-service", "Dimensions": [[]], "Metrics": metrics}],
            }
        });
        for (key, count) in &counts {
            line[name(key)] = json!(count);
        }
        Some(line)
    }

    /// Writes that line to standard output, where Lambda takes it from, if anything was counted.
    pub fn print_embedded(&self) {
        if let Some(line) = self.take_embedded(jiff::Timestamp::now().as_millisecond()) {
            println!("{line}");
        }
    }

    /// All counts in one line, e.g. for the log when a server stops.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let each = counts.iter().map(|((subject, outcome), count)| format!("{subject}.{outcome}={count}"));
        each.collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::Metrics;

    #[test]
    fn counts_become_cloudwatch_metrics_once() {
        let metrics = Metrics::default();
        assert_eq!(metrics.take_embedded(0), None);
        metrics.count("offer_accept", "TAKEN");
        metrics.count("offer_accept", "TAKEN");
        assert_eq!(metrics.summary(), "offer_accept.TAKEN=2");
        let line = metrics.take_embedded(1_770_000_000_000).expect("two were counted");
        assert_eq!(line["offer_accept.TAKEN"], 2);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"], "offer_accept.TAKEN");
        assert_eq!(line["_aws"]["Timestamp"], 1_770_000_000_000_i64);
        assert_eq!(metrics.take_embedded(0), None);
    }
}
