//! The policies that are compared: a row of `dispatch_policies` as it is written on a command line.

use std::str::FromStr;

use crate::model::policy::{Policy, Widening};

/// A policy and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// In tables and pictures.
    pub name: String,
    /// By which searches go.
    pub policy: Policy,
    /// After how long staff are called, whatever wave it is.
    pub escalate_after_seconds: i32,
}

/// Policies with names of their own, and how they are written.
pub const NAMED: [(&str, &str); 7] = [
    ("default", ""),
    ("rounds-of-3", "first=3,every=0"),
    ("rounds-of-5-60s", "first=5,every=0,ttl=60"),
    ("one-by-one", "first=1,every=0"),
    ("broadcast", "first=100000,every=0"),
    ("2-and-1-per-20s", "first=2,every=20"),
    ("3-and-1-per-15s", "first=3,every=15"),
];

/// How a policy is written.
pub const SYNTAX: &str =
    "first=MASTERS,every=SECONDS,by=MASTERS,max=OFFERS,ttl=SECONDS,preferred=SECONDS,rounds=N,escalate=SECONDS";

impl Default for Rule {
    /// The policy that a new database has.
    fn default() -> Self {
        let widening = Widening { first_masters: 3, every_seconds: 30, by: 1, max_live: 6 };
        let policy = Policy {
            id: 0,
            offer_ttl_seconds: 120,
            preferred_ttl_seconds: 60,
            masters_per_round: 3,
            max_rounds: 3,
            widening: Some(widening),
        };
        Self { name: "default".to_owned(), policy, escalate_after_seconds: 600 }
    }
}

/// Why that is no policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither a name nor a list of settings.
    #[error("{0}: expected {names} or settings such as {SYNTAX}", names = NAMED.map(|(name, _)| name).join(", "))]
    Unknown(String),
    /// Not what the setting can be.
    #[error("{0}: expected a whole number above 0 (every=0: in rounds)")]
    NoNumber(String),
    /// More masters are asked at first than offers may live.
    #[error("first={first} is more than max={max}")]
    NoRoom {
        /// How many are asked.
        first: i32,
        /// How many offers may live.
        max: i32,
    },
}

impl FromStr for Rule {
    type Err = Error;

    /// A name of [`NAMED`], or settings over those of the default.
    fn from_str(text: &str) -> Result<Self, Error> {
        let settings = NAMED.iter().find(|(name, _)| *name == text).map_or(text, |(_, settings)| settings);
        Self { name: text.to_owned(), ..Self::default() }.with(settings)
    }
}

impl Rule {
    /// All policies that have names.
    ///
    /// # Errors
    /// Never, as a test says.
    pub fn named() -> Result<Vec<Self>, Error> {
        NAMED.iter().map(|(name, _)| name.parse()).collect()
    }

    /// This one with other settings.
    ///
    /// # Errors
    /// When they are none.
    pub fn with(mut self, settings: &str) -> Result<Self, Error> {
        let policy = self.policy;
        let mut widening = policy.widening.unwrap_or(Widening {
            first_masters: policy.masters_per_round,
            every_seconds: 0,
            by: 1,
            max_live: policy.masters_per_round.max(6),
        });
        let mut max = None;
        for setting in settings.split(',').filter(|setting| !setting.is_empty()) {
            let (key, value) = setting.split_once('=').ok_or_else(|| Error::Unknown(setting.to_owned()))?;
            let least = i32::from(key != "every");
            let number = value.parse().ok().filter(|number| *number >= least);
            let number = number.ok_or_else(|| Error::NoNumber(setting.to_owned()))?;
            match key {
                "first" => (widening.first_masters, self.policy.masters_per_round) = (number, number),
                "every" => widening.every_seconds = number,
                "by" => widening.by = number,
                "max" => max = Some(number),
                "ttl" => self.policy.offer_ttl_seconds = number,
                "preferred" => self.policy.preferred_ttl_seconds = number,
                "rounds" => self.policy.max_rounds = number,
                "escalate" => self.escalate_after_seconds = number,
                _ => return Err(Error::Unknown(setting.to_owned())),
            }
        }
        let first = widening.first_masters;
        widening.max_live = max.unwrap_or(widening.max_live.max(first));
        let widens = widening.every_seconds > 0;
        if widens && first > widening.max_live {
            return Err(Error::NoRoom { first, max: widening.max_live });
        }
        self.policy.widening = widens.then_some(widening);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn names_and_settings() {
        assert_eq!(Rule::named().expect("policies").len(), NAMED.len());
        assert_eq!(rule("default"), Rule::default());
        let rounds = rule("rounds-of-5-60s").policy;
        assert_eq!((rounds.widening, rounds.masters_per_round, rounds.offer_ttl_seconds), (None, 5, 60));
        let other = rule("first=2,every=20,by=2,max=9,ttl=90,preferred=30,rounds=4,escalate=300");
        let widening = Widening { first_masters: 2, every_seconds: 20, by: 2, max_live: 9 };
        assert_eq!(other.policy.widening, Some(widening));
        assert_eq!(
            (other.policy.masters_per_round, other.policy.max_rounds, other.escalate_after_seconds),
            (2, 4, 300)
        );
        assert_eq!(rule("first=8").policy.widening.map(|widening| widening.max_live), Some(8));
    }

    #[test]
    fn what_is_no_policy_is_said() {
        let error = |text: &str| text.parse::<Rule>().expect_err("no policy").to_string();
        assert!(error("fast").contains("fast: expected default, rounds-of-3"));
        assert!(error("first=3,colour=1").starts_with("colour=1: expected"));
        assert!(error("first=0").contains("above 0") && error("every=-1").contains("above 0"));
        assert!(error("ttl=soon").starts_with("ttl=soon"));
        assert_eq!(error("first=8,max=7"), "first=8 is more than max=7");
    }
}
