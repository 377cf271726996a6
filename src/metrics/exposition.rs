//! What is counted here and what the database holds, as Prometheus reads it.

use std::fmt::Write;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

use super::list::{COUNTERS, GAUGES};
use super::{Metrics, hold};

type Labels = Vec<(&'static str, String)>;
type Count = Family<Labels, Counter>;
type Sum = Family<Labels, Counter<f64, std::sync::atomic::AtomicU64>>;
type Level = Family<Labels, Gauge<f64, std::sync::atomic::AtomicU64>>;

/// A fact of the database: true whichever process tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact {
    /// Its name, in [`FACTS`].
    pub name: String,
    /// The label's value; empty: it has none.
    pub label: String,
    /// How much.
    pub value: f64,
}

/// The facts of the database: name, label, and what it is.
pub const FACTS: [(&str, &str, &str); 8] = [
    ("orders", "status", "Orders that are not over, by status"),
    ("oldest_unassigned_seconds", "", "For how long the order has been searched for that waits longest"),
    ("outbox_messages", "bot", "Messages that are to be delivered"),
    ("outbox_oldest_seconds", "", "Age of the oldest of them"),
    ("unanswered_escalations", "", "Orders that need a dispatcher, of whom none has been reached"),
    ("recent_offers", "state", "The last thousand offers, by how they ended"),
    ("recent_assignment_seconds", "share", "From an order's creation to its first master, of the last thousand"),
    ("recent_lost_tap_seconds", "share", "By how much taps lost a race, of the last thousand within a day"),
];

impl Metrics {
    /// Everything in Prometheus' text format. `facts`: what the database holds; `jobs`: how long ago each job's last pass
    /// succeeded, in seconds.
    #[must_use]
    pub fn exposition(&self, facts: &[Fact], jobs: &[(&'static str, f64)]) -> String {
        let mut registry = Registry::with_prefix("field_service");
        for (subject, help) in COUNTERS {
            let family = Count::default();
            for ((counted, outcome), count) in &*hold(&self.counts) {
                if *counted == subject {
                    family.get_or_create(&vec![("outcome", (*outcome).to_owned())]).inc_by(*count);
                }
            }
            registry.register(prometheus(subject), help, family);
        }
        for (gauge, help) in GAUGES {
            // What is a fact of the database is read from it.
            let name = prometheus(gauge);
            if let Some(value) = hold(&self.gauges).get(gauge)
                && !FACTS.iter().any(|(fact, ..)| *fact == name)
            {
                registry.register(name, help, level(*value));
            }
        }
        self.register_calls(&mut registry);
        self.register_jobs(&mut registry, jobs);
        for (name, label, help) in FACTS {
            let family = Level::default();
            for fact in facts.iter().filter(|fact| fact.name == name) {
                let labels = if label.is_empty() { Vec::new() } else { vec![(label, fact.label.clone())] };
                family.get_or_create(&labels).set(fact.value);
            }
            registry.register(name, help, family);
        }
        let mut text = String::new();
        if encode(&mut text, &registry).is_err() {
            // A String takes everything.
            let _ = writeln!(text, "# incomplete");
        }
        text
    }

    fn register_calls(&self, registry: &mut Registry) {
        let (runs, seconds, trips) = (Count::default(), Sum::default(), Count::default());
        for (name, statement) in &*hold(&self.statements) {
            let labels = vec![("statement", (*name).to_owned())];
            runs.get_or_create(&labels).inc_by(statement.runs);
            seconds.get_or_create(&labels).inc_by(statement.seconds);
            trips.get_or_create(&labels).inc_by(statement.trips);
        }
        registry.register("statements", "Statements, by name", runs);
        registry.register_with_unit("statements", "Time until statements were answered", Unit::Seconds, seconds);
        registry.register("round_trips", "Round trips to the database, by the statement that began them", trips);
        registry.register_with_unit("pool_wait", "Waits for a connection", Unit::Seconds, self.pool_wait.clone());
        registry.register_with_unit(
            "offer_accept",
            "From a tap that takes an order to the commit of its outcome",
            Unit::Seconds,
            self.accepts.clone(),
        );
        let calls = Count::default();
        for ((method, outcome), count) in &*hold(&self.calls) {
            let labels = vec![("method", (*method).to_owned()), ("outcome", (*outcome).to_owned())];
            calls.get_or_create(&labels).inc_by(*count);
        }
        registry.register("telegram_calls", "Calls to Telegram", calls);
    }

    fn register_jobs(&self, registry: &mut Registry, jobs: &[(&'static str, f64)]) {
        let (failures, passes, ages) = (Count::default(), Level::default(), Level::default());
        for ((job, outcome), count) in &*hold(&self.jobs) {
            let labels = vec![("job", (*job).to_owned()), ("outcome", (*outcome).to_owned())];
            failures.get_or_create(&labels).inc_by(*count);
        }
        for (job, seconds) in &*hold(&self.passes) {
            passes.get_or_create(&vec![("job", (*job).to_owned())]).set(*seconds);
        }
        for (job, seconds) in jobs {
            ages.get_or_create(&vec![("job", (*job).to_owned())]).set(*seconds);
        }
        registry.register("job_failures", "Passes of jobs that failed, and rows that were set aside", failures);
        registry.register_with_unit("job_pass", "How long the last pass took", Unit::Seconds, passes);
        registry.register_with_unit("job_age", "How long ago a pass last succeeded", Unit::Seconds, ages);
    }
}

fn level(value: f64) -> Gauge<f64, std::sync::atomic::AtomicU64> {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

/// The name that Prometheus knows it by, without what all begin with.
fn prometheus(name: &str) -> String {
    name.replace('.', "_")
}
