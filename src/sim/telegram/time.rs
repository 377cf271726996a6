//! Telegram's clocks: one that tells the time of day, and one by which it waits, which can be put forward.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::watch;

/// The clock of lifetimes and waits. It runs with the machine's until it is [stopped](Self::stop), and
/// [`pass`](Self::pass) puts it forward, so that nobody need sit through two minutes to see what happens after them.
#[derive(Clone, Debug)]
pub(super) struct Time {
    started: Instant,
    ahead: watch::Sender<Ahead>,
}

#[derive(Clone, Copy, Debug)]
struct Ahead {
    by: Duration,
    runs: bool,
}

impl Default for Time {
    fn default() -> Self {
        Self { started: Instant::now(), ahead: watch::Sender::new(Ahead { by: Duration::ZERO, runs: true }) }
    }
}

impl Time {
    /// Since the clock was made.
    pub(super) fn now(&self) -> Duration {
        let Ahead { by, runs } = *self.ahead.borrow();
        if runs { self.started.elapsed() + by } else { by }
    }

    /// Puts it forward.
    pub(super) fn pass(&self, by: Duration) {
        self.ahead.send_modify(|ahead| ahead.by += by);
    }

    /// From now on it moves only when it is put forward.
    pub(super) fn stop(&self) {
        let by = self.now();
        self.ahead.send_replace(Ahead { by, runs: false });
    }

    /// Ready at that time, which may come sooner than it seems.
    pub(super) async fn until(&self, at: Duration) {
        let mut ahead = self.ahead.subscribe();
        loop {
            let left = at.saturating_sub(self.now());
            if left.is_zero() {
                return;
            }
            let runs = ahead.borrow_and_update().runs;
            tokio::select! {
                () = tokio::time::sleep(left), if runs => {}
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

/// A time of day in whole seconds, as the Bot API tells it.
#[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
pub(super) fn seconds(milliseconds: f64) -> i64 {
    (milliseconds / 1000.0) as i64
}
