//! Counters: how often each outcome happened.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Counts by subject and outcome, e.g. `offer_accept` and `TAKEN`.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<BTreeMap<(&'static str, &'static str), u64>>);

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
}
