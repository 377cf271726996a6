//! Many days of a city under several policies, on all cores. How many those are changes nothing of the result.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::city::City;
use super::city_day;
use super::event_loop;
use super::figures::{Figures, figures};
use super::rule::Rule;
use super::statistics::Estimate;

/// What came of each seed under a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The policy.
    pub rule: Rule,
    /// By seed, in their order.
    pub seeds: Vec<Figures>,
}

impl Compared {
    /// One of the figures, over all seeds.
    #[must_use]
    pub fn estimate(&self, figure: fn(&Figures) -> f64) -> Estimate {
        Estimate::of(&self.seeds.iter().map(figure).collect::<Vec<_>>())
    }

    /// One of the figures of the orders that masters accepted, over the seeds in which they accepted any.
    #[must_use]
    pub fn estimate_of_taken(&self, figure: fn(&Figures) -> f64) -> Estimate {
        let seeds = self.seeds.iter().filter(|figures| figures.accepted > 0.0);
        Estimate::of(&seeds.map(figure).collect::<Vec<_>>())
    }

    /// Whether there was no order at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seeds.iter().all(|figures| figures.orders <= 0.0)
    }
}

/// Plays a day of the city for each seed under each of the policies, on so many threads. `done` hears of each seed.
#[must_use]
pub fn compare(
    city: &City,
    rules: &[Rule],
    seeds: Range<u64>,
    threads: usize,
    done: &(impl Fn() + Sync),
) -> Vec<Compared> {
    let next = AtomicU64::new(seeds.start);
    let work = || {
        let mut played = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return played;
            }
            let (day, habits) = city_day::of(city, seed);
            let under = |rule: &Rule| figures(&event_loop::play(&day, rule, &habits));
            played.push((seed, rules.iter().map(under).collect::<Vec<_>>()));
            done();
        }
    };
    let mut played: Vec<(u64, Vec<Figures>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let joined =
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.flatten().collect()
    });
    played.sort_by_key(|(seed, _)| *seed);
    let of_rule = |(index, rule): (usize, &Rule)| Compared {
        rule: rule.clone(),
        seeds: played.iter().map(|(_, figures)| figures[index]).collect(),
    };
    rules.iter().enumerate().map(of_rule).collect()
}
