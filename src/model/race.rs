//! What somebody is told who taps too late: how long after the offer another got the order, and how long after it the tap came.

use std::time::Duration;

/// Who got the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Winner {
    /// Another master, who has tapped.
    Master,
    /// Another master, to whom staff gave it.
    GivenByStaff,
}

impl Winner {
    /// Who it was, from the actor of the assignment; `None`: nobody of those.
    #[must_use]
    pub fn of(actor: &str) -> Option<Self> {
        match actor {
            "MASTER" => Some(Self::Master),
            "ADMIN" => Some(Self::GivenByStaff),
            _ => None,
        }
    }
}

/// That an offered order went to another master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who got the order.
    pub winner: Winner,
    /// How many whole seconds after the offer was made.
    pub after_seconds: i64,
}

/// A race that was lost. Both times begin when the order was offered to the one who lost it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LostRace {
    /// Who got the order.
    pub winner: Winner,
    /// After what time.
    pub taken_after: Duration,
    /// After what time the one who lost it has tapped: not earlier.
    pub tapped_after: Duration,
}

/// After so long nobody has been racing.
const LONGEST: Duration = Duration::from_hours(24);

impl LostRace {
    /// A race, from the actor of the assignment and both times in milliseconds; `None`, if nobody has won it by what people do,
    /// or the times cannot be those of a race: a clock was put back, or the offer is from another day.
    #[must_use]
    pub fn of(actor: &str, taken_ms: i64, tapped_ms: i64) -> Option<Self> {
        let winner = Winner::of(actor)?;
        let after = |ms: i64| u64::try_from(ms).ok().map(Duration::from_millis);
        let (taken_after, tapped_after) = (after(taken_ms)?, after(tapped_ms)?);
        (taken_after <= tapped_after && tapped_after <= LONGEST).then_some(Self { winner, taken_after, tapped_after })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_race_is_told_if_it_was_one() {
        let (taken_after, tapped_after) = (Duration::from_secs(14), Duration::from_secs(16));
        let lost = |winner| Some(LostRace { winner, taken_after, tapped_after });
        assert_eq!(LostRace::of("MASTER", 14_000, 16_000), lost(Winner::Master));
        assert_eq!(LostRace::of("ADMIN", 14_000, 16_000), lost(Winner::GivenByStaff));
        assert_eq!(LostRace::of("SYSTEM", 14_000, 16_000), None);
        assert_eq!(LostRace::of("AUTO_DISTRIBUTION", 14_000, 16_000), None);
    }

    #[test]
    fn absurd_times_are_not_told() {
        for (taken, tapped) in [(-1, 5), (5, 4), (5, -5), (0, 24 * 3_600_000 + 1), (i64::MIN, i64::MAX)] {
            assert_eq!(LostRace::of("MASTER", taken, tapped), None, "{taken} {tapped}");
        }
        assert!(LostRace::of("MASTER", 0, 0).is_some());
    }
}
