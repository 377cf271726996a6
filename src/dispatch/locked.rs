//! What every change to an order has in common: the locked look at the facts, looking again while somebody else is at
//! work on the order or the master, and the fresh look that every answer carries.

use std::time::Duration;

use jiff::Timestamp;
use tokio::join;

use crate::model::Amount;
use crate::model::dialog::Turn;
use crate::model::facts::Facts;
use crate::model::order::OrderStatus;
use crate::model::{Actor, MasterId, OfferList, OrderId, Tap, TelegramUserId};
use crate::store::orders::Change;
use crate::store::{self, Connection, Ready, Severity, Store};

/// Waits before each further look at an order that somebody else is at work on. Zero rows from `SKIP LOCKED` mean
/// "look again", not "taken": it may be a dispatcher, or this master's own first tap. About 200 ms in all, which a
/// person does not notice and a stuck transaction does not outlast.
const LOOK_AGAIN: [Duration; 6] = [
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(40),
    Duration::from_millis(60),
    Duration::from_millis(80),
];

/// What a tap came to, and what is to be shown after that.
#[derive(Clone, Debug)]
pub struct Answered<O, F = OfferList> {
    /// Who tapped.
    pub master: MasterId,
    /// The answer.
    pub outcome: O,
    /// The master's list of offers, or whatever the answer is shown with, from a query made after the commit; `None`
    /// if that query failed, which takes nothing from the outcome.
    pub fresh: Option<F>,
    /// Whether others are to be told: the outbox has rows about the order.
    pub told: bool,
}

/// One look at the order.
pub(super) struct Attempt<O, F = OfferList> {
    pub master: MasterId,
    /// `None`: somebody else is at work on the order.
    pub outcome: Option<O>,
    /// Read after the transaction.
    pub fresh: Option<F>,
    pub told: bool,
}

/// Attempts until there is an outcome, and says `busy` when somebody held the order or the master for too long, or the
/// server cut a statement short: `look` then reads what is shown with it. No connection is held between attempts.
pub(super) async fn settle<O, F, W, A>(
    store: &Store,
    busy: O,
    look: impl AsyncFnOnce() -> Result<Option<(MasterId, F)>, store::Error>,
    attempt: W,
) -> Result<Option<Answered<O, F>>, store::Error>
where
    W: Fn(Connection) -> A,
    A: Future<Output = Result<Option<Attempt<O, F>>, store::Error>>,
{
    let mut waits = LOOK_AGAIN.into_iter();
    loop {
        let Attempt { master, outcome, fresh, told } = match store.run(&attempt).await {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return Ok(None),
            Err(error) if error.severity() == Severity::TimedOut => {
                tracing::warn!(%error, "a tap waited too long");
                let seen = look().await?;
                return Ok(seen.map(|(master, fresh)| Answered {
                    master,
                    outcome: busy,
                    fresh: Some(fresh),
                    told: false,
                }));
            }
            Err(error) => return Err(error),
        };
        if let Some(outcome) = outcome {
            return Ok(Some(Answered { master, outcome, fresh, told }));
        }
        match waits.next() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Ok(Some(Answered { master, outcome: busy, fresh, told: false })),
        }
    }
}

/// The list of offers, for [`settle`].
pub(super) async fn offers(store: &Store, by: &Tap, page: i64) -> Result<Option<(MasterId, OfferList)>, store::Error> {
    Ok(store::offers::page(store, by, page).await?.map(|list| (list.master, list)))
}

/// The order as the master sees it, for [`settle`].
pub(super) async fn facts(store: &Store, order: OrderId, by: &Tap) -> Result<Option<(MasterId, Facts)>, store::Error> {
    Ok(store::facts::of(store, order, by).await?.map(|facts| (facts.master.id, facts)))
}

/// The first trip: opens a transaction, tries for the locks of the order and the master, and reads the facts in a
/// statement that begins after that. Whether both are locked, and the facts. `None`, and the transaction has ended: it
/// was no master who tapped.
pub(super) async fn look(
    connection: &Connection,
    lock: &Ready,
    facts: &Ready,
    order: OrderId,
    by: &Tap,
    now: Option<Timestamp>,
) -> Result<Option<(bool, Facts)>, store::Error> {
    let (begun, locked, facts) = join!(
        connection.begin(),
        store::orders::lock(connection, lock, order, by.user),
        store::facts::read(connection, facts, order, by, now),
    );
    begun?;
    let (locked, facts) = (locked?, facts?);
    if facts.is_none() {
        connection.rollback().await?;
    }
    Ok(facts.map(|facts| (locked, facts)))
}

/// Ends a transaction in which nothing was changed, and reads what is to be shown after it, in one trip.
pub(super) async fn leave<F>(
    connection: &Connection,
    fresh: impl Future<Output = Result<Option<F>, store::Error>>,
) -> Result<Option<F>, store::Error> {
    let (rolled_back, fresh) = join!(connection.rollback(), fresh);
    rolled_back?;
    Ok(if_read(fresh))
}

/// What is to be shown, if it could be read. The outcome stands without it: by now the transaction has ended.
pub(super) fn if_read<F>(fresh: Result<Option<F>, store::Error>) -> Option<F> {
    fresh.unwrap_or_else(|error| {
        tracing::error!(%error, "what is shown after a tap could not be read");
        None
    })
}

/// Lets orders that found nobody to ask look again, since a master can be asked by now. They will anyway, half a minute
/// later: what has been committed stands if this fails.
pub(super) async fn look_again_for(store: &Store, user: TelegramUserId) {
    if let Err(error) = store::orders::look_again_for(store, user).await {
        tracing::warn!(%error, "orders without anybody to ask look again later");
    }
}

/// What is to be done about a master's own order.
pub(super) enum Decision<O> {
    /// Nothing is to be changed; this is the answer.
    Answer(O),
    /// The order is set to this status, and this is the answer then.
    Change(To, O),
    /// It would be allowed, but somebody else is at work on the order.
    LookAgain,
}

/// What a master makes of an order.
pub(super) struct To {
    pub status: OrderStatus,
    pub reason: Option<String>,
    pub amount: Option<Amount>,
    pub dialog: Option<Turn>,
}

/// A master changes an own order: lock, decide, act, as in accepting. `decide` gets the facts, whether they were read
/// under the locks of the order and the master, and whether this very tap has changed the order before.
pub(super) async fn change<O>(
    store: &Store,
    order: OrderId,
    by: &Tap,
    busy: O,
    decide: impl Fn(bool, &Facts, bool) -> Decision<O>,
) -> Result<Option<Answered<O, Facts>>, store::Error> {
    settle(
        store,
        busy,
        async || facts(store, order, by).await,
        |connection| attempt(store, connection, order, by, &decide),
    )
    .await
}

async fn attempt<O>(
    store: &Store,
    connection: Connection,
    order: OrderId,
    by: &Tap,
    decide: &impl Fn(bool, &Facts, bool) -> Decision<O>,
) -> Result<Option<Attempt<O, Facts>>, store::Error> {
    let now = store.now();
    let [lock, facts, handled, record, ask, end] = connection
        .ready([
            &store::orders::LOCK,
            &store::facts::READ,
            &store::orders::WAS_HANDLED,
            &store::orders::RECORD_CHANGE,
            &store::dialogs::ASK,
            &store::dialogs::END,
        ])
        .await?;
    let (seen, handled) = join!(
        look(&connection, &lock, &facts, order, by, now),
        store::orders::was_handled(&connection, &handled, order, by)
    );
    let Some((locked, before)) = seen? else { return Ok(None) };
    let master = before.master.id;
    let fresh = store::facts::read(&connection, &facts, order, by, now);
    let (outcome, fresh, told) = match (decide(locked, &before, handled?), &before.order) {
        (Decision::Change(to, outcome), Some(found)) => {
            let change = Change {
                order,
                version: found.version,
                from: found.status,
                to: to.status,
                actor: Actor::Master(master),
                reason: to.reason,
                amount: to.amount,
                tap: by.query.clone(),
            };
            let (recorded, noted, committed, fresh) = join!(
                store::orders::record_change(&connection, &record, &change, now),
                store::dialogs::turn(&connection, [&ask, &end], master, order, to.dialog, now),
                connection.commit(),
                fresh,
            );
            let told = recorded?;
            noted?;
            committed?;
            (Some(outcome), if_read(fresh), told)
        }
        (Decision::Answer(outcome), _) => (Some(outcome), leave(&connection, fresh).await?, false),
        (Decision::LookAgain | Decision::Change(..), _) => (None, leave(&connection, fresh).await?, false),
    };
    Ok(Some(Attempt { master, outcome, fresh, told }))
}
