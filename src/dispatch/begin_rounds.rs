//! Orders that are due get a round of offers: lock, decide, hold, act, a batch at a time.
//!
//! A wave is due when the search begins, when it widens, when a place becomes free, and when no offer is left; see
//! [`Due::step`]. Several processes may do
//! this at once: each takes what nobody else holds, and a batch that dies half-way never happened. An order that cannot be
//! decided about is set aside, and the others of its batch go on.
//!
//! Nobody gets more offers than there is room for: after a batch has chosen its masters it holds their places, reads what
//! room they have in a statement that begins after that, and chooses anew where there is less than was thought. First the
//! orders, then the masters, and neither is waited for: whom somebody else holds is left out.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::join;

use super::transaction;
use crate::model::due::BATCH;
use crate::model::due::{Due, RECHECK_AFTER, Step, later};
use crate::model::plan::{self, Planned, plan};
use crate::model::selection::{Candidate, Exclusion, Pool};
use crate::model::{MasterId, OrderId};
use crate::store::patience::{self, PATIENCE, Patience};
use crate::store::rounds::{self, Claimed};
use crate::store::{self, Connection, Ready, Store};

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

/// How often a batch chooses anew before it makes do with the masters that it holds.
const CHOICES: usize = 3;

/// Begins every round that is due.
///
/// # Errors
/// When the database failed; batches before that stay.
pub async fn begin_rounds(store: &Store) -> Result<Dispatched, store::Error> {
    let mut pass = Pass::new(store);
    let mut patience = Patience::default();
    // The masters of a city are read once for all batches; the choices made since are noted there.
    let mut cities = HashSet::new();
    let mut seen = Vec::new();
    loop {
        let due = rounds::due(store, &seen).await?;
        let was_full = due.len() >= BATCH.unsigned_abs() as usize;
        let new: HashSet<i64> = due.iter().map(|(_, city)| *city).filter(|city| cities.insert(*city)).collect();
        if !new.is_empty() {
            let masters = masters(store, new.into_iter().collect(), &mut patience).await?;
            pass.pool().add(masters);
        }
        let orders: Vec<OrderId> = due.into_iter().map(|(order, _)| order).collect();
        seen.extend(orders.iter().map(|order| order.0));
        pass.each(orders, &mut patience).await?;
        // Fewer than there was room for: the rest is held by others, who will see to it.
        if !was_full {
            return Ok(pass.total);
        }
    }
}

/// Begins the round of one order, if it is due: for whoever has just made it so and does not wait for the next tick. Somebody
/// else may be at work on it, be it only a second delivery of what made it due, so it is looked at again a few times.
///
/// # Errors
/// When the database failed.
pub async fn begin_round_of(store: &Store, order: OrderId) -> Result<Dispatched, store::Error> {
    let mut patience = Patience::default();
    let mut waits = transaction::RETRY_BACKOFF.into_iter();
    while let Some(city) = rounds::city_if_due(store, order).await? {
        let mut pass = Pass::new(store);
        let masters = masters(store, vec![city], &mut patience).await?;
        pass.pool().add(masters);
        pass.each(vec![order], &mut patience).await?;
        let was_held = pass.total == Dispatched::default();
        match waits.next() {
            Some(wait) if was_held => tokio::time::sleep(wait).await,
            _ => return Ok(pass.total),
        }
    }
    Ok(Dispatched::default())
}

/// The masters of cities: of all at once, or of each alone if together that fails. A city whose masters cannot be read has
/// none, and its orders look again later.
async fn masters(store: &Store, cities: Vec<i64>, patience: &mut Patience) -> Result<Vec<Candidate>, store::Error> {
    match rounds::masters(store, &cities).await {
        Err(error) if !patience.is_of_single_rows(&error) => Err(error),
        Err(error) if cities.len() == 1 => {
            tracing::error!(%error, city = cities[0], "the masters of a city could not be read");
            Ok(Vec::new())
        }
        Err(_) => {
            let mut all = Vec::new();
            for city in cities {
                all.extend(Box::pin(masters(store, vec![city], patience)).await?);
            }
            Ok(all)
        }
        masters => masters,
    }
}

/// A pass over all orders that are due.
struct Pass<'a> {
    store: &'a Store,
    pool: Mutex<Pool>,
    /// Whom the last batch was about to ask.
    last_chosen: Mutex<Vec<MasterId>>,
    total: Dispatched,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Pass<'a> {
    fn new(store: &'a Store) -> Self {
        Self { store, pool: Mutex::default(), last_chosen: Mutex::default(), total: Dispatched::default() }
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        lock(&self.pool)
    }

    /// Decides about orders, in halves where together that fails.
    async fn each(&mut self, orders: Vec<OrderId>, patience: &mut Patience) -> Result<(), store::Error> {
        let mut halves = vec![orders];
        while let Some(mut orders) = halves.pop() {
            if orders.is_empty() {
                continue;
            }
            match self.batch(&orders).await {
                Ok(batch) => self.count(batch),
                Err(error) if !patience.is_of_single_rows(&error) => return Err(error),
                Err(error) if orders.len() == 1 => self.alone(orders[0], &error, patience).await?,
                Err(_) => {
                    let half = orders.split_off(orders.len() / 2);
                    halves.extend([half, orders]);
                }
            }
        }
        Ok(())
    }

    fn count(&mut self, batch: Dispatched) {
        self.total.orders += batch.orders;
        self.total.offers += batch.offers;
        self.total.escalated += batch.escalated;
    }

    /// Looks whether an order whose round failed has one without some of those whom it was about to ask: then it is they who
    /// cannot be offered anything, and they are left out of the rest of this pass. Else the order is set aside.
    async fn alone(
        &mut self,
        order: OrderId,
        error: &store::Error,
        patience: &mut Patience,
    ) -> Result<(), store::Error> {
        let chosen = std::mem::take(&mut *lock(&self.last_chosen));
        let each = chosen.iter().map(|master| vec![*master]);
        for without in each.chain((chosen.len() > 1).then(|| chosen.clone())) {
            self.pool().leave_out(without.iter().copied(), Some(Exclusion::Failed));
            match self.batch(&[order]).await {
                Ok(batch) => {
                    if batch.offers > 0 {
                        tracing::error!(%error, "masters {without:?} cannot be offered order={order}, and are left out");
                    } else {
                        tracing::error!(%error, "nobody can be offered order={order}");
                        self.pool().leave_out(without, None);
                    }
                    self.count(batch);
                    return Ok(());
                }
                Err(error) if !patience.is_of_single_rows(&error) => return Err(error),
                Err(_) => self.pool().leave_out(without, None),
            }
        }
        tracing::error!(%error, "order={order} is not dispatched");
        self.total.set_aside += 1;
        let until = later(self.store.now().unwrap_or_else(Timestamp::now), RECHECK_AFTER);
        if let Err(error) = rounds::set_aside(self.store, order, until).await {
            tracing::error!(%error, "order={order} could not be set aside");
        }
        Ok(())
    }

    async fn batch(&self, orders: &[OrderId]) -> Result<Dispatched, store::Error> {
        self.store.run(|connection| self.attempt(connection, orders)).await
    }

    async fn attempt(&self, connection: Connection, orders: &[OrderId]) -> Result<Dispatched, store::Error> {
        let now = self.store.now();
        let [patience, claim, asked, hold, places, put_off, record] = connection
            .ready([
                &PATIENCE,
                &rounds::CLAIM,
                &rounds::ASKED,
                &rounds::HOLD,
                &rounds::PLACES,
                &rounds::PUT_OFF,
                &rounds::RECORD,
            ])
            .await?;
        lock(&self.last_chosen).clear();
        // A copy: should this fail and be repeated, the masters have not been asked yet.
        let mut pool = self.pool().clone();
        let decided = async {
            let (begun, locked) =
                join!(patience::begin(&connection, &patience), look(&connection, [&claim, &asked], orders, now));
            begun?;
            let locked = locked?;
            let planned = self.choose(&connection, [&hold, &places], &locked.to_plan, &mut pool).await?;
            Ok((locked, planned))
        };
        let (locked, planned) = patience::undo(&connection, decided.await).await?;
        let (put_off, offers, committed) = join!(
            rounds::put_off(&connection, &put_off, &locked.waits),
            rounds::record(&connection, &record, &planned, now),
            connection.commit(),
        );
        put_off?;
        let offers = offers?;
        committed?;
        *self.pool() = pool;
        let escalated = planned.iter().filter(|plan| plan.escalation.is_some()).count();
        Ok(Dispatched { orders: locked.looked_at, offers, escalated, set_aside: 0 })
    }

    /// Chooses whom orders ask, and holds their places, until the transaction ends. What the choice came to is noted in
    /// the pool.
    async fn choose(
        &self,
        connection: &Connection,
        statements: [&Ready; 2],
        due: &[(Due, usize)],
        pool: &mut Pool,
    ) -> Result<Vec<Planned>, store::Error> {
        // Whom somebody held during the batch before, and may have let go.
        pool.let_in(Exclusion::Held);
        let mut held = HashSet::new();
        let mut choices = 0;
        loop {
            let mut after = pool.clone();
            let planned: Vec<Planned> = due.iter().map(|(due, count)| plan(due.clone(), *count, &mut after)).collect();
            let asked = plan::asked(&planned);
            *lock(&self.last_chosen) = asked.keys().copied().collect();
            let wanted: Vec<MasterId> = asked.keys().copied().filter(|master| !held.contains(master)).collect();
            if wanted.is_empty() {
                *pool = after;
                return Ok(planned);
            }
            let places = rounds::hold(connection, statements, &wanted).await?;
            held.extend(places.iter().map(|place| place.master));
            pool.leave_out(wanted.into_iter().filter(|master| !held.contains(master)), Some(Exclusion::Held));
            for place in &places {
                pool.enter(place);
            }
            if pool.has_room(&asked) {
                for plan in &planned {
                    pool.note_asked(plan.round.chosen.iter().copied(), plan.due.now);
                }
                return Ok(planned);
            }
            choices += 1;
            if choices == CHOICES {
                // The last choice is among those whose places are held.
                pool.leave_out_all_but(&held, Exclusion::Held);
            }
        }
    }
}

/// Orders of a batch that are due and locked.
struct Locked {
    looked_at: usize,
    /// Those whose rounds are put off, and until when.
    waits: Vec<(OrderId, Timestamp)>,
    /// Those that ask up to so many masters.
    to_plan: Vec<(Due, usize)>,
}

/// Locks orders, and reads who was asked: each statement begins after the one before it has ended, so that is read under the
/// locks.
async fn look(
    connection: &Connection,
    [claim, asked]: [&Ready; 2],
    orders: &[OrderId],
    now: Option<Timestamp>,
) -> Result<Locked, store::Error> {
    let (claimed, asked) =
        join!(rounds::claim(connection, claim, now, orders), rounds::read_asked(connection, asked, orders, now),);
    let Claimed { due, unknown } = claimed?;
    let mut asked: HashMap<OrderId, _> = asked?.into_iter().map(|asked| (asked.order, asked)).collect();

    let look_again = later(now.unwrap_or_else(Timestamp::now), RECHECK_AFTER);
    let looked_at = due.len() + unknown.len();
    let mut waits: Vec<_> = unknown.into_iter().map(|order| (order, look_again)).collect();
    let mut to_plan = Vec::with_capacity(due.len());
    for mut due in due {
        let order = due.search.order;
        match asked.remove(&order).map(|asked| asked.apply_to(&mut due)) {
            None => waits.push((order, look_again)),
            Some(()) => match due.step() {
                Step::Wait(until) => waits.push((order, until)),
                Step::Ask(count) => to_plan.push((due, count)),
            },
        }
    }
    Ok(Locked { looked_at, waits, to_plan })
}
