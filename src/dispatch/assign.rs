//! Staff or the system gives an order to a master: the same lock, facts and statement as accepting, and another guard.

use tokio::join;

use super::transaction::{self, Answered, Attempt, Decision, Request};
use crate::model::facts::{Blocked, Facts, Standing};
use crate::model::order::{OrderStatus, Stage};
use crate::model::update::Action;
use crate::model::{Actor, MasterId, MasterRef, OrderId, Origin, StaffId};
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
    /// Committed; a message to the master is enqueued.
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
    /// This very update gave it to the master before, and it is not the master's any more: once is enough.
    Repeated,
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
            Self::Repeated => "REPEATED",
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
    origin: Option<&Origin>,
) -> Result<Option<Answered<AssignOutcome, Facts>>, store::Error> {
    let look = async || transaction::facts(store, order, MasterRef::Id(master)).await;
    let request = Request { action: Action::Assign, order, master: MasterRef::Id(master), origin };
    let answered = transaction::settle(store, request, AssignOutcome::Busy, look, |connection| {
        attempt(store, connection, request, by, reason)
    })
    .await?;
    if let Some(Answered { outcome, .. }) = &answered {
        let word = outcome.name();
        tracing::info!(
            order = order.0,
            master = master.0,
            outcome = word,
            "order_assign {word}: order={order} master={master} by={by:?}"
        );
    }
    Ok(answered)
}

async fn attempt(
    store: &Store,
    connection: Connection,
    request: Request<'_>,
    by: Assigner,
    reason: Option<&str>,
) -> Result<Option<Attempt<AssignOutcome, Facts>>, store::Error> {
    let Request { action, order, origin, .. } = request;
    let now = store.now();
    let [lock, facts, assign, record] = connection
        .ready([&store::orders::LOCK, &store::facts::READ, &store::orders::RECORD_ASSIGNMENT, &store::updates::RECORD])
        .await?;
    let Some((locked, before)) = request.look(&connection, &lock, &facts, now).await? else { return Ok(None) };
    let (master, processed) = (before.master.id, before.processed.is_some());
    let fresh = store::facts::read(&connection, &facts, order, MasterRef::Id(master), None, now);
    let (outcome, fresh, enqueued) = match decide(locked, &before, by) {
        Decision::Change((version, from_status), outcome) => {
            let assignment = Assignment {
                order,
                version,
                from_status,
                master,
                offer: None,
                actor: match by {
                    Assigner::Staff(staff) => Actor::Admin(staff),
                    Assigner::System => Actor::AutoDistribution,
                },
                // The message that was tapped is none of the master's.
                origin: origin.map(|origin| Origin { message: None, ..origin.clone() }),
                action,
                reason: reason.map(ToOwned::to_owned),
            };
            let (recorded, (committed, fresh)) = join!(
                store::orders::record_assignment(&connection, &assign, &assignment, now),
                connection.commit_then(fresh),
            );
            let enqueued = recorded? > 0;
            committed?;
            (Some(outcome), transaction::if_read(fresh), enqueued)
        }
        Decision::Answer(outcome) => {
            let fresh =
                request.leave(&connection, &record, None, (!processed).then_some(outcome.name()), now, fresh).await?;
            (Some(outcome), fresh, false)
        }
        Decision::LookAgain => (None, request.leave(&connection, &record, None, None, now, fresh).await?, false),
    };
    Ok(Some(Attempt { master, outcome, fresh, enqueued }))
}

/// As in accepting: without the lock nothing is allowed. A change needs the order's version and status.
fn decide(locked: bool, facts: &Facts, by: Assigner) -> Decision<(i32, OrderStatus), AssignOutcome> {
    let Some(order) = &facts.order else { return Decision::Answer(AssignOutcome::NotFound) };
    let limit = facts.master.max_active_orders;
    Decision::Answer(match (order.status.stage(), &facts.master.blocked) {
        (Stage::Active, _) if facts.standing() == Standing::Yours => AssignOutcome::AlreadyTheirs,
        (Stage::Active, _) => AssignOutcome::Taken,
        (Stage::Final, _) => AssignOutcome::Final,
        (Stage::Open, _) if facts.processed.is_some() => AssignOutcome::Repeated,
        (Stage::Open, Some(blocked)) => AssignOutcome::Blocked(blocked.clone()),
        (Stage::Open, None) if by == Assigner::System && facts.master.active_orders >= limit => {
            AssignOutcome::LimitReached { limit }
        }
        (Stage::Open, None) if locked => {
            return Decision::Change((order.version, order.status), AssignOutcome::Assigned);
        }
        (Stage::Open, None) => return Decision::LookAgain,
    })
}
