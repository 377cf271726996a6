//! A city to simulate, as a TOML file describes it. Several come with the program; their comments say what each line means.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::model::Category;

/// The cities that come with the program: name and file.
pub const SHIPPED: [(&str, &str); 4] = [
    ("default", include_str!("../sim/cities/default.toml")),
    ("sparse", include_str!("../sim/cities/sparse.toml")),
    ("dense", include_str!("../sim/cities/dense.toml")),
    ("night", include_str!("../sim/cities/night.toml")),
];

/// A city.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct City {
    /// What it is meant to show.
    pub about: String,
    /// How many masters there are, on shift or not.
    pub masters: usize,
    /// How many orders and offers a master may have at once; each master has one of these, all as likely.
    pub limits: Vec<i64>,
    /// Stars between which ratings lie.
    pub ratings: [f64; 2],
    /// The orders.
    pub orders: Orders,
    /// Trades, by their words in `orders.category`.
    pub trades: BTreeMap<String, Share>,
    /// Districts by name; none: the city has no districts.
    #[serde(default)]
    pub districts: BTreeMap<String, Share>,
    /// When masters are on shift.
    pub shifts: Vec<Shift>,
    /// How long an order is on its master's hands.
    pub work: Work,
    /// How masters answer.
    pub people: People,
}

/// The orders that come.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Orders {
    /// On average over the day.
    pub per_hour: f64,
    /// How they are spread over the day: a weight for each hour from midnight.
    pub by_hour: Vec<f64>,
    /// Which share of them asks for a master who has been there before.
    pub preferred: f64,
    /// After how many minutes an order is no longer searched for: a dispatcher has found somebody, or the client has.
    pub given_up_after_minutes: f64,
}

/// How much of the city something is.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// The weight among orders: of all trades, or of all districts.
    pub orders: f64,
    /// The probability that a master does it, or goes there.
    pub masters: f64,
}

/// A shift, every day the same.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// The weight among masters.
    pub share: f64,
    /// From that hour; half an hour is 0.5.
    pub from: f64,
    /// To that hour; of the next day, if it is not later.
    pub to: f64,
}

/// How long an order takes.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Work {
    /// From acceptance to closing, in the median.
    pub median_minutes: f64,
    /// The standard deviation of its logarithm.
    pub spread: f64,
}

/// How masters answer.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct People {
    /// After how long an offer is looked at, in the median.
    pub looks_after_seconds: f64,
    /// The standard deviation of its logarithm: 1.2 is a long tail.
    pub looks_spread: f64,
    /// With which probability a master who looks takes the order: each master has one between these.
    pub takes: [f64; 2],
    /// With which probability it is declined.
    pub declines: f64,
}

/// Why a city cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is no TOML, or something is missing, unknown, or of another type.
    #[error("{0}")]
    Unreadable(#[from] toml::de::Error),
    /// A value that makes no sense.
    #[error("{what}: expected {expected}")]
    Senseless {
        /// Which.
        what: String,
        /// What would.
        expected: &'static str,
    },
}

fn demand(holds: bool, what: impl fmt::Display, expected: &'static str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::Senseless { what: what.to_string(), expected }) }
}

const PROBABILITY: &str = "a number from 0 to 1";
const WEIGHT: &str = "weights from 0 on, not all of them 0";
const A_WEEK: &str = "above 0, and no more than a week (10080)";

fn is_probability(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn are_weights(weights: impl Iterator<Item = f64> + Clone) -> bool {
    let sum = weights.clone().sum::<f64>();
    weights.into_iter().all(|weight| weight >= 0.0) && sum > 0.0 && sum.is_finite()
}

fn is_within(value: f64, most: f64) -> bool {
    value > 0.0 && value <= most
}

impl City {
    /// The city of a file.
    ///
    /// # Errors
    /// When it is not one, with the line or the name of what is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let city: Self = toml::from_str(text)?;
        city.check_places()?;
        city.check_people()?;
        Ok(city)
    }

    /// The file of a city that comes with the program.
    #[must_use]
    pub fn shipped(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, file)| *file)
    }

    fn check_places(&self) -> Result<(), Error> {
        demand((1..=100_000).contains(&self.masters), "masters", "from 1 to 100000")?;
        let Orders { per_hour, by_hour, preferred, given_up_after_minutes } = &self.orders;
        demand((0.0..=100_000.0).contains(per_hour), "orders.per_hour", "from 0 to 100000")?;
        demand(by_hour.len() == 24, "orders.by_hour", "24 weights, from midnight on")?;
        demand(are_weights(by_hour.iter().copied()), "orders.by_hour", WEIGHT)?;
        demand(is_probability(*preferred), "orders.preferred", PROBABILITY)?;
        demand(is_within(*given_up_after_minutes, 10_080.0), "orders.given_up_after_minutes", A_WEEK)?;
        for trade in self.trades.keys() {
            demand(Category::parse(trade).is_some(), format!("trades.{trade}"), "a trade, such as PLUMBING")?;
        }
        demand(are_weights(self.trades.values().map(|share| share.orders)), "trades: orders", WEIGHT)?;
        let no_districts = self.districts.is_empty();
        let weights = self.districts.values().map(|share| share.orders);
        demand(no_districts || are_weights(weights), "districts: orders", WEIGHT)?;
        for (name, share) in self.trades.iter().chain(&self.districts) {
            demand(is_probability(share.masters), format!("{name}: masters"), PROBABILITY)?;
        }
        Ok(())
    }

    fn check_people(&self) -> Result<(), Error> {
        demand(!self.limits.is_empty() && self.limits.iter().all(|limit| *limit >= 0), "limits", "limits from 0 on")?;
        let [worst, best] = self.ratings;
        demand(
            (0.0..=5.0).contains(&worst) && (worst..=5.0).contains(&best),
            "ratings",
            "two numbers from 0 to 5, the first no greater than the second",
        )?;
        demand(are_weights(self.shifts.iter().map(|shift| shift.share)), "shifts: share", WEIGHT)?;
        for Shift { from, to, .. } in &self.shifts {
            let of_day = |hour: &f64| (0.0..=24.0).contains(hour);
            demand(of_day(from) && of_day(to), "shifts: from, to", "hours from 0 to 24")?;
        }
        demand(is_within(self.work.median_minutes, 10_080.0), "work.median_minutes", A_WEEK)?;
        demand((0.0..=5.0).contains(&self.work.spread), "work.spread", "from 0 to 5")?;
        let People { looks_after_seconds, looks_spread, takes: [least, most], declines } = self.people;
        demand(
            is_within(looks_after_seconds, 86_400.0),
            "people.looks_after_seconds",
            "above 0, and no more than a day (86400)",
        )?;
        demand((0.0..=5.0).contains(&looks_spread), "people.looks_spread", "from 0 to 5")?;
        demand(
            is_probability(least) && (least..=1.0).contains(&most),
            "people.takes",
            "two numbers from 0 to 1, the first no greater than the second",
        )?;
        demand(is_probability(declines + most), "people.declines", "no more than what `takes` leaves of 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(change: impl Fn(&str) -> String) -> String {
        let file = City::shipped("default").expect("the default city");
        City::parse(&change(file)).map(|_| ()).expect_err("a city that is wrong").to_string()
    }

    #[test]
    fn every_city_that_comes_with_the_program_is_one() {
        for (name, file) in SHIPPED {
            City::parse(file).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        assert!(City::shipped("nowhere").is_none());
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert!(error(|file| file.replace("masters = 60", "masters = 0")).contains("masters: expected from 1"));
        assert!(error(|file| file.replace("masters = 60", "")).contains("missing field `masters`"));
        assert!(
            error(|file| file.replace("masters = 60", "masters = 60\ncolour = 1")).contains("unknown field `colour`")
        );
        assert!(error(|file| file.replace("PLUMBING", "SINGING")).contains("trades.SINGING: expected a trade"));
        assert!(error(|file| file.replace("declines = 0.25", "declines = 0.5")).contains("people.declines"));
        for (from, to, said) in [
            (
                "takes = [0.15, 0.55]",
                "takes = [0.9, 0.1]",
                "people.takes: expected two numbers from 0 to 1, the first no greater",
            ),
            (
                "ratings = [3.5, 5.0]",
                "ratings = [5.0, 3.5]",
                "ratings: expected two numbers from 0 to 5, the first no greater",
            ),
            ("looks_after_seconds = 25", "looks_after_seconds = 1e300", "people.looks_after_seconds: expected above 0"),
            ("looks_after_seconds = 25", "looks_after_seconds = nan", "people.looks_after_seconds: expected above 0"),
            ("median_minutes = 80", "median_minutes = 1e300", "work.median_minutes: expected above 0"),
            (
                "given_up_after_minutes = 45",
                "given_up_after_minutes = 1e300",
                "orders.given_up_after_minutes: expected above 0",
            ),
            (
                "share = 35",
                "share = 1e308\nfrom = 1.0\nto = 2.0\n[[shifts]]\nshare = 1e308",
                "shifts: share: expected weights",
            ),
        ] {
            let said_so = error(|file| file.replacen(from, to, 1));
            assert!(said_so.starts_with(said), "{to}: {said_so}");
        }
        let unreadable = error(|_| "masters = [".to_owned());
        assert!(unreadable.contains("TOML parse error") && unreadable.contains("\n1 | masters = ["), "{unreadable}");
    }
}
