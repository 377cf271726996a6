//! Orders that are due get a round of offers: lock, decide, act, a batch at a time.
//!
//! A round is due when the search begins, and when every offer of the round before has ended. Several processes may do
//! this at once: each takes what nobody else holds, and a batch that dies half-way never happened. An order that cannot be
//! decided about is set aside, and the others of its batch go on.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio::join;

use crate::model::OrderId;
use crate::model::policy::{BATCH, LOOK_AGAIN, later, plan};
use crate::model::selection::{Candidate, Pool};
use crate::store::rounds::{self, Claimed};
use crate::store::{self, Connection, Store};

/// What a pass over all orders that were due came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dispatched {
    /// Orders looked at.
    pub orders: usize,
    /// Offers made.
    pub offers: usize,
    /// Orders that need a dispatcher.
    pub escalated: usize,
    /// Orders that could not be decided about, and will be looked at again later.
    pub set_aside: usize,
}

/// Begins every round that is due.
///
/// # Errors
/// When the database failed; batches before that stay.
pub async fn begin_rounds(store: &Store) -> Result<Dispatched, store::Error> {
    let mut total = Dispatched::default();
    // The masters of a city are read once for all batches; the choices made since are noted there.
    let pool = Mutex::new(Pool::default());
    let mut cities = HashSet::new();
    let mut seen = Vec::new();
    loop {
        let due = rounds::due(store, &seen).await?;
        let was_full = due.len() >= BATCH.unsigned_abs() as usize;
        let new: HashSet<i64> = due.iter().map(|(_, city)| *city).filter(|city| cities.insert(*city)).collect();
        if !new.is_empty() {
            let masters = masters(store, new.into_iter().collect()).await?;
            lock(&pool).add(masters);
        }
        let orders: Vec<OrderId> = due.into_iter().map(|(order, _)| order).collect();
        seen.extend(orders.iter().map(|order| order.0));
        each(store, orders, &pool, &mut total).await?;
        // Fewer than there was room for: the rest is held by others, who will see to it.
        if !was_full {
            return Ok(total);
        }
    }
}

fn lock(pool: &Mutex<Pool>) -> std::sync::MutexGuard<'_, Pool> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The masters of cities: of all at once, or of each alone if together that fails. A city whose masters cannot be read has
/// none, and its orders look again later.
async fn masters(store: &Store, cities: Vec<i64>) -> Result<Vec<Candidate>, store::Error> {
    match rounds::masters(store, &cities).await {
        Err(error) if !can_be_set_aside(&error) => Err(error),
        Err(error) if cities.len() == 1 => {
            tracing::error!(%error, city = cities[0], "the masters of a city could not be read");
            Ok(Vec::new())
        }
        Err(_) => {
            let mut all = Vec::new();
            for city in cities {
                all.extend(Box::pin(masters(store, vec![city])).await?);
            }
            Ok(all)
        }
        masters => masters,
    }
}

/// One order's trouble, rather than the database's.
fn can_be_set_aside(error: &store::Error) -> bool {
    !error.is_transient() || error.is_canceled()
}

/// Decides about orders, in halves where together that fails.
async fn each(
    store: &Store,
    orders: Vec<OrderId>,
    pool: &Mutex<Pool>,
    total: &mut Dispatched,
) -> Result<(), store::Error> {
    let mut halves = vec![orders];
    while let Some(mut orders) = halves.pop() {
        if orders.is_empty() {
            continue;
        }
        match store.run(|connection| batch(store, connection, &orders, pool)).await {
            Ok(batch) => {
                total.orders += batch.orders;
                total.offers += batch.offers;
                total.escalated += batch.escalated;
            }
            Err(error) if !can_be_set_aside(&error) => return Err(error),
            Err(error) if orders.len() == 1 => {
                tracing::error!(%error, "order={} is not dispatched", orders[0]);
                total.set_aside += 1;
                let until = later(store.now().unwrap_or_else(Timestamp::now), LOOK_AGAIN);
                if let Err(error) = rounds::set_aside(store, orders[0], until).await {
                    tracing::error!(%error, "order={} could not be set aside", orders[0]);
                }
            }
            Err(_) => {
                let half = orders.split_off(orders.len() / 2);
                halves.extend([half, orders]);
            }
        }
    }
    Ok(())
}

async fn batch(
    store: &Store,
    connection: Connection,
    orders: &[OrderId],
    pool: &Mutex<Pool>,
) -> Result<Dispatched, store::Error> {
    let now = store.now();
    let [claim, asked, put_off, record] =
        connection.ready([&rounds::CLAIM, &rounds::ASKED, &rounds::PUT_OFF, &rounds::RECORD]).await?;
    // Each statement begins after the one before it has ended: who was asked is read under the locks.
    let (begun, claimed, asked) = join!(
        connection.begin(),
        rounds::claim(&connection, &claim, now, orders),
        rounds::read_asked(&connection, &asked, orders, now),
    );
    begun?;
    let Claimed { mut due, unknown } = claimed?;
    let looked_at = due.len() + unknown.len();
    let mut asked: HashMap<OrderId, _> = asked?.into_iter().map(|asked| (asked.order, asked)).collect();
    for due in &mut due {
        if let Some(asked) = asked.remove(&due.search.order) {
            asked.apply_to(due);
        }
    }

    let look_again = later(now.unwrap_or_else(Timestamp::now), LOOK_AGAIN);
    let mut waits: Vec<_> = unknown.into_iter().map(|order| (order, look_again)).collect();
    let mut planned = Vec::new();
    // A copy: should this fail and be repeated, the masters have not been asked yet.
    let mut masters = lock(pool).clone();
    for due in due {
        match due.live_until {
            // Offers were made beside the rounds.
            Some(until) => waits.push((due.search.order, until)),
            None => planned.push(plan(due, &mut masters)),
        }
    }
    let (put_off, offers, committed) = join!(
        rounds::put_off(&connection, &put_off, &waits),
        rounds::record(&connection, &record, &planned, now),
        connection.commit(),
    );
    put_off?;
    let offers = offers?;
    committed?;
    *lock(pool) = masters;
    let escalated = planned.iter().filter(|plan| plan.escalation.is_some()).count();
    Ok(Dispatched { orders: looked_at, offers, escalated, set_aside: 0 })
}
