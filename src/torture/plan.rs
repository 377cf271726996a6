//! Which faults happen, in which order, after which pauses and for how long: all from the seed, and from nothing that happens.
//!
//! There are three lanes that run at the same time, so that a process is killed while the database is away and Telegram
//! refuses. A lane deals its faults from a deck: each kind comes once before any comes again.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::cluster::Stop;
use crate::sim::proxy::Loss;

/// Faults that can meet each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Lane {
    /// Of the processes.
    Processes,
    /// Of the database, or on the way to it.
    Database,
    /// Of Telegram, or on the way to it.
    Telegram,
}

impl Lane {
    pub(super) const ALL: [Self; 3] = [Self::Processes, Self::Database, Self::Telegram];
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A process dies at once, and is started anew.
    Kill,
    /// A process is told to stop, and is started anew.
    Stop,
    /// PostgreSQL is stopped and started.
    Restart(Stop),
    /// Every transaction that begins is read only.
    ReadOnly,
    /// Somebody else has every connection that there is.
    Exhausted,
    /// Connections to the database are closed, new ones too.
    Cut,
    /// Connections to the database are closed once.
    HangUp,
    /// The way to the database carries nothing, and nobody is told.
    Stall,
    /// Messages to or from the database are lost, and their connections with them.
    Lose(Loss),
    /// Telegram answers some calls with 500 and 502.
    Refuses,
    /// Telegram answers some calls with 429.
    TooMany,
    /// Telegram does not answer some calls.
    Hangs,
    /// Telegram closes connections, new ones too.
    Closes,
    /// Telegram does what it is asked, and its answer is lost.
    AnswersLost,
}

impl Fault {
    fn of(lane: Lane) -> &'static [Self] {
        match lane {
            Lane::Processes => &[Self::Kill, Self::Kill, Self::Kill, Self::Stop],
            Lane::Database => &[
                Self::Restart(Stop::Fast),
                Self::Restart(Stop::Immediate),
                Self::ReadOnly,
                Self::Exhausted,
                Self::Cut,
                Self::HangUp,
                Self::Stall,
                Self::Lose(Loss::Commit),
                Self::Lose(Loss::Commit),
                Self::Lose(Loss::Answer),
                Self::Lose(Loss::Request),
            ],
            Lane::Telegram => &[Self::Refuses, Self::TooMany, Self::Hangs, Self::Closes, Self::AnswersLost],
        }
    }

    /// Its name in the report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kill => "process killed",
            Self::Stop => "process stopped",
            Self::Restart(Stop::Fast) => "PostgreSQL restarted",
            Self::Restart(Stop::Immediate) => "PostgreSQL crashed",
            Self::ReadOnly => "database read only",
            Self::Exhausted => "connections exhausted",
            Self::Cut => "database cut off",
            Self::HangUp => "connections closed",
            Self::Stall => "database silent",
            Self::Lose(Loss::Commit) => "answer to COMMIT lost",
            Self::Lose(Loss::Answer) => "database's answer lost",
            Self::Lose(Loss::Request) => "request to database lost",
            Self::Refuses => "Telegram refuses",
            Self::TooMany => "Telegram says 429",
            Self::Hangs => "Telegram hangs",
            Self::Closes => "Telegram closes",
            Self::AnswersLost => "Telegram's answer lost",
        }
    }

    /// Every name, for the report to say which never came.
    pub(super) fn names() -> BTreeSet<&'static str> {
        Lane::ALL.into_iter().flat_map(|lane| Self::of(lane)).map(|fault| fault.name()).collect()
    }
}

/// A fault to come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Planned {
    /// After the fault before it in its lane has ended.
    pub(super) after: Duration,
    pub(super) fault: Fault,
    /// How long it is in force, if it is for a time.
    pub(super) lasts: Duration,
    /// How many messages are lost, if it is for a number of them.
    pub(super) times: u32,
    /// Any number, to choose a process by.
    pub(super) which: usize,
}

/// The faults of a lane, without end.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    lane: Lane,
    chance: Chance,
    deck: Vec<Fault>,
}

impl Plan {
    pub(super) fn new(seed: u64, lane: Lane) -> Self {
        Self { lane, chance: Chance::of(seed, 1 + lane as u64), deck: Vec::new() }
    }
}

impl Iterator for Plan {
    type Item = Planned;

    fn next(&mut self) -> Option<Planned> {
        if self.deck.is_empty() {
            self.deck = Fault::of(self.lane).to_vec();
        }
        let fault = self.deck.swap_remove(self.chance.below(self.deck.len()));
        let (pause, length) = match self.lane {
            Lane::Processes => ((2000, 5000), (0, 500)),
            Lane::Database => ((1200, 3600), (300, 2000)),
            Lane::Telegram => ((1000, 3500), (500, 2500)),
        };
        let mut between = |(low, high)| Duration::from_millis(low + self.chance.below_u64(high - low));
        let (after, lasts) = (between(pause), between(length));
        let times = 1 + u32::try_from(self.chance.below(6)).unwrap_or_default();
        Some(Planned { after, fault, lasts, times, which: self.chance.below(1 << 16) })
    }
}

/// A stream of random numbers (SplitMix64), the same for the same seed and purpose.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn of(seed: u64, purpose: u64) -> Self {
        let mut chance = Self(seed ^ purpose.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        chance.next();
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        for factor in [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb] {
            bits = (bits ^ (bits >> 30)).wrapping_mul(factor);
        }
        bits ^ (bits >> 31)
    }

    /// Below `bound`; 0 if that is 0.
    pub(super) fn below_u64(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Below `bound`; 0 if that is 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.below_u64(u64::try_from(bound).unwrap_or(u64::MAX))).unwrap_or_default()
    }

    /// Whether something happens that does so in so many of a hundred cases.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below_u64(100) < percent
    }

    /// One of them, if there is any.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        of.get(self.below(of.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_plan_and_another_has_another() {
        for lane in Lane::ALL {
            let first: Vec<_> = Plan::new(7, lane).take(40).collect();
            assert_eq!(first, Plan::new(7, lane).take(40).collect::<Vec<_>>());
            assert_ne!(first, Plan::new(8, lane).take(40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_kind_comes_before_any_comes_again() {
        let dealt: BTreeSet<_> = Lane::ALL
            .into_iter()
            .flat_map(|lane| Plan::new(3, lane).take(Fault::of(lane).len()))
            .map(|planned| planned.fault.name())
            .collect();
        assert_eq!(dealt, Fault::names());
    }

    #[test]
    fn no_fault_lasts_longer_than_telegram_waits() {
        for lane in Lane::ALL {
            for planned in Plan::new(1, lane).take(200) {
                assert!(
                    planned.lasts < Duration::from_secs(5) && planned.after < Duration::from_secs(6),
                    "{planned:?}"
                );
                assert!((1..=6).contains(&planned.times));
            }
        }
    }
}
