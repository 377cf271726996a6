//! What came of it: by fault, by answer, and by invariant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::check::Check;
use super::faults::Faults;
use super::plan::Fault;

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The seed that repeats its plan.
    pub seed: u64,
    /// What the programs reached, and how.
    pub database: String,
    /// Taps and messages of people.
    pub taps: usize,
    /// How long people tapped, in seconds.
    pub seconds: f64,
    /// How many deliveries and requests were answered with what.
    pub deliveries: BTreeMap<&'static str, u64>,
    /// How many taps on offers were answered with what.
    pub answers: BTreeMap<&'static str, u64>,
    /// How many orders there were, by status in the end.
    pub orders: BTreeMap<&'static str, u64>,
    /// How many messages the outbox had, by what became of them.
    pub messages: BTreeMap<String, u64>,
    /// How often each fault happened.
    pub faults: Faults,
    /// By how many seconds the clock of each process was wrong; all 0: there is no libfaketime here.
    pub clocks: Vec<i32>,
    /// How long it took after the last fault until nothing was owed to anybody, in seconds.
    pub settled: f64,
    /// The invariants.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether every invariant holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.checks.iter().all(Check::holds)
    }

    /// The kinds of fault that did not happen.
    fn missing(&self) -> BTreeSet<&'static str> {
        Fault::names().into_iter().filter(|name| !self.faults.contains_key(name)).collect()
    }
}

fn counts<K: fmt::Display>(of: &BTreeMap<K, u64>) -> String {
    of.iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u64 = self.deliveries.values().sum();
        let took = Duration::from_secs_f64(self.seconds);
        writeln!(
            f,
            "Seed {}, {}: {} taps and messages in {took:.0?}; nothing was owed {:.1} s after the last fault.",
            self.seed, self.database, self.taps, self.settled
        )?;
        writeln!(f, "Requests: {all}, answered with {}.", counts(&self.deliveries))?;
        writeln!(f, "Taps on offers were told: {}.", counts(&self.answers))?;
        writeln!(f, "Orders: {}. Messages: {}.", counts(&self.orders), counts(&self.messages))?;
        if self.clocks.iter().all(|clock| *clock == 0) {
            writeln!(f, "Clocks: all right, as libfaketime is not installed.")?;
        } else {
            writeln!(f, "Clocks of the processes, in seconds: {:?}.", self.clocks)?;
        }
        writeln!(f, "\nFault                      times   well again after, at most")?;
        for (name, happened) in &self.faults {
            write!(f, "{name:26} {:5}", happened.times)?;
            match happened.longest_recovery_ms {
                0 => writeln!(f)?,
                longest => {
                    let mean = happened.recovery_ms / u128::from(happened.times.max(1));
                    writeln!(f, "   {mean:6} ms, {longest} ms")?;
                }
            }
        }
        let missing: Vec<_> = self.missing().into_iter().collect();
        if !missing.is_empty() {
            writeln!(f, "It was too short for: {}.", missing.join(", "))?;
        }
        writeln!(f)?;
        for check in &self.checks {
            let number = if check.invariant == 0 { "  ".to_owned() } else { format!("{:2}", check.invariant) };
            let verdict = match (check.holds(), check.looked_at) {
                (false, _) => "BROKEN",
                (true, 0) => "UNSEEN",
                (true, _) => "holds ",
            };
            write!(f, "{number}  {verdict}  {} ({} looked at", check.name, check.looked_at)?;
            match check.excused {
                0 => writeln!(f, ")")?,
                excused => writeln!(f, ", {excused} excused)")?,
            }
            for violation in &check.violations {
                writeln!(f, "            {violation}")?;
            }
            if check.broken > check.violations.len() {
                writeln!(f, "            and {} more", check.broken - check.violations.len())?;
            }
        }
        write!(f, "\n{}", if self.holds() { "All invariants hold." } else { "BROKEN." })
    }
}
