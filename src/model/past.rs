//! A day that was: its orders, the masters as they were, and how each of them answered. What `replay` plays again.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use super::order::Category;
use super::policy::Policy;
use super::selection::Candidate;
use super::{MasterId, OfferState, OrderId};

/// What happened between two moments.
#[derive(Clone, Debug)]
pub struct Past {
    /// From when.
    pub from: Timestamp,
    /// Until when; orders whose search began then are not among it.
    pub until: Timestamp,
    /// The policy in force when it began.
    pub policy: PastPolicy,
    /// The masters of its cities as they were at the beginning.
    pub masters: Vec<Candidate>,
    /// What changed of them until the end.
    pub changes: Vec<PastChange>,
    /// The orders whose search began, in the order in which it did.
    pub orders: Vec<PastOrder>,
    /// To whom they were offered in that search.
    pub offers: Vec<PastOffer>,
    /// How masters answered offers of any order, before and during that time.
    pub answers: Vec<PastAnswer>,
    /// When orders that masters had at the beginning were off their hands.
    pub finished: Vec<(MasterId, Timestamp)>,
}

/// A policy with what the choice of masters does not need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastPolicy {
    /// By which searches go.
    pub policy: Policy,
    /// After how long staff are called.
    pub escalate_after_seconds: i32,
    /// How many orders a master may have at once of whom nothing else is said.
    pub max_active_orders: i64,
}

/// An order and what came of its first search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastOrder {
    /// Which.
    pub id: OrderId,
    /// Its city.
    pub city: i64,
    /// Its district.
    pub district: Option<i64>,
    /// Its trade.
    pub category: Category,
    /// Who was asked first.
    pub preferred: Option<MasterId>,
    /// When its search began: when it was made, or woken.
    pub began_at: Timestamp,
    /// How the search ended; `None`: it had not.
    pub ended: Option<PastEnd>,
    /// For how long the master had it; `None`: it is not known, or it is not over.
    pub work: Option<SignedDuration>,
    /// Whether it has ever needed staff.
    pub escalated: bool,
    /// Taps that came after it was taken.
    pub lost_taps: u32,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastEnd {
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: Ended,
}

/// How it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// That master accepted.
    Accepted(MasterId),
    /// Staff gave it to that master.
    Given(MasterId),
    /// Canceled, or otherwise without a master.
    Otherwise,
}

/// An offer of one of the orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastOffer {
    /// Of which order.
    pub order: OrderId,
    /// What came of it.
    pub answer: PastAnswer,
}

/// How a master answered an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastAnswer {
    /// Who.
    pub master: MasterId,
    /// How long after it was sent.
    pub after: SignedDuration,
    /// How.
    pub answered: Answered,
}

/// How it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// Took the order.
    Took,
    /// Declined.
    Declined,
    /// Let its time pass.
    Passed,
    /// Was not waited for: another took the order, or it was canceled. How the master would have answered later nobody knows.
    Cut,
}

impl Answered {
    /// What an offer says of its master. `took`: whether the master had accepted, which is no longer seen of an order that was
    /// given back.
    #[must_use]
    pub fn of(state: OfferState, took: bool) -> Self {
        match state {
            OfferState::Accepted => Self::Took,
            OfferState::Canceled if took => Self::Took,
            OfferState::Declined => Self::Declined,
            OfferState::Expired => Self::Passed,
            OfferState::Sent | OfferState::Viewed | OfferState::Canceled => Self::Cut,
        }
    }
}

/// Something that changed of a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastChange {
    /// When.
    pub at: Timestamp,
    /// Of whom.
    pub master: MasterId,
    /// What it was, and what it is since.
    pub what: Changed,
}

/// What it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The master was let in.
    Added,
    /// On shift since, or not.
    Shift(bool),
    /// Whether blocked, before and since.
    Blocked([bool; 2]),
    /// Since then the bot cannot write to the master, or can.
    Unreachable(bool),
    /// How many orders at once, before and since; `None`: as the policy says.
    Limit([Option<i64>; 2]),
    /// A trade that was added, or taken away.
    Trade(Category, bool),
    /// A district that was added, or taken away.
    District(i64, bool),
}

/// Takes changes back, the last one first, so that masters are as they were before all of them. `limit`: of those of whom nothing
/// else is said.
///
/// Who was added since is blocked until then, and has the trades and districts of today, which were entered afterwards.
pub fn rewind(masters: &mut [Candidate], changes: &[PastChange], limit: i64) {
    let new: HashSet<MasterId> =
        changes.iter().filter(|change| change.what == Changed::Added).map(|change| change.master).collect();
    let places: HashMap<MasterId, usize> =
        masters.iter().enumerate().map(|(place, master)| (master.id, place)).collect();
    for PastChange { master, what, .. } in changes.iter().rev() {
        let Some(place) = places.get(master) else { continue };
        let (master, is_new) = (&mut masters[*place], new.contains(master));
        match *what {
            Changed::Added => master.blocked = true,
            Changed::Shift(on) => master.on_shift = !on,
            Changed::Blocked([was, _]) => master.blocked = was,
            Changed::Unreachable(unreachable) => master.unreachable = !unreachable,
            Changed::Limit([was, _]) => master.limit = was.unwrap_or(limit),
            Changed::Trade(..) | Changed::District(..) if is_new => {}
            Changed::Trade(trade, added) => set(&mut master.categories, trade, !added),
            Changed::District(district, added) => set(&mut master.districts, district, !added),
        }
    }
}

fn set<T: PartialEq>(all: &mut Vec<T>, one: T, has: bool) {
    all.retain(|other| *other != one);
    if has {
        all.push(one);
    }
}

impl Past {
    /// Together with what happened in another city at the same time.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.masters.extend(other.masters);
        self.changes.extend(other.changes);
        self.changes.sort_by_key(|change| change.at);
        self.orders.extend(other.orders);
        self.orders.sort_by_key(|order| (order.began_at, order.id));
        self.offers.extend(other.offers);
        self.answers.extend(other.answers);
        self.finished.extend(other.finished);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::selection::plumber;

    fn master(id: i64) -> Candidate {
        Candidate { districts: vec![7], limit: 4, ..plumber(id) }
    }

    #[test]
    fn masters_are_as_they_were_before_their_changes() {
        let change = |second, master, what| PastChange {
            at: Timestamp::from_second(second).expect("a time"),
            master: MasterId(master),
            what,
        };
        let changes = [
            change(1, 1, Changed::Shift(false)),
            change(2, 1, Changed::Shift(true)),
            change(3, 1, Changed::Limit([None, Some(4)])),
            change(4, 1, Changed::Trade(Category::Plumbing, true)),
            change(4, 1, Changed::Trade(Category::Windows, false)),
            change(5, 1, Changed::Blocked([true, false])),
            change(5, 1, Changed::Unreachable(false)),
            change(6, 2, Changed::Added),
            change(7, 2, Changed::District(7, true)),
            change(8, 9, Changed::Shift(true)),
        ];
        let mut masters = [master(1), master(2)];
        rewind(&mut masters, &changes, 5);
        let [one, two] = masters;
        assert!(one.on_shift && one.blocked && one.unreachable);
        assert_eq!((one.limit, one.categories, one.districts), (5, vec![Category::Windows], vec![7]));
        assert!(two.blocked && two.districts == [7]);
    }

    #[test]
    fn what_an_offer_says_of_its_master() {
        use OfferState::{Accepted, Canceled, Declined, Expired, Viewed};
        let said = [
            (Accepted, true),
            (Canceled, true),
            (Canceled, false),
            (Declined, false),
            (Expired, false),
            (Viewed, false),
        ];
        assert_eq!(
            said.map(|(state, took)| Answered::of(state, took)),
            [Answered::Took, Answered::Took, Answered::Cut, Answered::Declined, Answered::Passed, Answered::Cut]
        );
    }
}
