//! Telegram's clocks: one that tells the time of day, and one by which it waits, which can be put forward.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The clock of lifetimes and waits. It runs with the machine's, and [`pass`](Self::pass) puts it forward, so that
/// nobody need sit through two minutes to see what happens after them.
#[derive(Clone, Debug)]
pub(super) struct Time {
    started: Instant,
    ahead: watch::Sender<Duration>,
}

impl Default for Time {
    fn default() -> Self {
        Self { started: Instant::now(), ahead: watch::Sender::new(Duration::ZERO) }
    }
}

impl Time {
    /// Since the clock was made.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed() + *self.ahead.borrow()
    }

    /// Puts it forward.
    pub(super) fn pass(&self, by: Duration) {
        self.ahead.send_modify(|ahead| *ahead += by);
    }

    /// Ready at that time, which may come sooner than it seems.
    pub(super) async fn until(&self, at: Duration) {
        let mut ahead = self.ahead.subscribe();
        loop {
            let left = at.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                // Never an error: `self` keeps the sender.
                _ = ahead.changed() => {}
            }
        }
    }
}

/// The time of day, in milliseconds since 1970: what PostgreSQL's clock on the same machine can be compared with.
pub(in crate::sim) fn wall_clock() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1000.0
}
