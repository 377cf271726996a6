//! Lock, decide, act: what every change to an order has in common, whoever makes it.
//!
//! 1. `BEGIN`, lock the order (`FOR UPDATE SKIP LOCKED`) and then the master, waiting for neither; read the facts in a
//!    statement that begins after both locks are held. Staff do the same in [`act`](super::act), but wait for the order.
//! 2. Decide: a pure function, facts in, [`Decision`] out. Then act and record the update, `COMMIT`, and read afresh what is
//!    shown.
//!
//! Three rules keep it true under any concurrency. The order's lock guards the order and all its offers. What is
//! written is decided from a snapshot newer than the lock. Nobody waits for an order while holding a master or an
//! offer.

use std::time::Duration;

use jiff::Timestamp;
use tokio::join;

use crate::model::facts::Facts;
use crate::model::update::Action;
use crate::model::{MasterId, MasterRef, OfferList, OrderId, Origin};
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Ready, Severity, Store};

/// Waits before each further look at an order that somebody else is at work on. Zero rows from `SKIP LOCKED` mean
/// "look again", not "taken": it may be a dispatcher, or this master's own first tap. About 200 ms in all, which a
/// person does not notice and a stuck transaction does not outlast.
pub(super) const RETRY_BACKOFF: [Duration; 6] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(60),
    Duration::from_millis(80),
];

/// What is to be done: the pure part of every verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<C, O> {
    /// Nothing is to be changed; this is the answer.
    Answer(O),
    /// Everything allows it, and the locks are held: this change is made, and this is the answer then.
    Change(C, O),
    /// It would be allowed, but somebody else is at work on the order.
    Retry,
}

/// The outcome, and what is shown with it.
#[derive(Clone, Debug)]
pub struct Answered<O, F = OfferList> {
    /// For which master.
    pub master: MasterId,
    /// The answer.
    pub outcome: O,
    /// The master's list of offers, or whatever the answer is shown with, from a query made after the commit; `None`
    /// if that query failed, which takes nothing from the outcome.
    pub fresh: Option<F>,
    /// Whether messages to others were enqueued.
    pub enqueued: bool,
}

/// One look at the order.
pub(super) struct Attempt<O, F> {
    pub master: MasterId,
    /// `None`: somebody else is at work on the order.
    pub outcome: Option<O>,
    /// Read after the transaction.
    pub fresh: Option<F>,
    pub enqueued: bool,
}

/// Attempts until there is an outcome, and says `busy` when somebody held the order or the master for too long, or the
/// server cut a statement short, or its guards refuse the change again and again: `look` then reads what is shown with it. No connection is held between attempts.
/// `None`: there is no such master.
pub(super) async fn settle<O, F, W, A>(
    store: &Store,
    request: Request<'_>,
    busy: O,
    look: impl AsyncFnOnce() -> Result<Option<(MasterId, F)>, store::Error>,
    attempt: W,
) -> Result<Option<Answered<O, F>>, store::Error>
where
    W: Fn(Connection) -> A,
    A: Future<Output = Result<Option<Attempt<O, F>>, store::Error>>,
{
    let mut waits = RETRY_BACKOFF.into_iter();
    let seen = loop {
        let seen = match store.run(&attempt).await {
            Ok(Some(Attempt { master, outcome: Some(outcome), fresh, enqueued })) => {
                return Ok(Some(Answered { master, outcome, fresh, enqueued }));
            }
            Ok(Some(Attempt { master, fresh, .. })) => Some((master, fresh)),
            Ok(None) => return Ok(None),
            // Somebody has changed a row without the order's lock.
            Err(error) if error.is_refused_by_a_guard() => {
                tracing::warn!(%error, "a change was refused");
                None
            }
            Err(error) if error.severity() == Severity::TimedOut => {
                tracing::warn!(%error, "a lock or a statement took too long");
                break None;
            }
            Err(error) => return Err(error),
        };
        store.metrics().count("look_again", request.action.as_str());
        match waits.next() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => break seen,
        }
    };
    let (master, fresh) = match seen {
        Some(seen) => seen,
        None => match look().await? {
            Some((master, fresh)) => (master, Some(fresh)),
            None => return Ok(None),
        },
    };
    // Who is told to try again does so with an update of its own.
    let answer = Answer { action: request.action, order: Some(request.order), outcome: BUSY, durable: false };
    updates::record_alone(store, request.origin, Some(MasterRef::Id(master)), answer).await?;
    Ok(Some(Answered { master, outcome: busy, fresh, enqueued: false }))
}

/// The outcome's word when somebody held the order or the master for too long.
pub(super) const BUSY: &str = "BUSY";

/// The order as the master sees it, for [`settle`].
pub(super) async fn facts(
    store: &Store,
    order: OrderId,
    master: MasterRef,
) -> Result<Option<(MasterId, Facts)>, store::Error> {
    Ok(store::facts::of(store, order, master).await?.map(|facts| (facts.master.id, facts)))
}

/// What an update asks for, and of whom.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub action: Action,
    pub order: OrderId,
    pub master: MasterRef,
    pub origin: Option<&'a Origin>,
}

impl Request<'_> {
    /// The message that will show the answer.
    pub fn message(&self) -> Option<i32> {
        self.origin.and_then(|origin| origin.message)
    }

    /// The first trip: opens a transaction, tries for the locks of the order and the master, and reads the facts in a
    /// statement that begins after that. Whether both are locked, and the facts. `None`, and the transaction has ended:
    /// there is no such master.
    pub async fn look(
        &self,
        connection: &Connection,
        lock: &Ready,
        facts: &Ready,
        now: Option<Timestamp>,
    ) -> Result<Option<(bool, Facts)>, store::Error> {
        let update = self.origin.map(|origin| &origin.update);
        let (begun, locked, facts) = join!(
            connection.begin(),
            store::orders::lock(connection, lock, self.order, self.master),
            store::facts::read(connection, facts, self.order, self.master, update, now),
        );
        begun?;
        let (locked, facts) = (locked?, facts?);
        if facts.is_none() {
            connection.rollback().await?;
        }
        Ok(facts.map(|facts| (locked, facts)))
    }

    /// Records the update with its answer, in the open transaction. `sender`: the master who sent it, if a master did.
    pub async fn record(
        &self,
        connection: &Connection,
        statement: &Ready,
        sender: Option<MasterId>,
        outcome: &str,
        durable: bool,
        now: Option<Timestamp>,
    ) -> Result<(), store::Error> {
        let answer = Answer { action: self.action, order: Some(self.order), outcome, durable };
        updates::record(connection, statement, self.origin, sender.map(MasterRef::Id), answer, now).await.map(drop)
    }

    /// Ends a transaction in which nothing was changed: records the outcome's word, if the update has none yet; and
    /// reads what is to be shown after it.
    pub async fn leave<F>(
        &self,
        connection: &Connection,
        record: &Ready,
        sender: Option<MasterId>,
        outcome: Option<&str>,
        now: Option<Timestamp>,
        fresh: impl Future<Output = Result<Option<F>, store::Error>>,
    ) -> Result<Option<F>, store::Error> {
        let fresh = if let Some(outcome) = outcome {
            let (recorded, (committed, fresh)) =
                join!(self.record(connection, record, sender, outcome, false, now), connection.commit_then(fresh));
            recorded?;
            committed?;
            fresh
        } else {
            let (rolled_back, fresh) = connection.rollback_then(fresh).await;
            rolled_back?;
            fresh
        };
        Ok(if_read(fresh))
    }
}

/// What is to be shown, if it could be read. The outcome stands without it: by now the transaction has ended.
pub(super) fn if_read<F>(fresh: Result<Option<F>, store::Error>) -> Option<F> {
    fresh.unwrap_or_else(|error| {
        tracing::error!(%error, "what is shown after a change could not be read");
        None
    })
}
