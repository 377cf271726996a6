//! `replay`: real orders under another policy.

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::str::FromStr;

use clap::Args;
use field_service::logging;
use field_service::model::CityId;
use field_service::model::past::Past;
use field_service::simulate::batch::Compared;
use field_service::simulate::replay::{self, ENOUGH_ANSWERS, Replay, Replayed};
use field_service::simulate::rule::{self, NAMED, Rule, Settings};
use field_service::simulate::table::{self, Waits, counted};
use field_service::store::Store;
use field_service::store::past::{self, MOST_ORDERS};
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Result, in_words, say, store};

/// How often the day is played: what is drawn differs each time.
const SEEDS: u64 = 20;
/// What is read unless it is said until when.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// No order is older, nor will one come later: what is outside was mistyped.
const CENTURY: [&str; 2] = ["2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"];

#[derive(Args)]
pub struct Replaying {
    /// From when: a date (2026-11-29, midnight UTC), a moment (2026-11-29T00:00:00+05:00), or how long ago (36h)
    #[arg(long, value_name = "WHEN", default_value = "24h", allow_hyphen_values = true)]
    since: When,
    /// Until when [default: a day later, or now]
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    until: Option<When>,
    /// A policy as for `simulate`: by name, or by settings that differ from those of the policy in force; may be given several
    /// times
    #[arg(long = "policy", value_name = "POLICY", required = true)]
    policies: Vec<Proposed>,
    /// A city by name; may be given several times [default: all]
    #[arg(long = "city", value_name = "NAME")]
    cities: Vec<String>,
    /// How often the day is played, as some answers are drawn
    #[arg(long, value_name = "N", default_value_t = SEEDS, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
}

/// A policy to be played: one with a name, or the one in force with other settings.
#[derive(Clone, Debug)]
enum Proposed {
    Named(Rule),
    Changed(String, Settings),
}

impl FromStr for Proposed {
    type Err = rule::Error;

    fn from_str(text: &str) -> std::result::Result<Self, rule::Error> {
        if NAMED.iter().any(|(name, _)| *name == text) {
            return text.parse().map(Self::Named);
        }
        Ok(Self::Changed(text.to_owned(), text.parse()?))
    }
}

/// A moment as it is written on a command line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    At(Timestamp),
    Ago(SignedDuration),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        // A date alone: whoever writes a time beside it means that time, of which nobody knows the zone.
        let date =
            || Some(text).filter(|text| text.len() == "2026-11-29".len()).and_then(|text| text.parse::<Date>().ok());
        let midnight = || Some(date()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
        let moment = text.parse::<Timestamp>().ok().or_else(midnight).map(Self::At);
        let ago = || text.parse::<SignedDuration>().ok().map(Self::Ago);
        match moment.or_else(ago) {
            Some(Self::Ago(ago)) if !ago.is_positive() => Err("expected how long ago, such as 24h: more than nothing"),
            Some(when) => Ok(when),
            None if text.parse::<DateTime>().is_ok() => {
                Err("expected a moment with its offset, such as 2026-11-29T09:30:00+05:00 or 2026-11-29T09:30:00Z")
            }
            None => Err("expected a date, a moment with its offset, or 24h"),
        }
    }
}

impl When {
    /// The moment, if it is one of this century.
    fn before(self, now: Timestamp, option: &str) -> Result<Timestamp> {
        let at = match self {
            Self::At(at) => Some(at),
            Self::Ago(ago) => now.checked_sub(ago).ok(),
        };
        let [first, last] = CENTURY;
        let (first, last): (Timestamp, Timestamp) = (first.parse()?, last.parse()?);
        let at = at.filter(|at| (first..last).contains(at));
        Ok(at.ok_or_else(|| format!("{option}: expected a moment from {first} to {last}"))?)
    }
}

pub async fn run(options: Replaying) -> Result<ExitCode> {
    let store = store()?;
    let now = Timestamp::now();
    let from = options.since.before(now, "--since")?;
    let until = match options.until {
        Some(until) => until.before(now, "--until")?,
        None => from.saturating_add(A_DAY).unwrap_or(now),
    };
    let until = until.min(now);
    if until <= from {
        return Err(format!("--since {from} is not before --until {until}").into());
    }
    let past = read(&store, &options.cities, from, until).await?;
    let base = replay::in_force(&past);
    let rules: std::result::Result<Vec<Rule>, _> = options.policies.into_iter().map(|each| rule(&base, each)).collect();
    let rules = match rules {
        Ok(rules) => Rule::once_each(rules),
        // As whatever else is wrong with what was typed.
        Err(why) => {
            logging::complain(&format!("--policy: {why}; in force is {}", base.written()));
            return Ok(ExitCode::from(2));
        }
    };
    if past.orders.is_empty() {
        say(&format!("No order's search began from {from} to {until}: there is nothing to play again."))?;
        return Ok(ExitCode::SUCCESS);
    }
    let replay = replay::compare(&past, &rules, 0..options.seeds);
    show(&past, &replay)?;
    Ok(ExitCode::SUCCESS)
}

/// What happened in cities, one after another.
async fn read(store: &Store, names: &[String], from: Timestamp, until: Timestamp) -> Result<Past> {
    let all = past::cities(store).await.map_err(in_words)?;
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|(_, city)| city == *name)) {
        return Err(format!("there is no city «{unknown}»").into());
    }
    let wanted = all.into_iter().filter(|(_, city)| names.is_empty() || names.contains(city)).map(|(id, _)| id);
    let mut together: Option<Past> = None;
    for city in wanted {
        let past = of_city(store, city, from, until).await?;
        together = Some(match together {
            None => past,
            Some(others) => others.and(past),
        });
    }
    Ok(together.ok_or("there is no city yet")?)
}

async fn of_city(store: &Store, city: CityId, from: Timestamp, until: Timestamp) -> Result<Past> {
    let past = past::read(store, city, from, until).await.map_err(in_words)?;
    if past.orders.len() >= MOST_ORDERS {
        return Err(format!("there are {MOST_ORDERS} orders or more in one city: give a shorter time").into());
    }
    Ok(past)
}

/// A policy by name, or the one in force with other settings.
fn rule(in_force: &Rule, proposed: Proposed) -> std::result::Result<Rule, rule::Error> {
    match proposed {
        Proposed::Named(rule) => Ok(rule),
        Proposed::Changed(name, settings) => Ok(Rule { name, ..in_force.clone().with(&settings)? }),
    }
}

/// The policy in force: its number, since when, what it says, and of how many orders it was not the one.
fn of_the_day(past: &Past) -> String {
    let (policy, orders) = past.policy();
    let since = policy.made_at.strftime("%Y-%m-%d %H:%M UTC");
    let since = if policy.made_at < past.until {
        format!(" of {since}")
    } else {
        format!(", the oldest, although it was made at {since}, after these orders")
    };
    let said = format!("In force: policy {}{since}: {}.", policy.policy.id, replay::in_force(past).written());
    let others = past.orders.len() - orders;
    if others == 0 {
        return said;
    }
    let came_under = past.orders.iter().map(|order| past.policies.at(order.began_at).policy.id);
    let other = came_under.filter(|id| *id != policy.policy.id).collect::<BTreeSet<_>>();
    let policies = other.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    format!(
        "{said}\n{} of {} came under another one ({policies}), but are played under this one.",
        others,
        counted(past.orders.len(), "order")
    )
}

fn show(past: &Past, replay: &Replay) -> Result {
    let recorded =
        Compared { rule: Rule { name: "recorded".to_owned(), ..Rule::default() }, seeds: vec![replay.recorded] };
    let played = || std::iter::once(&replay.in_force).chain(&replay.proposed);
    let rows: Vec<Compared> = std::iter::once(recorded).chain(played().map(|each| each.compared.clone())).collect();
    let (from, until) = (past.from, past.until);
    say(&format!("{} from {from} to {until}, as they were and played again.", counted(replay.orders, "order")))?;
    say(&format!("{}\n ", of_the_day(past)))?;
    say(&table::table(Waits::OfTaken, &rows))?;
    let heading = ["answers per day", "measured", "continued", "own", "of the city", "unknown"].map(str::to_owned);
    let drawn: Vec<Vec<String>> = std::iter::once(heading.to_vec()).chain(played().map(drawn)).collect();
    say(&table::aligned(&drawn))?;
    say(Waits::OfTaken.legend())?;
    say(table::LEGEND)?;
    say(&format!(
        "\
The row `in force` plays the day under its own policy: how far it is from `recorded` is how far the others may be off. Measured:
the master answers as he did. Continued: he was not waited for; drawn from his later answers. Own, of the city: he was not
asked; drawn from his own answers of four weeks, or from his city's where he has fewer than {ENOUGH_ANSWERS}. Unknown: nobody has any.
Recorded lost taps are those that were made; played ones are all who would have made one. Recorded calls of staff are those of
the order's whole life; played ones are those of its first search."
    ))
}

fn drawn(Replayed { compared, drawn }: &Replayed) -> Vec<String> {
    let days = u64::try_from(compared.seeds.len()).unwrap_or(1).max(1);
    let counts = [drawn.measured, drawn.continued, drawn.own, drawn.of_city, drawn.unknown];
    std::iter::once(compared.rule.name.clone()).chain(counts.map(|count| (count / days).to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_is_meant_or_refused() {
        let read = |text: &str| text.parse::<When>();
        let at = |text: &str| Ok(When::At(text.parse().expect("a moment")));
        assert_eq!(read("2026-11-29"), at("2026-11-29T00:00:00Z"));
        assert_eq!(read("2026-11-29T09:30:00Z"), at("2026-11-29T09:30:00Z"));
        assert_eq!(read("2026-11-29T09:30:00+05:00"), at("2026-11-29T04:30:00Z"));
        assert_eq!(read("36h"), Ok(When::Ago(SignedDuration::from_hours(36))));
        for (text, why) in [
            // Not midnight.
            ("2026-11-30T09:30:00", "with its offset"),
            ("2026-11-30 09:30", "with its offset"),
            ("-5h", "more than nothing"),
            ("0s", "more than nothing"),
            ("yesterday", "expected a date"),
            ("--city", "expected a date"),
        ] {
            assert!(read(text).is_err_and(|said| said.contains(why)), "{text}: {:?}", read(text));
        }
    }

    #[test]
    fn a_moment_is_one_of_this_century() {
        let now = "2026-11-30T10:00:00Z".parse().expect("a moment");
        let moment = |text: &str| text.parse::<When>().expect("it is read").before(now, "--since");
        assert!(moment("24h").is_ok_and(|at| at.to_string() == "2026-11-29T10:00:00Z"));
        for far in ["99999999999h", "300000h", "1999-12-31", "2100-01-01", "-009999-01-02T01:59:59Z"] {
            let said = moment(far).expect_err(far).to_string();
            assert!(said.starts_with("--since: expected a moment from 2000-01-01"), "{far}: {said}");
        }
    }
}
