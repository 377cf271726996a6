//! The next wave of a search: who is asked, for how long, and when the search goes on. The pure choice of a pass over many orders,
//! which share one [`Pool`].

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use super::due::{Due, RECHECK_AFTER, later};
use super::policy::{Escalation, Policy};
use super::selection::{Pool, Round};
use super::{MasterId, OfferId};

/// When to choose again, if all who could be asked are held by somebody else: another tick, which is done within a second.
pub const CHOOSE_AGAIN: SignedDuration = SignedDuration::from_millis(500);

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
        later(due.now, RECHECK_AFTER)
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
    use super::*;
    use crate::model::due::Step;
    use crate::model::due::example::{WIDENING, at, due, offers};
    use crate::model::selection::plumber;

    fn pool(masters: i64) -> Pool {
        Pool::new((1..=masters).map(plumber).collect())
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
