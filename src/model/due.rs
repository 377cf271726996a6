//! An order that is due in its search for a master, and whether it asks somebody now: a pure decision, by what is out already.
//!
//! Under a policy that widens, offers stay out while more masters are asked beside them, and a place that became free is filled at
//! once; under one that does not, a wave (a round) begins when every offer of the one before has ended.

use jiff::{SignedDuration, Timestamp};

use super::OfferId;
use super::order::OrderStatus;
use super::policy::{Policy, Widening};
use super::selection::Search;

/// Orders per transaction: few enough that it commits within about 100 ms, since a tap on one of them has to look
/// again meanwhile.
pub const BATCH: i32 = 200;

/// When to look again for somebody to ask, if there is nobody.
pub const RECHECK_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// An order that is due, locked.
#[derive(Clone, Debug)]
pub struct Due {
    /// What is looked for.
    pub search: Search,
    /// Its status.
    pub status: OrderStatus,
    /// Its version.
    pub version: i32,
    /// Whether the search has begun; else it begins now.
    pub goes_on: bool,
    /// The last round.
    pub round: i32,
    /// Whether it was escalated.
    pub escalated: bool,
    /// The last deadline of offers that still live.
    pub live_until: Option<Timestamp>,
    /// How many offers live whose masters could still be asked.
    pub live: i32,
    /// Places that became free in this search before their time and that nobody has filled: the offers that were declined or
    /// recalled, or whose masters have left their shift, are blocked or cannot be written to.
    pub vacated: Vec<OfferId>,
    /// When the search widens next; `None`: it goes in rounds, or has not begun.
    pub widens_at: Option<Timestamp>,
    /// The policy.
    pub policy: Policy,
    /// The moment of the look.
    pub now: Timestamp,
}

/// What an order that is due comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Up to so many masters are asked now.
    Ask(usize),
    /// Nobody is, until then.
    Wait(Timestamp),
}

impl Due {
    /// How many masters are asked now, by what is out already.
    #[must_use]
    pub fn step(&self) -> Step {
        match (self.policy.widening, self.live_until) {
            (None, None) => ask(self.policy.masters_per_round),
            // Offers were made beside the search.
            (Some(_), Some(until)) if !self.goes_on => Step::Wait(until),
            (Some(widening), _) if self.nobody_is_asked() => ask(widening.first_masters),
            (Some(widening), _) => self.widen(widening),
            (None, Some(until)) => Step::Wait(until),
        }
    }

    /// Whether no offer is out, or only some whose masters have gone since.
    pub(super) fn nobody_is_asked(&self) -> bool {
        self.live_until.is_none() || self.policy.widening.is_some() && self.live == 0
    }

    fn widen(&self, widening: Widening) -> Step {
        let more = if self.is_to_widen() { widening.by } else { 0 };
        let free = i32::try_from(self.vacated.len()).unwrap_or(i32::MAX);
        let wanted = free.saturating_add(more);
        match (wanted.min(widening.max_live - self.live), self.widens_at) {
            (masters @ 1.., _) => ask(masters),
            (_, Some(at)) if at > self.now => Step::Wait(self.no_later_than_a_look(at)),
            _ => Step::Wait(self.no_later_than_a_look(self.widens_after(widening))),
        }
    }

    pub(super) fn is_to_widen(&self) -> bool {
        self.widens_at.is_none_or(|at| at <= self.now)
    }

    /// A search that widens seldom is looked at all the same: whoever left the shift while somebody held the order is replaced
    /// then.
    pub(super) fn no_later_than_a_look(&self, at: Timestamp) -> Timestamp {
        at.min(later(self.now, RECHECK_AFTER))
    }

    pub(super) fn widens_after(&self, widening: Widening) -> Timestamp {
        later(self.now, SignedDuration::from_secs(widening.every_seconds.into()))
    }
}

fn ask(masters: i32) -> Step {
    Step::Ask(usize::try_from(masters).unwrap_or_default())
}

/// A moment after that one, or the last that there is.
#[must_use]
pub fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
pub(super) mod example {
    //! A search that has offers out.

    use std::collections::HashSet;

    use super::*;
    use crate::model::OrderId;
    use crate::model::order::Category;

    pub(in crate::model) const WIDENING: Widening =
        Widening { first_masters: 3, every_seconds: 30, by: 1, max_live: 6 };

    pub(in crate::model) fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// A search at second 1000 that has offers out.
    pub(in crate::model) fn due(widening: Option<Widening>) -> Due {
        Due {
            search: Search {
                order: OrderId(1),
                city: 1,
                district: None,
                category: Category::Plumbing,
                preferred: None,
                preferred_first: true,
                asked: HashSet::new(),
            },
            status: OrderStatus::Searching,
            version: 2,
            goes_on: true,
            round: 1,
            escalated: false,
            live_until: Some(at(1090)),
            live: 3,
            vacated: Vec::new(),
            widens_at: widening.map(|_| at(1000)),
            policy: Policy {
                id: 1,
                offer_ttl_seconds: 120,
                preferred_ttl_seconds: 60,
                masters_per_round: 4,
                max_rounds: 3,
                widening,
            },
            now: at(1000),
        }
    }

    pub(in crate::model) fn offers(count: i64) -> Vec<OfferId> {
        (1..=count).map(OfferId).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::example::{WIDENING, at, due, offers};
    use super::*;

    #[test]
    fn a_round_waits_for_the_offers_before_and_a_search_that_widens_does_not() {
        assert_eq!(due(None).step(), Step::Wait(at(1090)));
        assert_eq!(Due { live_until: None, ..due(None) }.step(), Step::Ask(4));
        let widens = due(Some(WIDENING));
        assert_eq!(widens.step(), Step::Ask(1));
        assert_eq!(Due { live_until: None, live: 0, ..widens.clone() }.step(), Step::Ask(3));
        assert_eq!(Due { widens_at: Some(at(1010)), ..widens.clone() }.step(), Step::Wait(at(1010)));
        assert_eq!(Due { goes_on: false, ..widens }.step(), Step::Wait(at(1090)), "for offers made beside the search");
    }

    #[test]
    fn each_free_place_is_filled_and_no_more_live_than_may() {
        let early = Due { widens_at: Some(at(1010)), vacated: offers(2), ..due(Some(WIDENING)) };
        assert_eq!(early.step(), Step::Ask(2));
        assert_eq!(Due { vacated: offers(0), ..early.clone() }.step(), Step::Wait(at(1010)));
        assert_eq!(Due { widens_at: Some(at(1000)), ..early.clone() }.step(), Step::Ask(3));
        assert_eq!(Due { live: 5, ..early.clone() }.step(), Step::Ask(1));
        assert_eq!(Due { live: 6, ..early.clone() }.step(), Step::Wait(at(1010)));
        let full = Due { live: 7, widens_at: Some(at(990)), ..early.clone() };
        assert_eq!(full.step(), Step::Wait(at(1030)), "not again at once");
        let all_have_gone = Due { live: 0, vacated: offers(1), ..early };
        assert_eq!(all_have_gone.step(), Step::Ask(3), "the offers that are out reach nobody");
        let seldom = Due { widens_at: Some(at(4000)), ..due(Some(WIDENING)) };
        assert_eq!(seldom.step(), Step::Wait(at(1030)), "it is looked at meanwhile");
    }
}
