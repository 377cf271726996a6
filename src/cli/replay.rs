//! `replay`: real orders under another policy.

use std::str::FromStr;

use clap::Args;
use field_service::model::CityId;
use field_service::model::past::Past;
use field_service::simulate::batch::Compared;
use field_service::simulate::replay::{self, ENOUGH_ANSWERS, Replay, Replayed};
use field_service::simulate::rule::{NAMED, Rule};
use field_service::simulate::table;
use field_service::store::Store;
use field_service::store::past::{self, MOST_ORDERS};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Result, in_words, say, store};

/// How often the day is played: what is drawn differs each time.
const SEEDS: u64 = 20;
/// What is read unless it is said until when.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

#[derive(Args)]
pub struct Replaying {
    /// From when: a date (2026-11-29, midnight UTC), a moment (2026-11-29T00:00:00+05:00), or how long ago (36h)
    #[arg(long, value_name = "WHEN", default_value = "24h")]
    since: When,
    /// Until when [default: a day later, or now]
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
    /// A policy as for `simulate`: by name, or by settings that differ from those of the policy in force; may be given several
    /// times
    #[arg(long = "policy", value_name = "POLICY", required = true)]
    policies: Vec<String>,
    /// A city by name; may be given several times [default: all]
    #[arg(long = "city", value_name = "NAME")]
    cities: Vec<String>,
    /// How often the day is played, as some answers are drawn
    #[arg(long, value_name = "N", default_value_t = SEEDS, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    seeds: u64,
}

/// A moment as it is written on a command line.
#[derive(Clone, Copy, Debug)]
enum When {
    At(Timestamp),
    Ago(SignedDuration),
}

impl FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let moment = text.parse().ok().or_else(|| {
            let date: Date = text.parse().ok()?;
            Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
        });
        let ago = || text.parse::<SignedDuration>().ok().filter(SignedDuration::is_positive).map(Self::Ago);
        moment.map(Self::At).or_else(ago).ok_or_else(|| "expected a date, a moment with its offset, or 24h".to_owned())
    }
}

impl When {
    fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => now.saturating_sub(ago).unwrap_or(Timestamp::MIN),
        }
    }
}

pub async fn run(options: Replaying) -> Result {
    let store = store()?;
    let now = Timestamp::now();
    let from = options.since.before(now);
    let until = options.until.map_or_else(|| from.saturating_add(A_DAY).unwrap_or(now), |until| until.before(now));
    let until = until.min(now);
    if until <= from {
        return Err(format!("--since {from} is not before --until {until}").into());
    }
    let past = read(&store, &options.cities, from, until).await?;
    let rules: Vec<Rule> = options.policies.iter().map(|text| rule(&past, text)).collect::<Result<_>>()?;
    let replay = replay::compare(&past, &rules, 0..options.seeds);
    show(&replay, from, until)
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
        return Err(format!("there are more than {MOST_ORDERS} orders in one city: give a shorter time").into());
    }
    Ok(past)
}

/// A policy by name, or the one in force with other settings.
fn rule(past: &Past, text: &str) -> Result<Rule> {
    if NAMED.iter().any(|(name, _)| *name == text) {
        return Ok(text.parse()?);
    }
    let rule = replay::in_force(past).with(text)?;
    Ok(Rule { name: text.to_owned(), ..rule })
}

fn show(replay: &Replay, from: Timestamp, until: Timestamp) -> Result {
    let recorded =
        Compared { rule: Rule { name: "recorded".to_owned(), ..Rule::default() }, seeds: vec![replay.recorded] };
    let played = || std::iter::once(&replay.in_force).chain(&replay.proposed);
    let rows: Vec<Compared> = std::iter::once(recorded).chain(played().map(|each| each.compared.clone())).collect();
    say(&format!("{} orders from {from} to {until}, as they were and played again.\n ", replay.orders))?;
    say(&table::table(&rows))?;
    let heading = ["answers per day", "measured", "continued", "own", "of the city", "unknown"].map(str::to_owned);
    let drawn: Vec<Vec<String>> = std::iter::once(heading.to_vec()).chain(played().map(drawn)).collect();
    say(&table::aligned(&drawn))?;
    say(table::LEGEND)?;
    say(&format!(
        "\
The row `in force` plays the day under its own policy: how far it is from `recorded` is how far the others may be off. Measured:
the master answers as he did. Continued: he was not waited for; drawn from his later answers. Own, of the city: he was not
asked; drawn from his own answers of four weeks, or from his city's where he has fewer than {ENOUGH_ANSWERS}. Unknown: nobody has any.
Recorded lost taps are those that were made; played ones are all who would have made one."
    ))
}

fn drawn(Replayed { compared, drawn }: &Replayed) -> Vec<String> {
    let days = u64::try_from(compared.seeds.len()).unwrap_or(1).max(1);
    let counts = [drawn.measured, drawn.continued, drawn.own, drawn.of_city, drawn.unknown];
    std::iter::once(compared.rule.name.clone()).chain(counts.map(|count| (count / days).to_string())).collect()
}
