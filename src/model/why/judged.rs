//! A wave, decided about again by the rule of the waves.

use std::collections::BTreeMap;

use super::past::MasterHistory;
use super::wave::{Wave, WhyOrder};
use crate::model::MasterId;
use crate::model::selection::{Candidate, Exclusion, Pool, Search};

/// A wave, judged again.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The masters of the city: first those who could be asked, in the order in which they would be, then the others, each with
    /// the first reason why not.
    pub ranked: Vec<(Candidate, Option<Exclusion>)>,
    /// Whether this is what the wave has counted, and whom it would ask first: otherwise something was not written down, or the rule
    /// was another one, or two were at work at once.
    pub agrees: bool,
}

/// Judges a wave again, by the rule of the waves.
#[must_use]
pub fn judge(order: &WhyOrder, wave: &Wave, masters: &[MasterHistory]) -> Judged {
    let pool = Pool::new(masters.iter().filter_map(|master| master.at(wave)).collect());
    let search = Search {
        order: order.id,
        city: order.city,
        district: order.district.as_ref().map(|(district, _)| *district),
        category: order.category,
        preferred: order.preferred,
        preferred_first: true,
        asked: wave.asked.clone(),
    };
    let ranked: Vec<_> = pool.ranked(&search).into_iter().map(|(master, why_not)| (master.clone(), why_not)).collect();
    let mut counts: BTreeMap<Exclusion, i64> = BTreeMap::new();
    let mut eligible = Vec::new();
    for (master, why_not) in &ranked {
        match why_not {
            Some(reason) => *counts.entry(*reason).or_default() += 1,
            None => eligible.push(master),
        }
    }
    // Whom somebody held, or could not be offered anything, looks eligible now.
    let left_out = [Exclusion::Held, Exclusion::Failed, Exclusion::Rank];
    // An earlier release counts who waits to be let in among the blocked; and that somebody who was not let in has waited before is
    // not written down.
    let barred = [Exclusion::Blocked, Exclusion::Waiting];
    let counted_now = |reason: Exclusion| counts.get(&reason).copied().unwrap_or(0);
    let known = Exclusion::ALL.into_iter().filter(|reason| !left_out.contains(reason) && !barred.contains(reason));
    let agrees = known.into_iter().all(|reason| counted_now(reason) == wave.counted(reason))
        && barred.map(counted_now).iter().sum::<i64>() == barred.map(|reason| wave.counted(reason)).iter().sum::<i64>()
        && count(eligible.len())
            == count(wave.chosen.len()) + left_out.into_iter().map(|reason| wave.counted(reason)).sum::<i64>()
        && are_first(order, wave, &eligible);
    Judged { ranked, agrees }
}

/// Whether those who were asked are the first of those who could be, but for as many as were held or could not be offered anything.
/// What decided between equal waits is not looked at: ratings change, and nobody writes down what they were.
fn are_first(order: &WhyOrder, wave: &Wave, eligible: &[&Candidate]) -> bool {
    let turn = |master: &Candidate| (Some(master.id) != order.preferred, master.waits_since(), master.turns);
    let of = |id: &MasterId| eligible.iter().find(|master| master.id == *id).map(|master| turn(master));
    let Some(asked) = wave.chosen.iter().map(of).collect::<Option<Vec<_>>>() else { return false };
    let Some(last) = asked.last() else { return true };
    let went_before = |master: &&&Candidate| !wave.chosen.contains(&master.id) && turn(master) < *last;
    let left_out = wave.counted(Exclusion::Held) + wave.counted(Exclusion::Failed);
    asked.is_sorted() && count(eligible.iter().filter(went_before).count()) <= left_out
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
