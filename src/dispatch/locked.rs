//! What accepting and declining share: the locked look at the facts, looking again while somebody else is at work on
//! the order or the master, and the fresh list that every answer carries.

use std::time::Duration;

use jiff::Timestamp;
use tokio::join;

use super::facts::Facts;
use super::{MasterId, OfferList, OrderId, Tap, TelegramUserId};
use crate::db::{self, Connection, Db, Ready, Severity};

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

/// What a tap came to, and the master's list as it is after that.
#[derive(Clone, Debug)]
pub struct Answered<O> {
    /// Who tapped.
    pub master: MasterId,
    /// The answer.
    pub outcome: O,
    /// The list, from a query made after the commit; `None` if that query failed, which takes nothing from the
    /// outcome.
    pub list: Option<OfferList>,
}

/// One look at the order.
pub(super) struct Attempt<O> {
    pub master: MasterId,
    /// `None`: somebody else is at work on the order.
    pub outcome: Option<O>,
    /// The list after the transaction.
    pub list: Option<OfferList>,
}

/// Attempts until there is an outcome, and says `busy` when somebody held the order or the master for too long, or the
/// server cut a statement short. No connection is held between attempts.
pub(super) async fn settle<O, W, F>(
    db: &Db,
    user: TelegramUserId,
    page: i64,
    busy: O,
    attempt: W,
) -> Result<Option<Answered<O>>, db::Error>
where
    W: Fn(Connection) -> F,
    F: Future<Output = Result<Option<Attempt<O>>, db::Error>>,
{
    let mut waits = LOOK_AGAIN.into_iter();
    loop {
        let Attempt { master, outcome, list } = match db.run(&attempt).await {
            Ok(Some(attempt)) => attempt,
            Ok(None) => return Ok(None),
            Err(error) if error.severity() == Severity::TimedOut => {
                tracing::warn!(%error, "a tap waited too long");
                let list = db::offers::page(db, user, page).await?;
                return Ok(list.map(|list| Answered { master: list.master, outcome: busy, list: Some(list) }));
            }
            Err(error) => return Err(error),
        };
        if let Some(outcome) = outcome {
            return Ok(Some(Answered { master, outcome, list }));
        }
        match waits.next() {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Ok(Some(Answered { master, outcome: busy, list })),
        }
    }
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
) -> Result<Option<(bool, Facts)>, db::Error> {
    let (begun, locked, facts) = join!(
        connection.begin(),
        db::orders::lock(connection, lock, order, by.user),
        db::facts::read(connection, facts, order, by, now),
    );
    begun?;
    let (locked, facts) = (locked?, facts?);
    if facts.is_none() {
        connection.rollback().await?;
    }
    Ok(facts.map(|facts| (locked, facts)))
}

/// Ends a transaction in which nothing was changed, and reads the list after it, in one trip.
pub(super) async fn leave(
    connection: &Connection,
    fresh_list: impl Future<Output = Result<Option<OfferList>, db::Error>>,
) -> Result<Option<OfferList>, db::Error> {
    let (rolled_back, list) = join!(connection.rollback(), fresh_list);
    rolled_back?;
    Ok(list_after(list))
}

/// The list, if it could be read. The outcome stands without it: by now the transaction has ended.
pub(super) fn list_after(list: Result<Option<OfferList>, db::Error>) -> Option<OfferList> {
    list.unwrap_or_else(|error| {
        tracing::error!(%error, "the list after a tap could not be read");
        None
    })
}
