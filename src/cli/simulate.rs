//! `simulate`: days of a city under several policies.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Write, read_to_string, stderr};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use clap::Args;
use field_service::simulate::batch::{self, Compared};
use field_service::simulate::city::{City, SHIPPED};
use field_service::simulate::picture;
use field_service::simulate::rule::Rule;
use field_service::simulate::table::{self, Waits, counted};

use super::{Result, say};

/// Seeds, unless others are asked for: enough for narrow margins, done in seconds.
const SEEDS: u64 = 20;

#[derive(Args)]
pub struct Simulate {
    /// A city that comes with the program (default, sparse, dense, night), or a TOML file; --show-city prints one to begin with
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    city: String,
    /// A policy by name (default, rounds-of-3, rounds-of-5-60s, one-by-one, broadcast, 2-and-1-per-20s, 3-and-1-per-15s) or by
    /// settings that differ from the default's (first=3,every=30,by=1,max=6,ttl=120,preferred=60,rounds=3,escalate=600;
    /// every=0: in rounds); may be given several times [default: all that have names]
    #[arg(long = "policy", value_name = "POLICY")]
    policies: Vec<Rule>,
    /// How many days to play
    #[arg(long, value_name = "N", default_value_t = SEEDS, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    seeds: u64,
    /// The seed of the first day; the others follow
    #[arg(long, value_name = "SEED", default_value_t = 1, value_parser = clap::value_parser!(u64).range(..=1 << 60))]
    first_seed: u64,
    /// Threads [default: one per core]; the result does not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Draws wait against messages, each policy as a point
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Prints the file of a city that comes with the program, and ends
    #[arg(long, value_name = "NAME", conflicts_with_all = ["city", "policies", "seeds", "svg"])]
    show_city: Option<String>,
}

pub fn run(options: Simulate) -> Result {
    if let Some(name) = &options.show_city {
        let file = City::shipped(name).ok_or_else(|| format!("there is no city {name}: expected {}", names()))?;
        return say(file.trim_end());
    }
    let city = city(&options.city)?;
    let rules = if options.policies.is_empty() { Rule::named()? } else { Rule::once_each(options.policies) };
    // Before all the days are played.
    let picture = options.svg.as_deref().map(Picture::open).transpose()?;
    let threads = options.threads.or_else(|| available_parallelism().ok()).map_or(1, NonZero::get);
    let progress = Progress::of(options.seeds);
    let seeds = options.first_seed..options.first_seed + options.seeds;
    let compared = batch::compare(&city, &rules, seeds, threads, &|| progress.step());
    progress.end();
    if compared.iter().all(Compared::is_empty) {
        let undrawn = options.svg.map(|path| format!(", nor to draw: {} is not written", path.display()));
        let undrawn = undrawn.unwrap_or_default();
        return say(&format!("No order comes to the city {}: there is nothing to compare{undrawn}.", options.city));
    }
    say(&heading(&options.city, &city, &compared))?;
    say(&table::table(Waits::OfAll, &compared))?;
    say(Waits::OfAll.legend())?;
    say(table::LEGEND)?;
    if let Some(picture) = picture {
        let days = usize::try_from(options.seeds).unwrap_or(usize::MAX);
        picture.write(&picture::svg(&city.about, &counted(days, "day"), &compared))?;
    }
    Ok(())
}

/// The file of a picture, which can be written.
struct Picture {
    path: PathBuf,
    /// What is there already; `None`: nothing, and nothing is left there if there is no picture.
    file: Option<File>,
}

impl Picture {
    /// What is there stays until there is another picture.
    fn open(path: &Path) -> Result<Self> {
        let there = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Self::try_to_make(path).map(|()| None),
            file => file.map(Some),
        };
        let file = there.map_err(|error| format!("--svg {}: {error}", path.display()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Whether a file can be made there, of which nothing is left.
    fn try_to_make(path: &Path) -> io::Result<()> {
        OpenOptions::new().write(true).create_new(true).open(path)?;
        fs::remove_file(path)
    }

    fn write(self, svg: &str) -> Result {
        let write = |mut file: File| {
            // What is no file, such as a pipe, has no length to be changed.
            let is_file = file.metadata().is_ok_and(|known| known.is_file());
            let emptied = if is_file { file.set_len(0) } else { Ok(()) };
            emptied.and_then(|()| file.write_all(svg.as_bytes()))
        };
        let file = self.file.map_or_else(|| File::create(&self.path), Ok);
        Ok(file.and_then(write).map_err(|error| format!("--svg {}: {error}", self.path.display()))?)
    }
}

/// A city's file is far shorter, and what has no end is none.
const LONGEST_FILE: u64 = 1024 * 1024;

fn names() -> String {
    SHIPPED.map(|(name, _)| name).join(", ")
}

fn city(name: &str) -> Result<City> {
    let file = match City::shipped(name) {
        Some(file) => file.to_owned(),
        None => File::open(name)
            .and_then(|file| read_to_string(file.take(LONGEST_FILE)))
            .map_err(|error| format!("--city {name}: {error}: expected {}, or a TOML file", names()))?,
    };
    Ok(City::parse(&file).map_err(|error| format!("--city {name}: {error}"))?)
}

fn heading(name: &str, city: &City, compared: &[Compared]) -> String {
    let days = compared.first().map_or(0, |compared| compared.seeds.len());
    let orders = compared.first().map_or(0.0, |compared| compared.estimate(|figures| figures.orders).mean);
    let (days, orders) = (counted(days, "day"), format!("{orders:.0} orders"));
    format!("City {name}: {}; {days} with {orders} each, the same under each policy.\n ", city.about)
}

/// How far it is, on one line of a terminal; elsewhere nothing.
struct Progress {
    total: u64,
    done: AtomicU64,
    shown: bool,
}

/// As many characters as the bar has.
const BAR: u64 = 40;

impl Progress {
    fn of(total: u64) -> Self {
        Self { total, done: AtomicU64::new(0), shown: stderr().is_terminal() }
    }

    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        // As often as a hundredth more is done, and no more often.
        if self.shown && (done * 100 / self.total) != ((done - 1) * 100 / self.total) {
            let filled = "█".repeat(usize::try_from(done * BAR / self.total).unwrap_or_default());
            let bar = format!(
                "\r{filled:░<40} {done} of {}",
                counted(usize::try_from(self.total).unwrap_or(usize::MAX), "day")
            );
            // A terminal that has gone is no reason to stop.
            drop(stderr().write_all(bar.as_bytes()));
        }
    }

    fn end(&self) {
        if self.shown {
            drop(stderr().write_all(b"\r\x1b[K"));
        }
    }
}
