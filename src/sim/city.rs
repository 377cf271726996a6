//! The simulated city: clients whose orders keep coming, masters whom nobody plays, and an office for what nobody takes.
//!
//! It goes on for as long as it is run, holds the number of open orders between two bounds, and leaves alone whoever's
//! phone a visitor has touched lately. What it does, it does from outside: orders come by SQL, as they do from whoever
//! takes calls; masters press the buttons of their chats.

mod master;
mod orders;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use super::telegram::{Chat, Telegram};
use crate::dispatch::act::{Asked, StaffCommand, act};
use crate::model::{MasterId, OrderId, StaffId, StaffRef, Version};
use crate::store::{Connection, Error, Statement, Store, column, statement};
use master::SimulatedMaster;
use orders::Orders;

/// A city about to live.
pub(super) struct City {
    pub(super) telegram: Telegram,
    /// The masters' bot.
    pub(super) token: &'static str,
    /// The dispatchers' bot.
    pub(super) admin_token: &'static str,
    /// A way to the database that nobody cuts.
    pub(super) outside: Store,
    /// The handler's own: the office goes through the same verbs as every door.
    pub(super) inside: Store,
    pub(super) pace: Pace,
}

/// How long people take to see to something, in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// From one look at the phone to the next.
    think: (u64, u64),
    /// Between two steps: the bot takes no second one within a second and a half.
    step: (u64, u64),
    /// How long an offer is left to those who play.
    leave: i32,
    /// How long an order waits for a dispatcher.
    office: i32,
}

impl Pace {
    /// As people are.
    pub(super) const HUMAN: Self = Self { think: (5, 12), step: (2, 4), leave: 40, office: 75 };
    /// For somebody who cannot wait.
    pub(super) const HURRIED: Self = Self { think: (0, 1), step: (2, 2), leave: 2, office: 8 };
}

/// How often somebody looks whether there is something to do.
const LOOK: Duration = Duration::from_secs(1);

impl City {
    /// Lives until it is dropped.
    pub(super) async fn run(self) {
        let mut lives = JoinSet::new();
        match people(&self.outside).await {
            Ok(people) => {
                for (user, id) in people {
                    let Some(chat) = self.telegram.known_chat(self.token, user) else { continue };
                    chat.simulate();
                    let master = SimulatedMaster { id, chat, store: self.outside.clone(), pace: self.pace };
                    lives.spawn(async move { master.live().await });
                }
            }
            Err(error) => tracing::warn!(%error, "nobody is simulated: the masters could not be read"),
        }
        let mut orders = Orders::new(self.outside.clone());
        lives.spawn(async move {
            loop {
                warn(orders.come().await, "an order could not be made");
                sleep(LOOK).await;
            }
        });
        let phones = self.office().await;
        let (outside, inside, wait) = (self.outside, self.inside, self.pace.office);
        lives.spawn(async move {
            loop {
                // While somebody plays a dispatcher, what needs one is left to them.
                if phones.iter().all(Chat::may_be_simulated) {
                    warn(help(&outside, &inside, wait).await, "the office could not help");
                }
                sleep(LOOK * 5).await;
            }
        });
        while lives.join_next().await.is_some() {}
    }

    /// The dispatchers' phones.
    async fn office(&self) -> Vec<Chat> {
        match dispatchers(&self.outside).await {
            Ok(users) => {
                let phones = users.into_iter().filter_map(|user| self.telegram.known_chat(self.admin_token, user));
                phones.inspect(Chat::simulate).collect()
            }
            Err(error) => {
                tracing::warn!(%error, "the dispatchers could not be read");
                Vec::new()
            }
        }
    }
}

/// The database is away, or busy: it goes on when it is back.
fn warn(done: Result<(), Error>, what: &str) {
    if let Err(error) = done {
        tracing::warn!(%error, "{what}");
    }
}

async fn people(store: &Store) -> Result<Vec<(i64, MasterId)>, Error> {
    const PEOPLE: Statement = statement!("sim.masters", [], "SELECT telegram_user_id, id FROM masters ORDER BY id");
    let rows = store.run(async |connection: Connection| connection.fetch(&PEOPLE, &[]).await).await?;
    rows.iter().map(|row| Ok((column(row, "telegram_user_id")?, MasterId(column(row, "id")?)))).collect()
}

async fn dispatchers(store: &Store) -> Result<Vec<i64>, Error> {
    const DISPATCHERS: Statement = statement!("sim.dispatchers", [], "SELECT telegram_user_id FROM staff ORDER BY id");
    let rows = store.run(async |connection: Connection| connection.fetch(&DISPATCHERS, &[]).await).await?;
    rows.iter().map(|row| column(row, "telegram_user_id")).collect()
}

/// Gives an order that has waited for a dispatcher so long to whoever in its city has the fewest.
async fn help(outside: &Store, inside: &Store, wait: i32) -> Result<(), Error> {
    const WAITING: Statement = statement!(
        "sim.waiting_for_the_office",
        [INT4],
        "SELECT waiting.id AS order_id, version, revision, master.id AS master_id, staff.id AS staff_id
         FROM (SELECT id, version, revision, city_id FROM orders
               WHERE status IN ('SEARCHING', 'GUARANTEE') AND escalated_at < now() - make_interval(secs => $1)
                 AND claimed_by_staff_id IS NULL
               ORDER BY escalated_at LIMIT 1) AS waiting
         CROSS JOIN LATERAL (
             SELECT masters.id FROM masters
             WHERE masters.city_id = waiting.city_id AND NOT is_blocked
             ORDER BY (SELECT count(*) FROM orders
                       WHERE assigned_master_id = masters.id
                         AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')), random()
             LIMIT 1) AS master
         CROSS JOIN (SELECT id FROM staff WHERE is_active ORDER BY id LIMIT 1) AS staff"
    );
    let rows = outside.run(async |connection: Connection| connection.fetch(&WAITING, &[&wait]).await).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let staff = StaffRef::Id(StaffId(column(row, "staff_id")?));
    let seen = Some(Version { version: column(row, "version")?, revision: column(row, "revision")? });
    let asked = Asked { staff, order: OrderId(column(row, "order_id")?), seen, origin: None, answers: None };
    act(inside, asked, &StaffCommand::Assign(MasterId(column(row, "master_id")?))).await.map(drop)
}

/// A number below `bound`, by chance.
fn chance(bound: u64) -> u64 {
    RandomState::new().build_hasher().finish() % bound.max(1)
}

/// A pause between the two, in seconds.
async fn pause((from, to): (u64, u64)) {
    let spread = (to - from) * 1000;
    sleep(Duration::from_millis(from * 1000 + chance(spread + 1))).await;
}
