//! Claims: which rows are sent now, when exactly, and by whom.

use std::time::{Duration, Instant};

use tokio::join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::super::{Connection, Error, Statement, Store, column, statement};
use crate::model::{BotName, OrderId};

/// How long a claimed row is left to whoever claimed it: longer than sending it can take.
const LEASE_SECONDS: f64 = 30.0;

/// Telegram takes about 30 messages a second from a bot, edits included; and one a second in a chat. A fifth of that is left
/// for what is late on its way.
/// <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this>
pub const PER_SECOND: i32 = 24;

/// A claim takes what is sent within this time, in seconds: there are some claims in it, and what is needed sooner than what
/// was claimed waits no longer.
const AHEAD: f64 = 1.0;
/// The same for whoever answers a tap, and has not got much longer.
const AHEAD_OF_A_TAP: f64 = 0.4;

/// A message that is late by more takes a new slot, lest it come together with those whose slot is then.
const LATE: Duration = Duration::from_millis(100);

/// New rows of each class that a claim hands to their chats at once.
const SCHEDULED_AT_ONCE: i32 = 200;

/// For so long after this process has lost the database, leases that ended within the last [`GRACE`] are not taken over:
/// whoever holds them has lost it too, may have sent the message, and records that first.
const SUSPECT: Duration = Duration::from_secs(15);
/// In seconds. Who has not recorded anything for longer is dead, whatever becomes of this process's connections.
const GRACE: f64 = 60.0;

/// The right to send a row, or several rows in one message, until it ends by itself.
#[derive(Clone, Debug)]
pub struct Lease {
    /// `outbox.id`; of several rows, the first.
    pub row: i64,
    /// The others that are said in the same message.
    pub also: Vec<i64>,
    pub(super) key: String,
    /// When it was asked for, or a little later than that.
    pub since: Instant,
    /// When to send it.
    pub slot: SendSlot,
}

impl Lease {
    /// Every row, the first one first.
    #[must_use]
    pub fn rows(&self) -> Vec<i64> {
        std::iter::once(self.row).chain(self.also.iter().copied()).collect()
    }

    /// Whether somebody else may have taken the row over by the time a message is sent.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.since.elapsed() > Duration::from_secs_f64(LEASE_SECONDS * 2.0 / 3.0)
    }
}

/// When a message is to be sent, so that the bot keeps to its pace whoever sends.
#[derive(Clone, Copy, Debug)]
pub struct SendSlot {
    /// Not before.
    pub begins: Instant,
    /// Nor after this, without a new slot.
    pub ends: Instant,
}

impl SendSlot {
    /// The slot that the database has given in seconds from the moment of its answer.
    fn after(wait: f64, answered: Instant) -> Self {
        let begins = answered + Duration::from_secs_f64(wait.clamp(0.0, 60.0));
        Self { begins, ends: begins + LATE }
    }
}

/// Claims what can be sent within the next second: of every chat the row whose turn it is, unless something was sent there
/// within the last second, and of each bot no more than [`PER_SECOND`]. What a person needs now comes first, then new offers,
/// then corrections, of which each is sure of a fifth. Nothing while somebody else claims, or Telegram has asked the bot to
/// wait; and one at a time after that, until one is delivered.
///
/// # Errors
/// When the database failed.
pub async fn claim(store: &Store) -> Result<Vec<Lease>, Error> {
    const SCHEDULE: Statement = statement!("outbox.schedule", [TIMESTAMPTZ, INT4], include_str!("schedule.sql"));
    const CLAIM: Statement =
        statement!("outbox.claim", [TIMESTAMPTZ, FLOAT8, INT4, FLOAT8, FLOAT8], include_str!("claim.sql"));
    store
        .run(async |connection: Connection| {
            let now = store.now();
            let grace = if store.lost_within(SUSPECT) { GRACE } else { 0.0 };
            let [schedule, claim] = connection.ready([&SCHEDULE, &CLAIM]).await?;
            let new: [&(dyn ToSql + Sync); 2] = [&now, &SCHEDULED_AT_ONCE];
            let ready: [&(dyn ToSql + Sync); 5] = [&now, &LEASE_SECONDS, &PER_SECOND, &AHEAD, &grace];
            let asked = Instant::now();
            let (begun, scheduled, claimed, committed) = join!(
                connection.begin(),
                connection.query(&schedule, &new),
                async { connection.query(&claim, &ready).await.map(|rows| (rows, Instant::now())) },
                connection.commit(),
            );
            begun?;
            scheduled?;
            let (claimed, answered) = claimed?;
            committed?;
            leases(&claimed, asked, answered)
        })
        .await
}

/// Claims what can be sent now about one order: its rows are found by its id, whatever else waits. Leases that have ended are
/// left to [`claim`].
///
/// # Errors
/// When the database failed.
pub async fn claim_order(store: &Store, order: OrderId) -> Result<Vec<Lease>, Error> {
    const CLAIM: Statement =
        statement!("outbox.claim_order", [TIMESTAMPTZ, FLOAT8, INT4, FLOAT8, INT8], include_str!("claim_order.sql"));
    store
        .run(async |connection: Connection| {
            let [claim] = connection.ready([&CLAIM]).await?;
            let asked = Instant::now();
            let params: [&(dyn ToSql + Sync); 5] =
                [&store.now(), &LEASE_SECONDS, &PER_SECOND, &AHEAD_OF_A_TAP, &order.0];
            let claimed = connection.alone(connection.query(&claim, &params)).await?;
            leases(&claimed, asked, Instant::now())
        })
        .await
}

/// The leases of a claim, whose rows come together if they are said together.
fn leases(rows: &[Row], asked: Instant, answered: Instant) -> Result<Vec<Lease>, Error> {
    let mut leases: Vec<Lease> = Vec::with_capacity(rows.len());
    for row in rows {
        let (id, key): (i64, String) = (column(row, "id")?, column(row, "lease")?);
        if let Some(lease) = leases.last_mut().filter(|lease| lease.key == key) {
            lease.also.push(id);
        } else {
            let slot = SendSlot::after(column(row, "wait")?, answered);
            leases.push(Lease { row: id, also: Vec::new(), key, since: asked, slot });
        }
    }
    Ok(leases)
}

/// A new slot for a message that missed its own.
///
/// # Errors
/// When the database failed.
pub async fn take_slot(store: &Store, bot: BotName) -> Result<SendSlot, Error> {
    const SLOT: Statement = statement!("outbox.slot", [TEXT, INT4], include_str!("slot.sql"));
    store
        .run(async |connection: Connection| {
            let [slot] = connection.ready([&SLOT]).await?;
            let params: [&(dyn ToSql + Sync); 2] = [&bot.as_word(), &PER_SECOND];
            let rows = connection.alone(connection.query(&slot, &params)).await?;
            let wait = rows.first().map(|row| column(row, "wait")).transpose()?;
            Ok(SendSlot::after(wait.unwrap_or_default(), Instant::now()))
        })
        .await
}

/// Whether a row is still to be shown in that message: no tap there has overtaken it. If one has, the chat is free for what
/// comes next.
///
/// # Errors
/// When the database failed.
pub async fn may_show(store: &Store, lease: &Lease, message: i32) -> Result<bool, Error> {
    const MAY_SHOW: Statement =
        statement!("outbox.may_show", [INT8, TEXT, INT4, TIMESTAMPTZ], include_str!("may_show.sql"));
    store
        .run(async |connection: Connection| {
            let rows = connection.fetch(&MAY_SHOW, &[&lease.row, &lease.key, &message, &store.now()]).await?;
            rows.first().map_or(Ok(false), |row| column(row, "may"))
        })
        .await
}

/// In how many seconds something can be claimed, 0 if now; `None` if nothing waits.
///
/// # Errors
/// When the database failed.
pub async fn seconds_until_due(store: &Store) -> Result<Option<f64>, Error> {
    const WAITING: Statement = statement!("outbox.waiting", [TIMESTAMPTZ], include_str!("waiting.sql"));
    store
        .run(async |connection: Connection| column(&connection.fetch(&WAITING, &[&store.now()]).await?[0], "seconds"))
        .await
}
