//! A day that was: its orders, the masters as they were, and how each of them answered. What `replay` plays again.

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::master_past::{Change, Changed, MasterPast};
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
    /// The policies that were in force at any time of it, in their order, the first of them when it began; never none.
    pub policies: Policies,
    /// The masters of its cities as they were at the beginning. Who had no limit of the own has that of the [policy](Self::policy) under
    /// which the day is played.
    pub masters: Vec<Candidate>,
    /// Those who had no limit of the own.
    pub without_limit: BTreeSet<MasterId>,
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

/// Policies one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policies {
    /// The one that there was first.
    pub first: PastPolicy,
    /// Those that came after it.
    pub later: Vec<PastPolicy>,
}

impl Policies {
    /// All of them, in their order.
    #[must_use]
    pub fn all(&self) -> impl DoubleEndedIterator<Item = &PastPolicy> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The one in force at a moment: the newest of then; before all of them, the first.
    #[must_use]
    pub fn at(&self, moment: Timestamp) -> &PastPolicy {
        self.all().rev().find(|policy| policy.made_at <= moment).unwrap_or(&self.first)
    }

    /// The one in force when most of these came, of several with as many the latest; and how many that were. Of none: the first.
    #[must_use]
    pub fn of_most(&self, moments: impl Iterator<Item = Timestamp>) -> (PastPolicy, usize) {
        let mut counts: HashMap<i64, usize> = HashMap::new();
        for moment in moments {
            *counts.entry(self.at(moment).policy.id).or_default() += 1;
        }
        let count = |policy: &PastPolicy| counts.get(&policy.policy.id).copied().unwrap_or_default();
        let most = self.all().map(|policy| (*policy, count(policy)));
        let most = most.reduce(|most, other| if other.1 > 0 && other.1 >= most.1 { other } else { most });
        most.unwrap_or((self.first, 0))
    }
}

/// A policy with what the choice of masters does not need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastPolicy {
    /// When it was made.
    pub made_at: Timestamp,
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

impl PastChange {
    /// What masters' changes are to the day; none for those that say nothing of who is asked in their city.
    #[must_use]
    pub fn of(master: &MasterPast) -> Vec<Self> {
        let changes = master.changes.iter().rev().filter(|change| !matches!(change.what, Changed::City(_)));
        changes.map(|Change { at, what }| Self { at: *at, master: master.today.id, what: *what }).collect()
    }
}

/// The master as before all the changes. `limit`: of whoever has none of the own.
///
/// Who was added since is blocked until then, and has the trades and districts of today, which were entered afterwards. Who came
/// from another city is thought to have been here.
#[must_use]
pub fn at_the_beginning(master: &MasterPast, limit: i64) -> Candidate {
    let is_new = master.changes.iter().any(|change| change.what == Changed::Added);
    let is_undone = |change: &&Change| match change.what {
        Changed::Trade(..) | Changed::District(..) => !is_new,
        Changed::City(_) => false,
        _ => true,
    };
    let then = master.before(master.changes.iter().filter(is_undone), limit);
    Candidate {
        blocked: then.blocked || is_new,
        last_asked: master.asked_before,
        on_shift_since: master.came_before,
        ..then
    }
}

/// Whether the master had no limit of the own before all the changes.
#[must_use]
pub fn had_no_limit(master: &MasterPast) -> bool {
    let first = master.changes.iter().rev().find_map(|change| match change.what {
        Changed::Limit([was, _]) => Some(was),
        _ => None,
    });
    first.unwrap_or(master.own_limit).is_none()
}

impl Past {
    /// The policy that was in force when most of its orders came, and how many that were.
    #[must_use]
    pub fn policy(&self) -> (PastPolicy, usize) {
        self.policies.of_most(self.orders.iter().map(|order| order.began_at))
    }

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
        self.without_limit.extend(other.without_limit);
        // The policy of most orders of one city may be another one than that of both.
        let limit = self.policy().0.max_active_orders;
        let usual = self.masters.iter_mut().filter(|master| self.without_limit.contains(&master.id));
        usual.for_each(|master| master.limit = limit);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::selection::plumber;

    #[test]
    fn the_policy_in_force_is_that_of_most_orders() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let policy = |id, second| PastPolicy {
            made_at: at(second),
            policy: Policy {
                id,
                offer_ttl_seconds: 120,
                preferred_ttl_seconds: 60,
                masters_per_round: 3,
                max_rounds: 3,
                widening: None,
            },
            escalate_after_seconds: 600,
            max_active_orders: 5,
        };
        let policies = Policies { first: policy(1, 100), later: vec![policy(2, 200), policy(3, 300)] };
        let of_most = |seconds: &[i64]| {
            let (policy, orders) = policies.of_most(seconds.iter().copied().map(at));
            (policy.policy.id, orders)
        };
        assert_eq!(of_most(&[250, 299, 300]), (2, 2), "that of its last minute was not in force for most");
        assert_eq!(of_most(&[50, 99, 200]), (1, 2), "before the first there was none");
        assert_eq!(of_most(&[199, 200, 299, 300, 301]), (3, 2), "of as many the latest");
        assert_eq!(of_most(&[]), (1, 0));
    }

    #[test]
    fn masters_are_as_they_were_before_their_changes() {
        let past = |id: i64, changes: &[(i64, Changed)]| MasterPast {
            today: Candidate { districts: vec![7], ..plumber(id) },
            name: String::new(),
            own_limit: Some(4),
            known_since: Timestamp::UNIX_EPOCH,
            asked_before: None,
            came_before: None,
            changes: changes
                .iter()
                .rev()
                .map(|(second, what)| Change { at: Timestamp::from_second(*second).expect("a time"), what: *what })
                .collect(),
        };
        let one = past(
            1,
            &[
                (1, Changed::Shift(false)),
                (2, Changed::Shift(true)),
                (3, Changed::Limit([None, Some(4)])),
                (4, Changed::Trade(Category::Plumbing, true)),
                (4, Changed::Trade(Category::Windows, false)),
                (5, Changed::Blocked([true, false])),
                (5, Changed::Unreachable(false)),
                (6, Changed::City(2)),
            ],
        );
        let two = past(2, &[(6, Changed::Added), (7, Changed::District(7, true))]);
        assert_eq!(PastChange::of(&one).len(), 7, "of this city");
        assert_eq!([&one, &two].map(had_no_limit), [true, false]);
        let [one, two] = [one, two].map(|master| at_the_beginning(&master, 5));
        assert!(one.on_shift && one.blocked && one.unreachable);
        assert_eq!((one.limit, one.city, one.categories), (5, 1, vec![Category::Windows]));
        assert_eq!(one.districts, [7]);
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
