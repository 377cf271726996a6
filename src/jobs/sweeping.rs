//! One pass of a sweep. Rows that could not be changed are left alone for a while, so that they cost one error a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Jobs;
use crate::store;
use crate::store::sweeps::{Sweep, Swept};

/// How soon a row that was set aside is tried again.
const AGAIN: Duration = Duration::from_mins(1);

/// Rows that sweeps of this process have set aside, and when.
#[derive(Default)]
pub(super) struct SetAside(Mutex<HashMap<(&'static str, i64), Instant>>);

impl SetAside {
    /// The rows that a sweep leaves alone now.
    fn rows(&self, sweep: &'static str) -> Vec<i64> {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rows.retain(|_, since| since.elapsed() < AGAIN);
        rows.keys().filter(|(name, _)| *name == sweep).map(|(_, row)| *row).collect()
    }

    fn add(&self, sweep: &'static str, rows: &[i64]) {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(rows.iter().map(|row| ((sweep, *row), now)));
    }
}

impl Jobs {
    /// One pass; how many changes it made.
    pub(super) async fn sweep(&self, sweep: &'static Sweep) -> Result<usize, store::Error> {
        let mut swept = Swept::default();
        let result = sweep.run(&self.bots.store, &self.set_aside.rows(sweep.name), &mut swept).await;
        let Swept { changed, set_aside } = swept;
        if !set_aside.is_empty() {
            self.set_aside.add(sweep.name, &set_aside);
            self.bots.metrics.count_job(sweep.name, "SET_ASIDE");
        }
        if changed > 0 {
            tracing::info!(job = sweep.name, changed, "{}: changed={changed}", sweep.name);
            // Most of them have enqueued something.
            self.bots.enqueued.notify_one();
        }
        result.map(|()| changed)
    }
}
