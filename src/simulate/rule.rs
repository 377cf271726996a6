//! The policies that are compared: a row of `dispatch_policies` as it is written on a command line.

use std::str::FromStr;

use crate::model::policy::{Policy, Widening};
use crate::model::policy_draft::{LEAST_WIDENING, PolicyField};

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
    #[error("«{0}»: expected {names} or settings such as {SYNTAX}", names = NAMED.map(|(name, _)| name).join(", "))]
    Unknown(String),
    /// Not what the setting can be.
    #[error("{0}: expected a whole number")]
    NoNumber(String),
    /// It is said twice.
    #[error("{0}= is there twice")]
    Twice(&'static str),
    /// No such policy can be saved.
    #[error("{setting}: expected {expected}")]
    Outside {
        /// How it was written.
        setting: String,
        /// What could be.
        expected: String,
    },
    /// More masters are asked at first than offers may live.
    #[error("first={first} is more than max={max}")]
    NoRoom {
        /// How many are asked.
        first: i32,
        /// How many offers may live.
        max: i32,
    },
}

/// What a policy says otherwise than another: as it is written, read, and each number within its bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings(Vec<(&'static str, i32)>);

/// A setting, and the fields of a policy that it is.
const KEYS: [(&str, PolicyField); 8] = [
    ("first", PolicyField::FirstMasters),
    ("every", PolicyField::WidenEvery),
    ("by", PolicyField::WidenBy),
    ("max", PolicyField::MaxLiveOffers),
    ("ttl", PolicyField::OfferTtl),
    ("preferred", PolicyField::PreferredTtl),
    ("rounds", PolicyField::MaxRounds),
    ("escalate", PolicyField::EscalateAfter),
];

impl FromStr for Settings {
    type Err = Error;

    /// By the bounds within which an admin may save a policy.
    fn from_str(text: &str) -> Result<Self, Error> {
        let settings = Self::read(text)?;
        for (key, number) in &settings.0 {
            let field = KEYS.iter().find(|(known, _)| known == key).map(|(_, field)| *field);
            let Some(range) = field.map(PolicyField::range).filter(|range| !range.contains(number)) else { continue };
            let expected = format!("{} to {}", range.start(), range.end());
            return Err(Error::Outside { setting: format!("{key}={number}"), expected });
        }
        if settings.0.iter().any(|(key, number)| *key == "every" && (1..LEAST_WIDENING).contains(number)) {
            let expected = format!("0 (in rounds), or {LEAST_WIDENING} to {}", PolicyField::WidenEvery.range().end());
            let number = settings.get("every").unwrap_or_default();
            return Err(Error::Outside { setting: format!("every={number}"), expected });
        }
        Ok(settings)
    }
}

impl Settings {
    fn read(text: &str) -> Result<Self, Error> {
        let mut settings = Self(Vec::new());
        for setting in text.split(',') {
            let (key, value) = setting.split_once('=').ok_or_else(|| Error::Unknown(setting.to_owned()))?;
            let (key, _) =
                KEYS.iter().find(|(known, _)| *known == key).ok_or_else(|| Error::Unknown(setting.to_owned()))?;
            let number = value.parse().map_err(|_| Error::NoNumber(setting.to_owned()))?;
            if settings.get(key).is_some() {
                return Err(Error::Twice(key));
            }
            settings.0.push((key, number));
        }
        Ok(settings)
    }

    fn get(&self, key: &str) -> Option<i32> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, number)| *number)
    }
}

impl FromStr for Rule {
    type Err = Error;

    /// A name of [`NAMED`], or settings over those of the default. What has a name may be what nobody would save.
    fn from_str(text: &str) -> Result<Self, Error> {
        let rule = match NAMED.iter().find(|(name, _)| *name == text) {
            Some((_, "")) => Self::default(),
            Some((_, settings)) => Self::default().with(&Settings::read(settings)?)?,
            None => Self::default().with(&text.parse()?)?,
        };
        Ok(Self { name: text.to_owned(), ..rule })
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
    /// When it contradicts itself then.
    pub fn with(mut self, settings: &Settings) -> Result<Self, Error> {
        let policy = &mut self.policy;
        let mut widening = policy.widening.unwrap_or(Widening {
            first_masters: policy.masters_per_round,
            every_seconds: 0,
            by: 1,
            max_live: policy.masters_per_round.max(6),
        });
        let set = |key: &str, value: &mut i32| settings.get(key).into_iter().for_each(|number| *value = number);
        set("first", &mut widening.first_masters);
        set("first", &mut policy.masters_per_round);
        set("every", &mut widening.every_seconds);
        set("by", &mut widening.by);
        set("ttl", &mut policy.offer_ttl_seconds);
        set("preferred", &mut policy.preferred_ttl_seconds);
        set("rounds", &mut policy.max_rounds);
        set("escalate", &mut self.escalate_after_seconds);
        let first = widening.first_masters;
        widening.max_live = settings.get("max").unwrap_or(widening.max_live.max(first));
        let widens = widening.every_seconds > 0;
        if widens && first > widening.max_live {
            return Err(Error::NoRoom { first, max: widening.max_live });
        }
        policy.widening = widens.then_some(widening);
        Ok(self)
    }

    /// The policy as it is written on a command line, every setting of it.
    #[must_use]
    pub fn written(&self) -> String {
        let Policy {
            masters_per_round,
            offer_ttl_seconds: ttl,
            preferred_ttl_seconds: preferred,
            max_rounds,
            widening,
            ..
        } = self.policy;
        let way = match widening {
            None => format!("first={masters_per_round},every=0"),
            Some(Widening { first_masters, every_seconds, by, max_live }) => {
                format!("first={first_masters},every={every_seconds},by={by},max={max_live}")
            }
        };
        let escalate = self.escalate_after_seconds;
        let settings = format!("{way},ttl={ttl},preferred={preferred},rounds={max_rounds},escalate={escalate}");
        match widening {
            // By which rounds are counted, and which no setting says by itself.
            Some(widening) if widening.first_masters != masters_per_round => {
                format!("{settings} (a round: {masters_per_round} masters)")
            }
            _ => settings,
        }
    }

    /// Whether both are the same policy, whatever they are called.
    #[must_use]
    pub fn is_same_as(&self, other: &Self) -> bool {
        let numbered = Policy { id: other.policy.id, ..self.policy };
        numbered == other.policy && self.escalate_after_seconds == other.escalate_after_seconds
    }

    /// Each policy once, by its first name.
    #[must_use]
    pub fn once_each(rules: Vec<Self>) -> Vec<Self> {
        let mut once: Vec<Self> = Vec::with_capacity(rules.len());
        for rule in rules {
            if !once.iter().any(|known| known.is_same_as(&rule)) {
                once.push(rule);
            }
        }
        once
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
        assert!(error("fast").contains("«fast»: expected default, rounds-of-3"));
        assert!(error("").starts_with("«»: expected default"), "no name, and no setting");
        assert!(error("first=3,").starts_with("«»: expected"));
        assert!(error("first=3,colour=1").starts_with("«colour=1»: expected"));
        for (text, said) in [
            ("ttl=soon", "ttl=soon: expected a whole number"),
            ("ttl=99999999999", "ttl=99999999999: expected a whole number"),
            ("first=8,max=7", "first=8 is more than max=7"),
            ("max=1", "first=3 is more than max=1"),
            ("first=2,first=3", "first= is there twice"),
            ("first=0", "first=0: expected 1 to 50"),
            ("first=100000,every=0", "first=100000: expected 1 to 50"),
            ("ttl=9", "ttl=9: expected 10 to 3600"),
            ("escalate=59", "escalate=59: expected 60 to 86400"),
            ("every=-1", "every=-1: expected 0 to 3600"),
            ("every=1", "every=1: expected 0 (in rounds), or 5 to 3600"),
        ] {
            assert_eq!(error(text), said);
        }
        assert_eq!(rule("first=3,every=0,max=1").policy.widening, None, "which counts in no round");
    }

    /// What can be played can be saved, but for what has a name of its own.
    #[test]
    fn the_bounds_are_those_of_the_editor() {
        for (key, field) in KEYS {
            let (least, most) = field.range().into_inner();
            let of = |number: i32| format!("{key}={number}").parse::<Settings>();
            assert!(of(least).is_ok() && of(most).is_ok(), "{key}");
            assert!(of(least - 1).is_err() && of(most + 1).is_err(), "{key}");
        }
        let of_rounds = Rule::default().policy.masters_per_round;
        assert!(PolicyField::MastersPerRound.range().contains(&of_rounds));
        assert_eq!(PolicyField::FirstMasters.range(), PolicyField::MastersPerRound.range(), "first= is both");
    }

    #[test]
    fn a_policy_is_written_as_it_is_read() {
        assert_eq!(rule("default").written(), "first=3,every=30,by=1,max=6,ttl=120,preferred=60,rounds=3,escalate=600");
        for text in ["default", "one-by-one", "first=5,every=10,by=2,max=9,ttl=30,preferred=20,rounds=7,escalate=90"] {
            let written = rule(text).written();
            assert!(rule(&written).is_same_as(&rule(text)), "{written}");
        }
        let mut other = Rule::default();
        other.policy.masters_per_round = 5;
        assert!(other.written().ends_with("escalate=600 (a round: 5 masters)"), "{}", other.written());
    }

    #[test]
    fn a_policy_that_is_there_twice_is_played_once() {
        let names = |texts: &[&str]| {
            let rules = Rule::once_each(texts.iter().map(|text| rule(text)).collect());
            rules.into_iter().map(|rule| rule.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&["default", "every=30", "default", "first=2", "first=2"]), ["default", "first=2"]);
    }
}
