//! How a search for a master goes on: its policy, the order that is due, and the pure decision about its next wave.
//!
//! A search asks in waves. Under a policy that widens, offers stay out while more masters are asked beside them, and a
//! place that became free is filled at once; under one that does not, a wave (a round) begins when every offer of the one
//! before has ended.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::order::OrderStatus;
use super::selection::{Pool, Round, Search};
use super::{MasterId, OfferId};

/// Orders per transaction: few enough that it commits within about 100 ms, since a tap on one of them has to look
/// again meanwhile.
pub const BATCH: i32 = 200;

/// When to look again for somebody to ask, if there is nobody.
pub const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// When to choose again, if all who could be asked are held by somebody else: another tick, which is done within a second.
pub const CHOOSE_AGAIN: SignedDuration = SignedDuration::from_millis(500);

/// What a search goes by, from `dispatch_policies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `dispatch_policies.id`.
    pub id: i64,
    /// How long an offer lives.
    pub offer_ttl_seconds: i32,
    /// How long the preferred master is asked alone.
    pub preferred_ttl_seconds: i32,
    /// How many a round asks at once.
    pub masters_per_round: i32,
    /// After how many rounds the order is escalated; of a search that widens, after as many masters as those rounds ask.
    pub max_rounds: i32,
    /// How the search widens while offers are out; `None`: it goes in rounds.
    pub widening: Option<Widening>,
}

/// How a search asks more masters while the offers before are out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widening {
    /// How many are asked at once when nobody is being asked.
    pub first_masters: i32,
    /// How long until more are asked.
    pub every_seconds: i32,
    /// How many more.
    pub by: i32,
    /// How many offers of an order may live at once.
    pub max_live: i32,
}

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

/// Why an order needs a dispatcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escalation {
    /// There is nobody whom it was not offered to.
    NobodyLeft,
    /// As many rounds as the policy allows have ended.
    Rounds,
    /// The search has taken as long as the policy allows.
    Time,
}

impl Escalation {
    /// The word in `orders.escalation_reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NobodyLeft => "NOBODY_LEFT",
            Self::Rounds => "ROUNDS",
            Self::Time => "TIME",
        }
    }

    /// The reason of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::NobodyLeft, Self::Rounds, Self::Time].into_iter().find(|reason| reason.as_str() == word)
    }
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
    fn nobody_is_asked(&self) -> bool {
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

    fn is_to_widen(&self) -> bool {
        self.widens_at.is_none_or(|at| at <= self.now)
    }

    /// A search that widens seldom is looked at all the same: whoever left the shift while somebody held the order is replaced
    /// then.
    fn no_later_than_a_look(&self, at: Timestamp) -> Timestamp {
        at.min(later(self.now, LOOK_AGAIN))
    }

    fn widens_after(&self, widening: Widening) -> Timestamp {
        later(self.now, SignedDuration::from_secs(widening.every_seconds.into()))
    }
}

fn ask(masters: i32) -> Step {
    Step::Ask(usize::try_from(masters).unwrap_or_default())
}

/// What happens to an order that is due.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The order.
    pub due: Due,
    /// Who is asked.
    pub round: Round,
    /// The deadline of the offers.
    pub deadline: Timestamp,
    /// When the next wave is due, unless something happens before.
    pub next_round: Timestamp,
    /// As in [`Due`], from now on.
    pub widens_at: Option<Timestamp>,
    /// Free places that are filled.
    pub replaced: Vec<OfferId>,
    /// Whether the order is escalated, and why.
    pub escalation: Option<Escalation>,
}

/// A moment after that one, or the last that there is.
#[must_use]
pub fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Decides about an order that asks up to `count` masters, by its [`Due::step`]: who is asked, and whether the order is
/// escalated.
#[must_use]
pub fn plan(due: Due, count: usize, pool: &mut Pool) -> Planned {
    let policy = due.policy;
    let round = pool.choose(&due.search, count, due.now);
    let begins = due.nobody_is_asked();
    let alone = round.preferred && begins;
    let lifetime = if alone { policy.preferred_ttl_seconds } else { policy.offer_ttl_seconds };
    let deadline = later(due.now, SignedDuration::from_secs(lifetime.into()));
    let (widens_at, replaced) = match policy.widening {
        None => (None, Vec::new()),
        Some(_) if round.chosen.is_empty() => (due.widens_at, Vec::new()),
        // Whoever is asked now is asked instead of all before.
        Some(_) if alone => (Some(deadline), due.vacated.clone()),
        Some(widening) if begins => (Some(due.widens_after(widening)), due.vacated.clone()),
        Some(widening) => {
            let widens_at = if due.is_to_widen() { Some(due.widens_after(widening)) } else { due.widens_at };
            (widens_at, due.vacated.iter().copied().take(round.chosen.len()).collect())
        }
    };
    let next_round = if round.awaits {
        later(due.now, CHOOSE_AGAIN)
    } else if round.chosen.is_empty() {
        later(due.now, LOOK_AGAIN)
    } else {
        widens_at.map_or(deadline, |at| due.no_later_than_a_look(at))
    };
    let escalation = if due.escalated {
        None
    } else if was_offered_enough(&due) {
        Some(Escalation::Rounds)
    } else {
        (round.chosen.is_empty() && begins && !round.awaits).then_some(Escalation::NobodyLeft)
    };
    Planned { due, round, deadline, next_round, widens_at, replaced, escalation }
}

/// Whether staff are to know that an order was offered as often as its policy allows, and goes on searching.
fn was_offered_enough(due: &Due) -> bool {
    let Policy { max_rounds, masters_per_round, widening, .. } = due.policy;
    match widening {
        None => due.round >= max_rounds,
        Some(_) => due.search.asked.len() >= usize::try_from(max_rounds.saturating_mul(masters_per_round)).unwrap_or(0),
    }
}

/// How often each master is asked by these rounds.
#[must_use]
pub fn asked(planned: &[Planned]) -> HashMap<MasterId, i64> {
    let mut asked = HashMap::new();
    for master in planned.iter().flat_map(|plan| &plan.round.chosen) {
        *asked.entry(*master).or_default() += 1;
    }
    asked
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::model::OrderId;
    use crate::model::order::Category;
    use crate::model::selection::plumber;

    const WIDENING: Widening = Widening { first_masters: 3, every_seconds: 30, by: 1, max_live: 6 };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    /// A search at second 1000 that has offers out.
    fn due(widening: Option<Widening>) -> Due {
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

    fn offers(count: i64) -> Vec<OfferId> {
        (1..=count).map(OfferId).collect()
    }

    fn pool(masters: i64) -> Pool {
        Pool::new((1..=masters).map(plumber).collect())
    }

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

    #[test]
    fn a_wave_notes_what_it_filled_and_keeps_the_pace() {
        let planned = |due: Due, masters| match due.step() {
            Step::Ask(count) => plan(due, count, &mut pool(masters)),
            Step::Wait(until) => panic!("waits until {until}"),
        };
        let early = Due { widens_at: Some(at(1010)), vacated: offers(2), ..due(Some(WIDENING)) };
        let filled = planned(early.clone(), 9);
        assert_eq!((filled.replaced, filled.widens_at, filled.next_round), (offers(2), Some(at(1010)), at(1010)));
        assert_eq!(filled.deadline, at(1120));
        let half = planned(early, 1);
        assert_eq!((half.replaced, half.round.chosen.len()), (offers(1), 1), "the other place is still free");
        let wider = planned(due(Some(WIDENING)), 9);
        assert_eq!((wider.replaced, wider.widens_at, wider.next_round), (offers(0), Some(at(1030)), at(1030)));
        let nobody = planned(due(Some(WIDENING)), 0);
        assert_eq!((nobody.widens_at, nobody.next_round, nobody.escalation), (Some(at(1000)), at(1030), None));
        let anew = planned(Due { live: 0, vacated: offers(4), ..due(Some(WIDENING)) }, 9);
        assert_eq!((anew.replaced, anew.round.chosen.len(), anew.widens_at), (offers(4), 3, Some(at(1030))));
        let nobody_left = planned(Due { live_until: None, live: 0, ..due(Some(WIDENING)) }, 0);
        assert_eq!(nobody_left.escalation, Some(Escalation::NobodyLeft));
        let round = planned(Due { live_until: None, ..due(None) }, 9);
        assert_eq!((round.widens_at, round.next_round, round.round.chosen.len()), (None, at(1120), 4));
    }

    #[test]
    fn the_preferred_master_is_alone_for_his_time_and_one_of_many_later() {
        let with = |live_until| {
            let mut due = Due { live_until, ..due(Some(WIDENING)) };
            due.search.preferred = Some(MasterId(2));
            due
        };
        let alone = plan(with(None), 3, &mut pool(9));
        assert_eq!((alone.deadline, alone.widens_at, alone.round.chosen.len()), (at(1060), Some(at(1060)), 1));
        assert_eq!(alone.next_round, at(1030));
        let later = plan(with(Some(at(1090))), 1, &mut pool(9));
        assert_eq!((later.deadline, later.next_round), (at(1120), at(1030)));
        // His time is over: he is the first of those who are asked.
        let mut two = with(Some(at(1090)));
        two.search.preferred_first = false;
        let two = plan(two, 2, &mut pool(9));
        assert_eq!((two.round.chosen.len(), two.round.chosen[0], two.round.preferred), (2, MasterId(2), false));
    }

    #[test]
    fn staff_are_told_after_as_many_masters_as_the_rounds_would_have_asked() {
        let asked = |count: i64| {
            let mut due = due(Some(WIDENING));
            due.search.asked = (101..=100 + count).map(MasterId).collect();
            plan(due, 1, &mut pool(9)).escalation
        };
        assert_eq!((asked(11), asked(12)), (None, Some(Escalation::Rounds)));
    }
}
