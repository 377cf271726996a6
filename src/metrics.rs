//! Counters, how often each outcome happened; and gauges, how much there is of something now. What there is is in [`list`]; it is
//! read by Prometheus, or printed for CloudWatch.

mod exposition;
pub mod list;

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use serde_json::{Value, json};

use crate::logging;
pub use exposition::{FACTS, Fact};

/// Counts by subject and outcome, e.g. `offer_accept` and `TAKEN`; and the last value of each gauge.
#[derive(Debug)]
pub struct Metrics {
    counts: Mutex<Counts>,
    /// What went wrong with each job.
    jobs: Mutex<Counts>,
    /// Calls to Telegram, by method and outcome.
    calls: Mutex<Counts>,
    /// What of the counts was printed before.
    printed: Mutex<Counts>,
    gauges: Mutex<Gauges>,
    /// How long the last pass of each job took, in seconds.
    passes: Mutex<Gauges>,
    statements: Mutex<BTreeMap<&'static str, Ran>>,
    pool_wait: Histogram,
    accepts: Family<Vec<(&'static str, &'static str)>, Histogram>,
}

/// How often a statement ran, for how long in all, and how often it began a round trip.
#[derive(Clone, Copy, Debug, Default)]
struct Ran {
    runs: u64,
    seconds: f64,
    trips: u64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            counts: Mutex::default(),
            jobs: Mutex::default(),
            calls: Mutex::default(),
            printed: Mutex::default(),
            gauges: Mutex::default(),
            passes: Mutex::default(),
            statements: Mutex::default(),
            pool_wait: durations(),
            accepts: Family::new_with_constructor(durations),
        }
    }
}

/// From half a millisecond to sixteen seconds, each bound twice the one before.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 16))
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
        debug_assert!(list::COUNTERS.iter().any(|(known, _)| *known == subject), "{subject} is not in the list");
        *hold(&self.counts).entry((subject, outcome)).or_default() += more;
    }

    /// Counts the lines that the log has lost since it was last asked.
    pub fn count_lost_lines(&self) {
        match logging::take_lost() {
            0 => {}
            lost => self.add("log", "LOST", lost),
        }
    }

    /// Notes how long a tap that takes an order took, and what came of it.
    pub fn time_accept(&self, outcome: &'static str, took: Duration) {
        self.accepts.get_or_create(&vec![("outcome", outcome)]).observe(took.as_secs_f64());
    }

    /// Notes how long a connection was waited for.
    pub fn time_pool_wait(&self, waited: Duration) {
        self.pool_wait.observe(waited.as_secs_f64());
    }

    /// Notes that a statement was answered, after so long, and whether it began a round trip.
    pub fn time_statement(&self, name: &'static str, took: Duration, began_a_trip: bool) {
        let mut statements = hold(&self.statements);
        let ran = statements.entry(name).or_default();
        ran.runs += 1;
        ran.seconds += took.as_secs_f64();
        ran.trips += u64::from(began_a_trip);
    }

    /// Counts a call to Telegram.
    pub fn count_call(&self, method: &'static str, outcome: &'static str) {
        *hold(&self.calls).entry((method, outcome)).or_default() += 1;
    }

    /// Sets a gauge.
    pub fn measure(&self, name: &'static str, value: f64) {
        debug_assert!(list::GAUGES.iter().any(|(known, _)| *known == name), "{name} is not in the list");
        hold(&self.gauges).insert(name, value);
    }

    /// Counts the outcome of a pass of a job, or of a row that it came upon.
    pub fn count_job(&self, job: &'static str, outcome: &'static str) {
        *hold(&self.jobs).entry((job, outcome)).or_default() += 1;
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
        let of = |counts: &Mutex<Counts>| hold(counts).get(&(subject, outcome)).copied();
        of(&self.counts).or_else(|| of(&self.jobs)).unwrap_or(0)
    }

    /// Takes what there is out, as a log line that CloudWatch turns into metrics; `None` if there is nothing.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>
    #[must_use]
    pub fn take_embedded(&self, unix_milliseconds: i64) -> Option<Value> {
        let counts = self.not_printed_yet();
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

    /// What was counted since this was last asked.
    fn not_printed_yet(&self) -> Counts {
        let mut printed = hold(&self.printed);
        let mut counts = hold(&self.counts).clone();
        counts.extend(hold(&self.jobs).iter());
        let more = |(key, count): (&_, &u64)| Some((*key, count - printed.get(key).copied().unwrap_or(0)));
        let fresh = counts.iter().filter_map(more).filter(|(_, count)| *count > 0).collect();
        *printed = counts;
        fresh
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
