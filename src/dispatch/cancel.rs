//! Staff cancels an order, or takes it away from its master so that it is searched for anew.

use crate::model::order::{OrderStatus, Stage};
use crate::model::{Actor, OrderId, StaffId};
use crate::store::orders::Change;
use crate::store::{self, Connection, Severity, Store};

/// Every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Committed; whoever had the order or an offer of it will be told.
    Done,
    /// It is so already.
    AlreadyDone,
    /// It is closed or canceled, and stays so.
    Final,
    /// There is no such order.
    NotFound,
    /// Somebody held the order for too long; nothing was changed.
    Busy,
}

impl CancelOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "SUCCESS",
            Self::AlreadyDone => "ALREADY_DONE",
            Self::Final => "FINAL",
            Self::NotFound => "NOT_FOUND",
            Self::Busy => "BUSY",
        }
    }
}

/// Cancels an order that is not final.
///
/// # Errors
/// When the database failed.
pub async fn cancel(store: &Store, order: OrderId, by: StaffId, reason: &str) -> Result<CancelOutcome, store::Error> {
    let outcome = set(store, order, OrderStatus::Canceled, by, reason).await?;
    tracing::info!("order_cancel {}: order={order} staff={by}", outcome.name());
    Ok(outcome)
}

/// Takes an active order away from its master.
///
/// # Errors
/// When the database failed.
pub async fn take_back(
    store: &Store,
    order: OrderId,
    by: StaffId,
    reason: &str,
) -> Result<CancelOutcome, store::Error> {
    let outcome = set(store, order, OrderStatus::Searching, by, reason).await?;
    tracing::info!("order_take_back {}: order={order} staff={by}", outcome.name());
    Ok(outcome)
}

async fn set(
    store: &Store,
    order: OrderId,
    to: OrderStatus,
    by: StaffId,
    reason: &str,
) -> Result<CancelOutcome, store::Error> {
    let result = store
        .run(async |connection: Connection| {
            let [wait_for, record] =
                connection.ready([&store::orders::WAIT_FOR, &store::orders::RECORD_CHANGE]).await?;
            connection.begin().await?;
            let found = store::orders::wait_for(&connection, &wait_for, order).await?;
            let Some((from, version)) = found.filter(|(from, _)| decide(*from, to).is_none()) else {
                connection.rollback().await?;
                return Ok(found.map_or(Some(CancelOutcome::NotFound), |(from, _)| decide(from, to)));
            };
            let reason = Some(reason.to_owned());
            let actor = Actor::Admin(by);
            let change = Change { order, version, from, to, actor, reason, amount: None, tap: None };
            store::orders::record_change(&connection, &record, &change, store.now()).await?;
            connection.commit().await?;
            Ok(None)
        })
        .await;
    match result {
        Ok(answer) => Ok(answer.unwrap_or(CancelOutcome::Done)),
        Err(error) if error.severity() == Severity::TimedOut => Ok(CancelOutcome::Busy),
        Err(error) => Err(error),
    }
}

/// What the status forbids; `None` if nothing.
fn decide(from: OrderStatus, to: OrderStatus) -> Option<CancelOutcome> {
    match (from.stage(), to) {
        _ if from == to => Some(CancelOutcome::AlreadyDone),
        (Stage::Final, _) => Some(CancelOutcome::Final),
        (Stage::Open, OrderStatus::Searching) => Some(CancelOutcome::AlreadyDone),
        _ => None,
    }
}
