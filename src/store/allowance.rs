//! An allowance for what helps seldom and costs much: some at once, and one more after each pause.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often something may be done, whoever asks.
#[derive(Debug)]
pub(super) struct Allowance {
    burst: u32,
    every: Duration,
    /// By this moment all of it is there again.
    whole_at: Mutex<Option<Instant>>,
}

impl Allowance {
    /// `burst` times at once; after that once in `every`.
    pub(super) fn new(burst: u32, every: Duration) -> Self {
        Self { burst, every, whole_at: Mutex::default() }
    }

    /// Whether it may be done at this moment; then it counts as done.
    pub(super) fn take(&self, now: Instant) -> bool {
        let mut whole_at = self.whole_at.lock().unwrap_or_else(PoisonError::into_inner);
        let then = whole_at.map_or(now, |at| at.max(now)) + self.every;
        let may = then.saturating_duration_since(now) <= self.every * self.burst;
        if may {
            *whole_at = Some(then);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_and_then_one_after_each_pause() {
        let (allowance, begun) = (Allowance::new(2, Duration::from_secs(5)), Instant::now());
        let take = |seconds| allowance.take(begun + Duration::from_secs(seconds));
        assert_eq!([take(0), take(0), take(0), take(4)], [true, true, false, false]);
        assert_eq!([take(5), take(5), take(9), take(10)], [true, false, false, true]);
        assert_eq!([take(100), take(100), take(100)], [true, true, false], "it is not saved up");
    }
}
