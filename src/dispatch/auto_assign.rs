//! Orders that are due get a round of offers: lock, decide, act, a batch at a time.
//!
//! A round is due when the search begins, and when every offer of the round before has ended. Several processes may do
//! this at once: each takes what nobody else holds, and a batch that dies half-way never happened.

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::order::OrderStatus;
use super::rounds::{Pool, Round, Search};
use crate::db::rounds::Claimed;
use crate::db::{self, Connection, Db};

/// Orders per transaction: few enough that it commits within about 100 ms, since a tap on one of them has to look
/// again meanwhile.
pub const BATCH: i32 = 200;

/// When to look again for somebody to ask, if there is nobody.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// What a search goes by, from `dispatch_policies`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// `dispatch_policies.id`.
    pub id: i64,
    /// How long an offer lives.
    pub offer_ttl_seconds: i32,
    /// How long the preferred master is asked alone.
    pub preferred_ttl_seconds: i32,
    /// How many are asked at once.
    pub masters_per_round: i32,
    /// After how many rounds staff are told.
    pub max_rounds: i32,
}

/// An order that is due, locked.
#[derive(Clone, Debug)]
pub struct Due {
    /// What is looked for.
    pub search: Search,
    /// Its status.
    pub status: OrderStatus,
    /// Its version.
    pub version: i32,
    /// Whether the search has begun; else it begins now.
    pub goes_on: bool,
    /// The last round.
    pub round: i32,
    /// Whether staff were told.
    pub escalated: bool,
    /// The last deadline of offers that still live.
    pub live_until: Option<Timestamp>,
    /// The policy.
    pub policy: Policy,
    /// The moment of the look.
    pub now: Timestamp,
}

/// Why staff are told of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escalation {
    /// There is nobody whom it was not offered to.
    NobodyLeft,
    /// As many rounds as the policy allows have ended.
    Rounds,
    /// The search has taken as long as the policy allows.
    Time,
}

impl Escalation {
    /// The word in `orders.escalation_reason`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NobodyLeft => "NOBODY_LEFT",
            Self::Rounds => "ROUNDS",
            Self::Time => "TIME",
        }
    }

    /// The reason of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::NobodyLeft, Self::Rounds, Self::Time].into_iter().find(|reason| reason.as_str() == word)
    }
}

/// What happens to an order that is due.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The order.
    pub due: Due,
    /// Who is asked.
    pub round: Round,
    /// The deadline of the offers, or when to look again.
    pub next_round: Timestamp,
    /// Whether staff are to be told, and why.
    pub escalation: Option<Escalation>,
}

/// What a pass over all orders that were due came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Orders looked at.
    pub orders: usize,
    /// Offers made.
    pub offers: usize,
    /// Orders of which staff are to be told.
    pub escalated: usize,
}

/// Begins every round that is due.
///
/// # Errors
/// When the database failed; batches before that stay.
pub async fn auto_assign(db: &Db) -> Result<Dispatched, db::Error> {
    let mut total = Dispatched::default();
    // The masters are read once for all batches; the choices made since are noted there.
    let Some(pool) = db::rounds::pool_if_due(db).await? else { return Ok(total) };
    let pool = Mutex::new(pool);
    loop {
        let batch = db.run(|connection| batch(db, connection, &pool)).await?;
        total.orders += batch.orders;
        total.offers += batch.offers;
        total.escalated += batch.escalated;
        // Fewer than there was room for: the rest is held by others, who will see to it.
        if batch.orders < BATCH.unsigned_abs() as usize {
            return Ok(total);
        }
    }
}

async fn batch(db: &Db, connection: Connection, pool: &Mutex<Pool>) -> Result<Dispatched, db::Error> {
    let now = db.now();
    let [claim, asked, put_off, record] =
        connection.ready([&db::rounds::CLAIM, &db::rounds::ASKED, &db::rounds::PUT_OFF, &db::rounds::RECORD]).await?;
    connection.begin().await?;
    let Claimed { mut due, unknown } = db::rounds::claim(&connection, &claim, now, BATCH).await?;
    let orders = due.len() + unknown.len();
    db::rounds::read_asked(&connection, &asked, &mut due, now).await?;

    let look_again = later(now.unwrap_or_else(Timestamp::now), LOOK_AGAIN);
    let mut waits: Vec<_> = unknown.into_iter().map(|order| (order, look_again)).collect();
    let mut planned = Vec::new();
    // A copy: should this fail and be repeated, the masters have not been asked yet.
    let mut masters = pool.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for due in due {
        match due.live_until {
            // Offers were made beside the rounds.
            Some(until) => waits.push((due.search.order, until)),
            None => planned.push(plan(due, &mut masters)),
        }
    }
    db::rounds::put_off(&connection, &put_off, &waits).await?;
    let offers = db::rounds::record(&connection, &record, &planned, now).await?;
    connection.commit().await?;
    *pool.lock().unwrap_or_else(PoisonError::into_inner) = masters;
    let escalated = planned.iter().filter(|plan| plan.escalation.is_some()).count();
    Ok(Dispatched { orders, offers, escalated })
}

fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Decides about an order without live offers: who is asked next, and whether staff are to be told.
fn plan(due: Due, pool: &mut Pool) -> Planned {
    let policy = due.policy;
    let count = usize::try_from(policy.masters_per_round).unwrap_or_default();
    let round = pool.choose(&due.search, count, due.now);
    let wait = match (round.chosen.is_empty(), round.preferred) {
        (true, _) => LOOK_AGAIN,
        (false, true) => SignedDuration::from_secs(policy.preferred_ttl_seconds.into()),
        (false, false) => SignedDuration::from_secs(policy.offer_ttl_seconds.into()),
    };
    let escalation = if due.escalated {
        None
    } else if due.round >= policy.max_rounds {
        Some(Escalation::Rounds)
    } else {
        round.chosen.is_empty().then_some(Escalation::NobodyLeft)
    };
    let next_round = later(due.now, wait);
    Planned { due, round, next_round, escalation }
}
