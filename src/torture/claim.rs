//! What an answer to a master's tap says: read back from the very words that are rendered, so that the two cannot part.

use std::time::Duration;

use crate::bots::render::texts;
use crate::dispatch::accept::AcceptOutcome;
use crate::dispatch::decline::DeclineOutcome;
use crate::model::facts::Blocked;
use crate::model::race::{LostRace, Winner};

/// What somebody was told about an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    /// It has just become theirs.
    Assigned,
    /// It is theirs.
    Yours,
    /// It was not offered to them.
    NotFound,
    /// They are blocked.
    Blocked,
    /// It is over, or not offered to them any more.
    Withdrawn,
    /// Somebody else has it.
    Taken,
    /// Another master was quicker.
    TakenByMaster,
    /// Staff gave it to somebody else.
    TakenByStaff,
    /// They have declined it before.
    Declined,
    /// They have declined it just now.
    DeclinedNow,
    /// Too late.
    Expired,
    /// They have so many orders already.
    Limit,
    /// Somebody is at work on it.
    Busy,
    /// Something broke that trying again does not mend.
    Broken,
}

impl Claim {
    /// Its name in the report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Assigned => "accepted",
            Self::Yours => "already yours",
            Self::NotFound => "not found",
            Self::Blocked => "blocked",
            Self::Withdrawn => "withdrawn",
            Self::Taken => "taken",
            Self::TakenByMaster => "taken by a master",
            Self::TakenByStaff => "given by staff",
            Self::Declined => "declined before",
            Self::DeclinedNow => "declined",
            Self::Expired => "expired",
            Self::Limit => "limit",
            Self::Busy => "busy",
            Self::Broken => "broken",
        }
    }
}

/// The words by which claims are known.
#[derive(Debug)]
pub(super) struct Words {
    exact: Vec<(String, Claim)>,
    prefixes: Vec<(String, Claim)>,
    /// What stands before the limit.
    limit: String,
}

impl Words {
    pub(super) fn new() -> Self {
        let accept = |outcome: &AcceptOutcome| texts::accept(outcome);
        let lost = |winner, seconds: u64| {
            let after = Duration::from_secs(seconds);
            accept(&AcceptOutcome::Taken(Some(LostRace { winner, taken_after: after, tapped_after: after })))
        };
        let blocked =
            |reason: Option<&str>| accept(&AcceptOutcome::Blocked(Blocked { reason: reason.map(ToOwned::to_owned) }));
        let limit = accept(&AcceptOutcome::LimitReached { active: 7, limit: 7 });
        let (before_limit, _) = limit.split_once('7').unwrap_or_default();
        Self {
            exact: vec![
                (texts::ACCEPTED.to_owned(), Claim::Assigned),
                (texts::decline(&DeclineOutcome::Declined).to_owned(), Claim::DeclinedNow),
                (accept(&AcceptOutcome::NotFound), Claim::NotFound),
                (accept(&AcceptOutcome::Withdrawn), Claim::Withdrawn),
                (accept(&AcceptOutcome::Taken(None)), Claim::Taken),
                (accept(&AcceptOutcome::Declined), Claim::Declined),
                (accept(&AcceptOutcome::Expired), Claim::Expired),
                (texts::BUSY.to_owned(), Claim::Busy),
                (texts::BROKEN.to_owned(), Claim::Broken),
                (texts::YOURS.to_owned(), Claim::Yours),
            ],
            prefixes: vec![
                (common(&lost(Winner::Master, 0), &lost(Winner::Master, 5)), Claim::TakenByMaster),
                (common(&lost(Winner::GivenByStaff, 0), &lost(Winner::GivenByStaff, 5)), Claim::TakenByStaff),
                (common(&blocked(None), &blocked(Some("x"))), Claim::Blocked),
            ],
            limit: before_limit.to_owned(),
        }
    }

    /// What a text says; `None`: nothing that is known here.
    pub(super) fn read(&self, text: &str) -> Option<Claim> {
        let exact = self.exact.iter().find(|(words, _)| words == text);
        let known = exact.or_else(|| self.prefixes.iter().find(|(words, _)| text.starts_with(words)));
        known.map(|(_, claim)| *claim).or_else(|| self.limit(text).map(|_| Claim::Limit))
    }

    /// The limit that a text names.
    pub(super) fn limit(&self, text: &str) -> Option<i64> {
        let rest = text.strip_prefix(&self.limit)?;
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let limit: i64 = rest[..digits].parse().ok()?;
        // What is to be done about it depends on how many orders there are.
        (limit..limit + 50)
            .any(|active| texts::accept(&AcceptOutcome::LimitReached { active, limit }) == text)
            .then_some(limit)
    }
}

/// What two texts begin with.
fn common(one: &str, other: &str) -> String {
    one.chars().zip(other.chars()).take_while(|(one, other)| one == other).map(|(same, _)| same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_back() {
        let words = Words::new();
        let lost = |winner, taken, tapped| {
            let (taken_after, tapped_after) = (Duration::from_secs(taken), Duration::from_secs(tapped));
            texts::accept(&AcceptOutcome::Taken(Some(LostRace { winner, taken_after, tapped_after })))
        };
        let blocked = |reason: Option<&str>| {
            texts::accept(&AcceptOutcome::Blocked(Blocked { reason: reason.map(ToOwned::to_owned) }))
        };
        for (text, claim) in [
            (texts::ACCEPTED.to_owned(), Claim::Assigned),
            (texts::accept(&AcceptOutcome::NotFound), Claim::NotFound),
            (texts::accept(&AcceptOutcome::Withdrawn), Claim::Withdrawn),
            (texts::accept(&AcceptOutcome::Expired), Claim::Expired),
            (texts::accept(&AcceptOutcome::Declined), Claim::Declined),
            (texts::accept(&AcceptOutcome::Taken(None)), Claim::Taken),
            (lost(Winner::Master, 0, 0), Claim::TakenByMaster),
            (lost(Winner::Master, 14, 700), Claim::TakenByMaster),
            (lost(Winner::GivenByStaff, 3, 5), Claim::TakenByStaff),
            (texts::accept(&AcceptOutcome::LimitReached { active: 5, limit: 5 }), Claim::Limit),
            (texts::accept(&AcceptOutcome::LimitReached { active: 9, limit: 5 }), Claim::Limit),
            (blocked(None), Claim::Blocked),
            (blocked(Some("late")), Claim::Blocked),
            (texts::decline(&DeclineOutcome::Declined).to_owned(), Claim::DeclinedNow),
            (texts::BUSY.to_owned(), Claim::Busy),
        ] {
            assert_eq!(words.read(&text), Some(claim), "{text}");
        }
        for limit in [1, 2, 12] {
            let said = texts::accept(&AcceptOutcome::LimitReached { active: limit + 3, limit });
            assert_eq!(words.limit(&said), Some(limit));
        }
        assert_eq!(words.read("?"), None);
    }
}
