//! Who waits at this moment to hear what a draft of a policy would have done: that takes seconds, and a connection.
//!
//! Few at a time, so that nobody takes the connections and the turns of everybody else; and each once, however often he asks and by
//! however many tokens, so that no one person takes the places of all others.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::StaffId;

/// How many people may wait at a time.
const PLACES: usize = 3;

/// Those who wait.
#[derive(Debug, Default)]
pub struct Replays {
    waiting: Mutex<HashSet<StaffId>>,
}

/// Leave to wait, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Permit<'a> {
    of: &'a Replays,
    who: StaffId,
}

impl Replays {
    /// Lets somebody wait. `None`: too many do, or that person does already.
    pub fn enter(&self, who: StaffId) -> Option<Permit<'_>> {
        let mut waiting = self.waiting();
        // Not before it is one: to drop it takes the lock that is held here.
        (waiting.len() < PLACES && waiting.insert(who)).then(|| Permit { of: self, who })
    }

    fn waiting(&self) -> MutexGuard<'_, HashSet<StaffId>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.of.waiting().remove(&self.who);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_leaves_places_for_others() {
        let replays = Replays::default();
        let first = replays.enter(StaffId(1)).expect("a place");
        assert!(replays.enter(StaffId(1)).is_none(), "who has one already");
        let others = [2, 3].map(|id| replays.enter(StaffId(id)).expect("a place"));
        assert!(replays.enter(StaffId(4)).is_none(), "there is none left");
        drop(first);
        assert!(replays.enter(StaffId(4)).is_some());
        drop(others);
        assert!(replays.enter(StaffId(1)).is_some(), "again, once he has heard");
    }
}
