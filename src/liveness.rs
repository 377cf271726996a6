//! Liveness of the jobs: when each last succeeded, for `GET /health`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A job that has not succeeded for so long, beyond its own interval, is dead.
const DEAD_AFTER: Duration = Duration::from_mins(1);

/// When each job of this process last succeeded.
#[derive(Debug, Default)]
pub struct Liveness(Mutex<BTreeMap<&'static str, Beat>>);

#[derive(Clone, Copy, Debug)]
struct Beat {
    /// The end of the last pass that succeeded; before the first one, when the job began.
    at: Instant,
    every: Duration,
}

/// How a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// How long ago a pass last succeeded.
    pub age: Duration,
    /// Whether that is not too long.
    pub alive: bool,
}

impl Liveness {
    /// A job that passes once in `every` has begun or succeeded at that moment.
    pub fn beat(&self, job: &'static str, every: Duration, at: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job, Beat { at, every });
    }

    /// Every job of this process, as it is at that moment; none in a process without jobs.
    #[must_use]
    pub fn pulses(&self, now: Instant) -> BTreeMap<&'static str, Pulse> {
        let beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        beats
            .iter()
            .map(|(job, Beat { at, every })| {
                let age = now.saturating_duration_since(*at);
                (*job, Pulse { age, alive: age <= DEAD_AFTER + *every })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_dead_after_a_minute_without_success_beyond_its_interval() {
        let (liveness, begun) = (Liveness::default(), Instant::now());
        liveness.beat("dispatch", Duration::from_millis(400), begun);
        liveness.beat("forget", Duration::from_mins(1), begun);
        let alive = |seconds| {
            let pulses = liveness.pulses(begun + Duration::from_secs(seconds));
            ["dispatch", "forget"].map(|job| pulses[job].alive)
        };
        assert_eq!([alive(60), alive(61), alive(121)], [[true, true], [false, true], [false, false]]);
        liveness.beat("dispatch", Duration::from_millis(400), begun + Duration::from_secs(100));
        assert_eq!(alive(121), [true, false]);
    }
}
