//! Staff or the system gives an order to a master: the same lock, facts and statement as accepting, and another guard.

use tokio::join;

use super::locked::{self, Answered, Attempt};
use crate::model::facts::{Blocked, Facts, Standing};
use crate::model::order::Stage;
use crate::model::{Actor, MasterId, OrderId, StaffId, Tap};
use crate::store::orders::Assignment;
use crate::store::{self, Connection, Store};

/// Who gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assigner {
    /// A dispatcher or admin, who may go over the master's limit.
    Staff(StaffId),
    /// The system, which may not.
    System,
}

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AssignOutcome {
    /// Committed; the master will be told.
    Assigned,
    /// It is this master's already.
    AlreadyTheirs,
    /// It is another master's.
    Taken,
    /// It is closed or canceled.
    Final,
    /// The master is blocked.
    Blocked(Blocked),
    /// The master has as many active orders as the system may give.
    LimitReached {
        /// How many that is.
        limit: i64,
    },
    /// There is no such order.
    NotFound,
    /// Somebody held the order or the master for too long; nothing was changed.
    Busy,
}

impl AssignOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Assigned => "SUCCESS",
            Self::AlreadyTheirs => "ALREADY_THEIRS",
            Self::Taken => "TAKEN",
            Self::Final => "FINAL",
            Self::Blocked(_) => "BLOCKED",
            Self::LimitReached { .. } => "LIMIT_REACHED",
            Self::NotFound => "NOT_FOUND",
            Self::Busy => "BUSY",
        }
    }
}

/// Gives an open order to a master, with a reason for the history; and the order as that master sees it then. `None`:
/// there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn assign(
    store: &Store,
    order: OrderId,
    master: MasterId,
    by: Assigner,
    reason: Option<&str>,
) -> Result<Option<Answered<AssignOutcome, Facts>>, store::Error> {
    let Some(user) = store::masters::user(store, master).await? else { return Ok(None) };
    let seen = &Tap { user, query: None, message: None };
    let look = async || locked::facts(store, order, seen).await;
    let attempt = |connection| attempt(store, connection, order, seen, by, reason);
    let answered = locked::settle(store, AssignOutcome::Busy, look, attempt).await?;
    if let Some(Answered { outcome, .. }) = &answered {
        tracing::info!("order_assign {}: order={order} master={master} by={by:?}", outcome.name());
    }
    Ok(answered)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    order: OrderId,
    seen: &Tap,
    by: Assigner,
    reason: Option<&str>,
) -> Result<Option<Attempt<AssignOutcome, Facts>>, store::Error> {
    let now = store.now();
    let [lock, facts, record] =
        connection.ready([&store::orders::LOCK, &store::facts::READ, &store::orders::RECORD_ASSIGNMENT]).await?;
    let Some((locked, before)) = locked::look(&connection, &lock, &facts, order, seen, now).await? else {
        return Ok(None);
    };
    let master = before.master.id;
    let fresh = store::facts::read(&connection, &facts, order, seen, now);
    let (outcome, fresh, told) = match (decide(&before, by), &before.order) {
        (Some(answer), _) => (Some(answer), locked::leave(&connection, fresh).await?, false),
        (None, Some(found)) if locked => {
            let assignment = Assignment {
                order,
                version: found.version,
                from_status: found.status,
                master,
                offer: None,
                actor: match by {
                    Assigner::Staff(staff) => Actor::Admin(staff),
                    Assigner::System => Actor::AutoDistribution,
                },
                tap: None,
                reason: reason.map(ToOwned::to_owned),
            };
            let (recorded, committed, fresh) = join!(
                store::orders::record_assignment(&connection, &record, &assignment, now),
                connection.commit(),
                fresh,
            );
            let told = recorded?;
            committed?;
            (Some(AssignOutcome::Assigned), locked::if_read(fresh), told)
        }
        (None, _) => (None, locked::leave(&connection, fresh).await?, false),
    };
    Ok(Some(Attempt { master, outcome, fresh, told }))
}

/// What the facts forbid; `None` if nothing.
fn decide(facts: &Facts, by: Assigner) -> Option<AssignOutcome> {
    let Some(order) = &facts.order else { return Some(AssignOutcome::NotFound) };
    let limit = facts.master.max_active_orders;
    match (order.status.stage(), &facts.master.blocked) {
        (Stage::Active, _) if facts.standing() == Standing::Yours => Some(AssignOutcome::AlreadyTheirs),
        (Stage::Active, _) => Some(AssignOutcome::Taken),
        (Stage::Final, _) => Some(AssignOutcome::Final),
        (Stage::Open, Some(blocked)) => Some(AssignOutcome::Blocked(blocked.clone())),
        (Stage::Open, None) if by == Assigner::System && facts.master.active_orders >= limit => {
            Some(AssignOutcome::LimitReached { limit })
        }
        (Stage::Open, None) => None,
    }
}
