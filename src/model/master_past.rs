//! What a master was earlier, as far as that decides who is asked: the master of today, of whom the changes since are taken back.
//!
//! Changes are read from `master_changes`; both who explains a wave later and who plays a day again stand on this.

use jiff::Timestamp;

use super::order::Category;
use super::selection::Candidate;

/// A master today, and what has changed since a moment.
#[derive(Clone, Debug)]
pub struct MasterPast {
    /// As today; orders and offers are not counted, and the limit is not known yet.
    pub today: Candidate,
    /// The full name.
    pub name: String,
    /// The limit of the master's own.
    pub own_limit: Option<i64>,
    /// Since when there is such a master.
    pub known_since: Timestamp,
    /// When the master was last asked before that moment.
    pub asked_before: Option<Timestamp>,
    /// When the master could be asked again by that moment, as far as it was written down: see [`Candidate::on_shift_since`].
    pub came_before: Option<Timestamp>,
    /// What was changed since, the last change first.
    pub changes: Vec<Change>,
}

/// A change of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Of what.
    pub what: Changed,
}

/// What was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The master was let in.
    Added,
    /// On shift since, or not.
    Shift(bool),
    /// Whether blocked, before and since.
    Blocked([bool; 2]),
    /// Staff have let the master in, who was blocked until then.
    Approved,
    /// Since then the bot cannot write to the master, or can.
    Unreachable(bool),
    /// The bot could write to the master all the time, but for a fault of its own: he waits on.
    UnreachableWithdrawn,
    /// How many orders at once, before and since; `None`: as the policy says.
    Limit([Option<i64>; 2]),
    /// A trade that was added, or taken away.
    Trade(Category, bool),
    /// A district that was added, or taken away.
    District(i64, bool),
    /// The city, before.
    City(i64),
}

impl Changed {
    /// Whether the master waits anew from then on.
    fn begins_the_wait(self) -> bool {
        matches!(self, Self::Shift(true) | Self::Blocked([true, false]) | Self::Unreachable(false))
    }

    /// Takes it back. To have been let in is left to the reader: see [`MasterPast::known_since`].
    fn undo(self, master: &mut Candidate, own_limit: &mut Option<i64>) {
        match self {
            Self::Added => {}
            Self::Shift(on) => master.on_shift = !on,
            Self::Blocked([was, _]) => master.blocked = was,
            Self::Approved => master.waiting = true,
            Self::Unreachable(unreachable) => master.unreachable = !unreachable,
            Self::UnreachableWithdrawn => master.unreachable = true,
            Self::Limit([was, _]) => *own_limit = was,
            Self::Trade(trade, added) => set(&mut master.categories, trade, !added),
            Self::District(district, added) => set(&mut master.districts, district, !added),
            Self::City(was) => master.city = was,
        }
    }
}

fn set<T: PartialEq>(all: &mut Vec<T>, one: T, has: bool) {
    all.retain(|other| *other != one);
    if has {
        all.push(one);
    }
}

impl MasterPast {
    /// The master as before these of the changes, which come in their order. `limit`: of whoever has none of the own.
    #[must_use]
    pub fn before<'a>(&self, changes: impl IntoIterator<Item = &'a Change>, limit: i64) -> Candidate {
        let mut then = self.today.clone();
        let mut own_limit = self.own_limit;
        for change in changes {
            change.what.undo(&mut then, &mut own_limit);
        }
        Candidate { limit: own_limit.unwrap_or(limit), ..then }
    }

    /// Since when the master waited at a moment, if nobody had asked meanwhile.
    #[must_use]
    pub fn came(&self, at: Timestamp) -> Timestamp {
        let earlier = self.changes.iter().filter(|change| change.at <= at && change.what.begins_the_wait());
        earlier.map(|change| change.at).max().or(self.came_before).unwrap_or(self.known_since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::selection::plumber;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn past(changes: &[(i64, Changed)]) -> MasterPast {
        MasterPast {
            today: Candidate { districts: vec![7], ..plumber(1) },
            name: "Анна".to_owned(),
            own_limit: Some(4),
            known_since: at(1),
            asked_before: None,
            came_before: None,
            changes: changes.iter().map(|(second, what)| Change { at: at(*second), what: *what }).collect(),
        }
    }

    #[test]
    fn changes_are_taken_back_from_the_last_one_on() {
        let changed = past(&[
            (10, Changed::Blocked([true, false])),
            (9, Changed::Unreachable(false)),
            (8, Changed::Trade(Category::Windows, false)),
            (7, Changed::Trade(Category::Plumbing, true)),
            (6, Changed::District(7, true)),
            (5, Changed::Limit([None, Some(4)])),
            (4, Changed::City(2)),
            (3, Changed::Shift(true)),
            (2, Changed::Shift(false)),
        ]);
        let first = changed.before(&changed.changes, 5);
        assert!(first.on_shift && first.blocked && first.unreachable);
        assert_eq!(
            (first.limit, first.city, first.categories, first.districts),
            (5, 2, vec![Category::Windows], vec![])
        );
        let half = changed.before(changed.changes.iter().take(4), 5);
        assert!(half.on_shift && half.blocked);
        assert_eq!((half.limit, half.city, half.districts), (4, 1, vec![7]));
        assert_eq!(changed.before(&[], 5).limit, 4);
    }

    #[test]
    fn whoever_came_back_waits_since_then() {
        let changed = past(&[(9, Changed::Shift(true)), (8, Changed::Shift(false)), (5, Changed::Shift(true))]);
        assert_eq!([4, 5, 8, 9].map(|second| changed.came(at(second))), [at(1), at(5), at(5), at(9)]);
        let blocked = past(&[(9, Changed::Blocked([true, false])), (8, Changed::Blocked([true, true]))]);
        assert_eq!([8, 9].map(|second| blocked.came(at(second))), [at(1), at(9)]);
        let away = past(&[(9, Changed::Unreachable(false)), (8, Changed::Unreachable(true))]);
        assert_eq!([8, 9].map(|second| away.came(at(second))), [at(1), at(9)]);
        let withdrawn = past(&[(9, Changed::UnreachableWithdrawn), (8, Changed::Unreachable(true))]);
        assert_eq!([8, 9].map(|second| withdrawn.came(at(second))), [at(1), at(1)], "by no fault of his");
        assert!(withdrawn.before(&withdrawn.changes[..1], 5).unreachable);
        let known = MasterPast { came_before: Some(at(3)), ..changed };
        assert_eq!([4, 7].map(|second| known.came(at(second))), [at(3), at(5)]);
    }
}
