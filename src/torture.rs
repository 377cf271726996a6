//! Tries to break the system: the real program several times on one database, everybody tapping at once, and everything
//! failing meanwhile. In the end every invariant is checked by what the database holds and by what each person was told.
//!
//! Bounded in taps and in time, on this machine alone: it starts its own PostgreSQL and its own Telegram, and reads no setting that
//! names another. A seed repeats the plan of its faults and what people are up to, though not the moments in which they meet.
//!
//! | part | |
//! |---|---|
//! | `plan` | which faults, when, for how long: pure |
//! | `faults`, `processes` | let them happen |
//! | `world`, `pooler` | what they happen to |
//! | `city`, `deliver` | who taps, and how updates come |
//! | `told`, `reading`, `record` | what is known in the end |
//! | `check`, `report` | what must be so |

mod check;
mod city;
mod claim;
mod deliver;
mod faults;
mod marks;
mod plan;
mod pooler;
mod processes;
mod reading;
mod record;
mod report;
mod told;
mod world;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep};

pub use check::Check;
use city::{City, Program};
use claim::Words;
use deliver::Post;
use faults::Faults;
use marks::{FIRST_MASTER, LAST_TRADE, MASTER_TOKEN};
use plan::{Chance, Lane};
use processes::Fleet;
use record::Record;
pub use report::Report;
use told::Races;
use world::World;

use crate::config;
use crate::store::{self, migrate};

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Torture {
    /// It ends after so many taps and messages.
    pub taps: u64,
    /// It ends after this time at the latest, not counting what it takes to start and to settle.
    pub time: Duration,
    /// Repeats its plan.
    pub seed: u64,
    /// How many servers take updates; one more does what happens without a tap.
    pub servers: usize,
    /// How many masters tap.
    pub masters: usize,
    /// Whether they reach the database through PgBouncer in transaction mode, and that one by TLS with a private authority.
    pub pooled: bool,
}

/// It could not be begun or ended; nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No private PostgreSQL.
    #[error(transparent)]
    Cluster(#[from] crate::cluster::Error),
    /// A connection string of our own is malformed.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The schema could not be made.
    #[error(transparent)]
    Migration(#[from] migrate::Error),
    /// A statement of our own failed.
    #[error("a statement of the torture's own: {0:?}")]
    Database(#[from] tokio_postgres::Error),
    /// A verb failed after all faults.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The database's TLS.
    #[error(transparent)]
    Tls(#[from] store::TlsError),
    /// No port, or no program.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A task of our own did not end.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    /// The processes did not start, or hold what this release does not know.
    #[error("{0}")]
    Processes(String),
}

/// How long an order may take to find its master when nothing fails.
const OFFERED: Duration = Duration::from_mins(1);

impl Torture {
    /// Does it. `progress` hears of how many taps there were, every second.
    ///
    /// # Errors
    /// See [`Error`]. That an invariant is broken is none: the report says so.
    pub async fn run(self, progress: impl Fn(u64) + Send + 'static) -> Result<Report, Error> {
        let world = Arc::new(World::start(self.masters, self.pooled).await?);
        let races = Arc::new(Races::default());
        let told = {
            let (calls, races) = (world.telegram.observe(), Arc::clone(&races));
            tokio::spawn(async move { told::listen(calls, &races).await })
        };
        let fleet = Arc::new(Fleet::start(self.servers, world.variables(), world.secrets()).await?);
        let post = Arc::new(Post::new(fleet.servers(), world.telegram.clone()));
        let program = Arc::new(Program::new(Arc::clone(&post), world.tokens.clone()));
        let (no_more_people, no_more_faults) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let lanes = Lane::ALL.map(|lane| {
            let (world, fleet, stop) = (Arc::clone(&world), Arc::clone(&fleet), Arc::clone(&no_more_faults));
            tokio::spawn(async move { faults::run(&world, &fleet, self.seed, lane, &stop).await })
        });
        let city = Arc::new(City {
            post: Arc::clone(&post),
            world: Arc::clone(&world),
            races,
            program: Arc::clone(&program),
            seed: self.seed,
            masters: self.masters,
            taps: self.taps,
            stop: Arc::clone(&no_more_people),
        });

        let begun = Instant::now();
        let mut living = tokio::spawn(city.live());
        let (blocked_bot, made) = loop {
            tokio::select! {
                lived = &mut living => break lived?,
                () = sleep(Duration::from_secs(1)) => progress(post.count()),
            }
            let over = begun.elapsed() >= self.time || post.count() >= self.taps;
            no_more_people.fetch_or(over, Ordering::SeqCst);
            // Whoever still waits for an answer gets it without further faults.
            no_more_faults.fetch_or(over, Ordering::SeqCst);
        };
        no_more_faults.store(true, Ordering::SeqCst);
        let seconds = begun.elapsed().as_secs_f64();
        let (mut happened, mut troubles) = (Faults::new(), Vec::new());
        for lane in lanes {
            let (of_lane, held_up) = lane.await?;
            happened.extend(of_lane);
            troubles.extend(held_up);
        }
        let ended = Instant::now();
        fleet.recover("all faults").await;
        post.end().await;
        let last = self.last_orders(&post, &program).await;
        let settled = world.settle().await;
        let settling = ended.elapsed().as_secs_f64();
        let (processes, logged) = fleet.end().await;
        let (taps, deliveries, odd_statuses) = post.results();
        let record = Record {
            settled,
            last,
            processes,
            logged,
            odd_statuses,
            taps,
            made: made.into_iter().chain(program.made()).collect(),
            blocked_bot,
            troubles,
            unsealed: world.unsealed().await?,
            told: {
                // Nobody calls any more; and nobody listens.
                drop(world.telegram.observe());
                told.await?
            },
            ..world.read().await?
        };
        Ok(Report {
            seed: self.seed,
            database: world.described().await?,
            taps: record.taps.len(),
            seconds,
            deliveries,
            answers: answers(&record),
            orders: count(record.orders.iter().map(|order| order.status.as_str())),
            messages: count(record.outbox.iter().map(|message| match &message.dropped {
                Some(because) => because.to_ascii_lowercase(),
                None if message.finished.is_some() => "sent".to_owned(),
                None => "waiting".to_owned(),
            })),
            faults: happened,
            clocks: fleet.clocks(),
            settled: settling,
            checks: check::all(&record),
        })
    }

    /// In each city an order that nobody disturbs any more; see [`Self::last_order`].
    async fn last_orders(&self, post: &Arc<Post>, program: &Program) -> Vec<Result<(i64, i64), String>> {
        join_all((0..2).map(|number| self.last_order(number, post, program))).await
    }

    /// An order for the one master of its trade, who taps for it: the order, and the person.
    ///
    /// # Errors
    /// Why the order was not offered.
    async fn last_order(&self, number: usize, post: &Arc<Post>, program: &Program) -> Result<(i64, i64), String> {
        let mut chance = Chance::of(self.seed, 50 + number as u64);
        let id = FIRST_MASTER + i64::try_from(self.masters + number).unwrap_or_default();
        let master = post.person(MASTER_TOKEN, id);
        post.deliver(&master, master.chat.text_update("/start"), &mut chance).await;
        // The same arithmetic as the masters' cities have.
        let city = 1 + (id - FIRST_MASTER + 1).unsigned_abs() % 2;
        let order = program.make(LAST_TRADE, city, &mut chance).await;
        let order = order.ok_or_else(|| format!("city {city}: no order was made"))?;
        let take = format!("m:new:acc:{order}:1");
        let begun = Instant::now();
        loop {
            let messages = master.chat.latest(5);
            let mut buttons = messages.iter().flat_map(|message| message.buttons.iter().flatten());
            if buttons.any(|button| button.data == take) {
                break;
            }
            if begun.elapsed() > OFFERED {
                return Err(format!(
                    "city {city}: order {order} was not offered to {id}, the only one, within {OFFERED:?}"
                ));
            }
            sleep(Duration::from_millis(50)).await;
        }
        post.deliver(&master, master.chat.tap_update(&take), &mut chance).await;
        Ok((order, id))
    }
}

fn count<K: Ord>(of: impl Iterator<Item = K>) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for one in of {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

fn answers(record: &Record) -> BTreeMap<&'static str, u64> {
    let words = Words::new();
    let said = record.taps.iter().flat_map(|tap| &tap.answers);
    count(said.filter_map(|(_, text)| words.read(text)).map(claim::Claim::name))
}
