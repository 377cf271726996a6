//! Everybody at once: masters, those who race for the same order, dispatchers, programs that make orders, and
//! strangers.
//!
//! They press what they see, mostly; sometimes what hung there long ago, what nobody has shown them, or the same twice.

mod dispatcher;
mod foreman;
mod hand;
mod master;
mod program;
mod stranger;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::deliver::{Person, Post};
use super::marks::{ADMIN_TOKEN, FIRST_MASTER, FOREMAN, MASTER_TOKEN, STAFF};
use super::plan::Chance;
use super::record::Made;
use super::told::Races;
use super::world::World;
pub(super) use program::Program;

/// How often the database is vacuumed.
const VACUUM: Duration = Duration::from_secs(30);

/// Where everybody lives.
pub(super) struct City {
    pub(super) post: Arc<Post>,
    pub(super) world: Arc<World>,
    pub(super) races: Arc<Races>,
    pub(super) program: Arc<Program>,
    pub(super) seed: u64,
    pub(super) masters: usize,
    /// After so many taps everybody stops.
    pub(super) taps: u64,
    pub(super) stop: Arc<AtomicBool>,
}

impl City {
    /// Lives until there were enough taps or it is told to stop; who has blocked the bot, and what the program made.
    pub(super) async fn live(self: Arc<Self>) -> (BTreeSet<i64>, Vec<Made>) {
        let mut people: JoinSet<()> = JoinSet::new();
        for number in 0..self.masters {
            let city = Arc::clone(&self);
            people.spawn(async move { city.master(number).live().await });
        }
        for (number, id) in STAFF.into_iter().enumerate() {
            let city = Arc::clone(&self);
            people.spawn(async move {
                let person = city.post.person(ADMIN_TOKEN, id);
                dispatcher::live(&city, &person, city.chance(1000 + number)).await;
            });
        }
        for number in 0..2 {
            let city = Arc::clone(&self);
            people.spawn(async move { stranger::live(&city, city.chance(4000 + number)).await });
        }
        let city = Arc::clone(&self);
        people.spawn(async move {
            let person = city.post.person(ADMIN_TOKEN, FOREMAN);
            foreman::live(&city, &person, city.chance(5000)).await;
        });
        for number in 0..3 {
            let city = Arc::clone(&self);
            people.spawn(async move { hand::live(&city, city.chance(6000 + number)).await });
        }
        for number in 0..3 {
            let city = Arc::clone(&self);
            people.spawn(async move { city.race(city.chance(2000 + number)).await });
        }
        let city = Arc::clone(&self);
        people.spawn(async move { city.clients(city.chance(3000)).await });
        let city = Arc::clone(&self);
        people.spawn(async move { city.keep_house().await });
        people.join_all().await;
        let blocked = (0..self.masters).filter(|number| master::blocks(*number)).map(Self::master_id);
        (blocked.collect(), self.program.made())
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::SeqCst) || self.post.count() >= self.taps
    }

    fn chance(&self, purpose: usize) -> Chance {
        Chance::of(self.seed, 100 + purpose as u64)
    }

    fn master_id(number: usize) -> i64 {
        FIRST_MASTER + i64::try_from(number).unwrap_or_default()
    }

    fn master(&self, number: usize) -> master::Busy<'_> {
        let person = self.post.person(MASTER_TOKEN, Self::master_id(number));
        master::Busy::new(self, person, number, self.chance(number))
    }

    /// Lets several masters tap the same order at the same moment, again and again.
    async fn race(&self, mut chance: Chance) {
        while !self.is_over() {
            sleep(Duration::from_millis(200 + chance.below_u64(400))).await;
            let Some((order, people)) = self.races.next() else { continue };
            let people: Vec<Person> = people.iter().map(|id| self.post.person(MASTER_TOKEN, *id)).collect();
            let mut chances: Vec<Chance> = people.iter().map(|person| self.racing(order, person)).collect();
            let data = format!("m:new:acc:{order}:1");
            let taps = people.iter().zip(&mut chances).map(|(person, chance)| {
                let update = person.chat.tap_update(&data);
                async move { self.post.deliver(person, update, chance).await }
            });
            join_all(taps).await;
        }
    }

    fn racing(&self, order: i64, person: &Person) -> Chance {
        Chance::of(self.seed ^ order.unsigned_abs(), person.id.unsigned_abs())
    }

    /// Lets the database keep its pace, however long it goes on.
    async fn keep_house(&self) {
        let mut last = Instant::now();
        while !self.is_over() {
            sleep(Duration::from_millis(200)).await;
            if last.elapsed() >= VACUUM {
                self.world.vacuum().await;
                last = Instant::now();
            }
        }
    }

    /// Clients keep calling, as long as there are not too many orders that nobody has taken.
    async fn clients(&self, mut chance: Chance) {
        let most = i64::try_from(3 * self.masters).unwrap_or_default();
        let mut orders = JoinSet::new();
        while !self.is_over() {
            sleep(Duration::from_millis(100 + chance.below_u64(300))).await;
            if self.world.open_orders().await < most && orders.len() < 12 {
                let (program, mut of_order) = (Arc::clone(&self.program), chance.clone());
                let trade = chance.pick(&["PLUMBING", "ELECTRICS"]).copied().unwrap_or_default();
                let city = 1 + chance.below_u64(2);
                orders.spawn(async move {
                    if let Some(order) = program.make(trade, city, &mut of_order).await {
                        program.change(&mut of_order, order).await;
                    }
                });
            }
            while orders.try_join_next().is_some() {}
        }
        orders.join_all().await;
    }
}
