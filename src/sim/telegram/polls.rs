//! What is remembered of a bot's calls for its updates.

use std::time::Duration;

/// The calls of a bot for its updates.
#[derive(Default)]
pub(super) struct Polls {
    /// How many there were.
    pub(super) count: u64,
    /// The one that waits, by its number.
    pub(super) waiting: Option<u64>,
    /// The last one: its offset, and when it came.
    pub(super) last: Option<(i64, Duration)>,
}

impl Polls {
    /// Whether one waits.
    pub(super) fn waits(&self) -> bool {
        self.waiting.is_some()
    }

    /// That call is answered.
    pub(super) fn has_waited(&mut self, number: u64) {
        self.waiting = self.waiting.filter(|waiting| *waiting != number);
    }

    /// Ends the call that waits: there is a webhook now.
    pub(super) fn end(&mut self) {
        self.waiting = None;
    }
}
