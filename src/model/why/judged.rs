//! A wave, decided about again by the rule of the waves.

use std::collections::{BTreeMap, HashSet};

use super::past::Past;
use super::wave::{Wave, WhyOrder};
use crate::model::selection::{Candidate, Exclusion, Pool, Search};

/// A wave, judged again.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The masters of the city: first those who could be asked, in the order in which they would be, then the others, each with
    /// the first reason why not.
    pub ranked: Vec<(Candidate, Option<Exclusion>)>,
    /// Whether this is what the wave has counted: otherwise something was not written down, or two were at work at once.
    pub agrees: bool,
}

/// Judges a wave again, by the rule of the waves.
#[must_use]
pub fn judge(order: &WhyOrder, wave: &Wave, masters: &[Past]) -> Judged {
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
    let mut eligible = HashSet::new();
    for (master, why_not) in &ranked {
        match why_not {
            Some(reason) => *counts.entry(*reason).or_default() += 1,
            None => drop(eligible.insert(master.id)),
        }
    }
    // Whom somebody held, or could not be offered anything, looks eligible now.
    let left_out = [Exclusion::Held, Exclusion::Failed, Exclusion::Rank];
    let known = Exclusion::ALL.into_iter().filter(|reason| !left_out.contains(reason));
    let agrees = known.into_iter().all(|reason| counts.get(&reason).copied().unwrap_or(0) == wave.counted(reason))
        && count(eligible.len())
            == count(wave.chosen.len()) + left_out.into_iter().map(|reason| wave.counted(reason)).sum::<i64>()
        && wave.chosen.iter().all(|master| eligible.contains(master));
    Judged { ranked, agrees }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
