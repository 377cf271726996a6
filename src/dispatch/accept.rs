//! A master takes an order: lock, decide, act, in two round trips.
//!
//! 1. `BEGIN`, lock the order (`FOR UPDATE SKIP LOCKED`) and then the master, waiting for neither; read the facts in a
//!    statement that begins after both locks are held.
//! 2. Decide, in [`decide`]. Then set the order, its offers, its history and its metrics in one statement, `COMMIT`,
//!    and read the master's list afresh, or `ROLLBACK` and read it.
//!
//! Three rules keep it true under any concurrency. The order's lock guards the order and all its offers. What is
//! written is decided from a snapshot newer than the lock. Nobody waits for an order while holding a master or an
//! offer.

use tokio::join;

use super::locked::{self, Answered, Attempt};
use crate::model::facts::{Blocked, Facts, Standing};
use crate::model::order::{OrderStatus, OwnOrder};
use crate::model::{Actor, OfferId, OrderId, Tap};
use crate::store::orders::Assignment;
use crate::store::{self, Connection, Store};

/// Every answer to a tap on «✅ Взять заявку», in order of precedence; each has its text, its log line, its counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcceptOutcome {
    /// No offer of this order to this master, and not this master's order.
    NotFound,
    /// The order is this master's already: by an earlier tap, a redelivery of it, or by staff.
    AlreadyYours(OwnOrder),
    /// The master is blocked.
    Blocked(Blocked),
    /// The order was canceled or closed, or the offer recalled.
    Withdrawn,
    /// Another master really has it.
    Taken,
    /// This master declined it before.
    Declined,
    /// The offer's deadline has passed.
    Expired,
    /// The master has as many active orders as allowed.
    LimitReached {
        /// How many that is.
        limit: i64,
    },
    /// Committed: the order is this master's.
    Assigned(OwnOrder),
    /// Somebody held the order or the master for longer than a tap waits; nothing was changed.
    Busy,
}

impl AcceptOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::AlreadyYours(_) => "ALREADY_YOURS",
            Self::Blocked(_) => "BLOCKED",
            Self::Withdrawn => "WITHDRAWN",
            Self::Taken => "TAKEN",
            Self::Declined => "DECLINED",
            Self::Expired => "EXPIRED",
            Self::LimitReached { .. } => "LIMIT_REACHED",
            Self::Assigned(_) => "SUCCESS",
            Self::Busy => "BUSY",
        }
    }
}

/// Gives `order` to the master who tapped, if the facts allow it. `None`: no master did.
///
/// Repeating a tap that changed something, at any time and concurrently, changes nothing more; what is answered is
/// true then.
///
/// # Errors
/// When the database failed; unless the connection was lost during `COMMIT`, nothing was changed.
pub async fn accept(
    store: &Store,
    order: OrderId,
    by: &Tap,
    page: i64,
) -> Result<Option<Answered<AcceptOutcome>>, store::Error> {
    let look = async || locked::offers(store, by, page).await;
    let attempt = |connection| attempt(store, connection, order, by, page);
    let answered = locked::settle(store, AcceptOutcome::Busy, look, attempt).await?;
    match &answered {
        None => tracing::warn!("offer_accept STRANGER: order={order} telegram_user={}", by.user),
        Some(Answered { outcome: AcceptOutcome::Assigned(_), master, .. }) => {
            tracing::info!("offer_accept SUCCESS: order={order} assigned to master={master}");
        }
        Some(Answered { outcome, master, .. }) => {
            tracing::info!("offer_accept {}: order={order} master={master}", outcome.name());
        }
    }
    Ok(answered)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    order: OrderId,
    by: &Tap,
    page: i64,
) -> Result<Option<Attempt<AcceptOutcome>>, store::Error> {
    let now = store.now();
    let [lock, facts, record, list] = connection
        .ready([&store::orders::LOCK, &store::facts::READ, &store::orders::RECORD_ASSIGNMENT, &store::offers::PAGE])
        .await?;

    let Some((locked, facts)) = locked::look(&connection, &lock, &facts, order, by, now).await? else {
        return Ok(None);
    };

    let fresh_list = store::offers::read_page(&connection, &list, by, page, now);
    let (outcome, fresh, told) = match decide(locked, &facts) {
        Decision::Assign { offer, version, from_status, own } => {
            let master = facts.master.id;
            let assignment = Assignment {
                order,
                version,
                from_status,
                master,
                offer: Some(offer),
                actor: Actor::Master(master),
                tap: Some(by.clone()),
                reason: None,
            };
            let (recorded, committed, fresh) = join!(
                store::orders::record_assignment(&connection, &record, &assignment, now),
                connection.commit(),
                fresh_list,
            );
            let told = recorded?;
            committed?;
            (Some(AcceptOutcome::Assigned(own)), locked::if_read(fresh), told)
        }
        Decision::Answer(outcome) => (Some(outcome), locked::leave(&connection, fresh_list).await?, false),
        Decision::LookAgain => (None, locked::leave(&connection, fresh_list).await?, false),
    };
    Ok(Some(Attempt { master: facts.master.id, outcome, fresh, told }))
}

/// What to do about a tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing is to be changed; this is the answer.
    Answer(AcceptOutcome),
    /// Everything allows it, and the locks are held.
    Assign {
        /// The offer to accept.
        offer: OfferId,
        /// The order's version, which the update must still find.
        version: i32,
        /// The order's status until now.
        from_status: OrderStatus,
        /// What to show.
        own: OwnOrder,
    },
    /// It would be allowed, but somebody else is at work on the order.
    LookAgain,
}

/// Decides about a tap: facts in, decision out. `locked`: the facts were read under the locks of the order and the
/// master. Without them whatever the facts forbid is forbidden, but nothing is allowed.
#[must_use]
pub fn decide(locked: bool, facts: &Facts) -> Decision {
    let answer = Decision::Answer;
    let Some(order) = &facts.order else { return answer(AcceptOutcome::NotFound) };
    let offer = match (facts.standing(), &facts.master.blocked) {
        (Standing::Unknown, _) => return answer(AcceptOutcome::NotFound),
        (Standing::Yours, _) => return answer(AcceptOutcome::AlreadyYours(order.order.clone())),
        (_, Some(blocked)) => return answer(AcceptOutcome::Blocked(blocked.clone())),
        (Standing::Withdrawn, None) => return answer(AcceptOutcome::Withdrawn),
        (Standing::Taken, None) => return answer(AcceptOutcome::Taken),
        (Standing::Declined, None) => return answer(AcceptOutcome::Declined),
        (Standing::Expired, None) => return answer(AcceptOutcome::Expired),
        (Standing::Offered(offer), None) => offer.id,
    };
    let limit = facts.master.max_active_orders;
    if facts.master.active_orders >= limit {
        return answer(AcceptOutcome::LimitReached { limit });
    }
    if !locked {
        return Decision::LookAgain;
    }
    Decision::Assign { offer, version: order.version, from_status: order.status, own: order.order.clone() }
}
