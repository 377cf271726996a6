//! Counters, how often each outcome happened; and gauges, how much there is of something now.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::logging;

/// Counts by subject and outcome, e.g. `offer_accept` and `TAKEN`; and the last value of each gauge.
#[derive(Debug, Default)]
pub struct Metrics {
    counts: Mutex<Counts>,
    gauges: Mutex<Gauges>,
    /// How long the last pass of each job took, in seconds.
    passes: Mutex<Gauges>,
}

type Counts = BTreeMap<(&'static str, &'static str), u64>;
type Gauges = BTreeMap<&'static str, f64>;

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// Counts one more.
    pub fn count(&self, subject: &'static str, outcome: &'static str) {
        self.add(subject, outcome, 1);
    }

    /// Counts so many more.
    pub fn add(&self, subject: &'static str, outcome: &'static str, more: u64) {
        *hold(&self.counts).entry((subject, outcome)).or_default() += more;
    }

    /// Counts the lines that the log has lost since it was last asked.
    pub fn count_lost_lines(&self) {
        match logging::take_lost() {
            0 => {}
            lost => self.add("log", "LOST", lost),
        }
    }

    /// Sets a gauge.
    pub fn measure(&self, name: &'static str, value: f64) {
        hold(&self.gauges).insert(name, value);
    }

    /// Counts the outcome of a pass of a job, or of a row that it came upon.
    pub fn count_job(&self, job: &'static str, outcome: &'static str) {
        self.count(job, outcome);
    }

    /// Notes how long a pass of a job took.
    pub fn measure_job(&self, job: &'static str, took: Duration) {
        hold(&self.passes).insert(job, took.as_secs_f64());
    }

    /// How long the last pass of a job took that succeeded, in seconds.
    #[must_use]
    pub fn pass_seconds(&self, job: &str) -> Option<f64> {
        hold(&self.passes).get(job).copied()
    }

    /// How often it was counted so far.
    #[must_use]
    pub fn get(&self, subject: &'static str, outcome: &'static str) -> u64 {
        hold(&self.counts).get(&(subject, outcome)).copied().unwrap_or(0)
    }

    /// Takes what there is out, as a log line that CloudWatch turns into metrics; `None` if there is nothing.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    #[must_use]
    pub fn take_embedded(&self, unix_milliseconds: i64) -> Option<Value> {
        let counts = std::mem::take(&mut *hold(&self.counts));
        let gauges = std::mem::take(&mut *hold(&self.gauges));
        let passes = std::mem::take(&mut *hold(&self.passes));
        if counts.is_empty() && gauges.is_empty() && passes.is_empty() {
            return None;
        }
        let name = |(subject, outcome): &(&str, &str)| format!("{subject}.{outcome}");
        let counted = counts.keys().map(|key| json!({"Name": name(key), "Unit": "Count"}));
        let unit = |gauge: &str| if gauge.ends_with("_seconds") { "Seconds" } else { "Count" };
        let measured = gauges.keys().map(|gauge| json!({"Name": gauge, "Unit": unit(gauge)}));
        let pass = |job: &str| format!("{job}.pass_seconds");
        let timed = passes.keys().map(|job| json!({"Name": pass(job), "Unit": "Seconds"}));
        let metrics: Vec<_> = counted.chain(measured).chain(timed).collect();
        let mut line = json!({
            "_aws": {
                "Timestamp": unix_milliseconds,
                "CloudWatchMetrics": [{"Namespace": "field-service", "Dimensions": [[]], "Metrics": metrics}],
            }
        });
        for (key, count) in &counts {
            line[name(key)] = json!(count);
        }
        for (gauge, value) in &gauges {
            line[*gauge] = json!(value);
        }
        for (job, seconds) in &passes {
            line[pass(job)] = json!(seconds);
        }
        Some(line)
    }

    /// Writes that line to standard output, where Lambda takes it from, if anything was counted.
    pub fn print_embedded(&self) {
        if let Some(line) = self.take_embedded(jiff::Timestamp::now().as_millisecond()) {
            // Nobody is left to be told if that fails.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// All counts in one line, e.g. for the log when a server stops.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = hold(&self.counts);
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
        metrics.measure("outbox.oldest_seconds", 1.5);
        let line = metrics.take_embedded(0).expect("one was measured");
        assert_eq!(line["outbox.oldest_seconds"], 1.5);
        assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Unit"], "Seconds");
    }
}
