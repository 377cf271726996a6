//! Orders that are due get a round of offers: lock, decide, act, a batch at a time.
//!
//! A round is due when the search begins, and when every offer of the round before has ended. Several processes may do
//! this at once: each takes what nobody else holds, and a batch that dies half-way never happened.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::model::policy::{LOOK_AGAIN, later, plan};
use crate::model::selection::Pool;
use crate::store::rounds::Claimed;
use crate::store::{self, Connection, Store};

/// Orders per transaction: few enough that it commits within about 100 ms, since a tap on one of them has to look
/// again meanwhile.
pub const BATCH: i32 = 200;

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
pub async fn begin_rounds(store: &Store) -> Result<Dispatched, store::Error> {
    let mut total = Dispatched::default();
    // The masters are read once for all batches; the choices made since are noted there.
    let Some(pool) = store::rounds::pool_if_due(store).await? else { return Ok(total) };
    let pool = Mutex::new(pool);
    loop {
        let batch = store.run(|connection| batch(store, connection, &pool)).await?;
        total.orders += batch.orders;
        total.offers += batch.offers;
        total.escalated += batch.escalated;
        // Fewer than there was room for: the rest is held by others, who will see to it.
        if batch.orders < BATCH.unsigned_abs() as usize {
            return Ok(total);
        }
    }
}

async fn batch(store: &Store, connection: Connection, pool: &Mutex<Pool>) -> Result<Dispatched, store::Error> {
    let now = store.now();
    let [claim, asked, put_off, record] = connection
        .ready([&store::rounds::CLAIM, &store::rounds::ASKED, &store::rounds::PUT_OFF, &store::rounds::RECORD])
        .await?;
    connection.begin().await?;
    let Claimed { mut due, unknown } = store::rounds::claim(&connection, &claim, now, BATCH).await?;
    let orders = due.len() + unknown.len();
    store::rounds::read_asked(&connection, &asked, &mut due, now).await?;

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
    store::rounds::put_off(&connection, &put_off, &waits).await?;
    let offers = store::rounds::record(&connection, &record, &planned, now).await?;
    connection.commit().await?;
    *pool.lock().unwrap_or_else(PoisonError::into_inner) = masters;
    let escalated = planned.iter().filter(|plan| plan.escalation.is_some()).count();
    Ok(Dispatched { orders, offers, escalated })
}
