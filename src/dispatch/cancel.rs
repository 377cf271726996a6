//! Staff cancels an order, or takes it away from its master so that it is searched for anew.

use tokio::join;

use super::transaction::Decision;
use crate::model::order::{OrderStatus, Stage};
use crate::model::update::{Action, Processed};
use crate::model::{Actor, OrderId, Origin, StaffId};
use crate::store::orders::Change;
use crate::store::updates::{self, Answer};
use crate::store::{self, Connection, Severity, Store};

/// Every answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// Committed; messages to whoever had the order or an offer of it are enqueued.
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
pub async fn cancel(
    store: &Store,
    order: OrderId,
    by: StaffId,
    reason: &str,
    origin: Option<&Origin>,
) -> Result<CancelOutcome, store::Error> {
    let outcome = set(store, order, Action::Cancel, by, reason, origin).await?;
    log("order_cancel", order, by, outcome);
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
    origin: Option<&Origin>,
) -> Result<CancelOutcome, store::Error> {
    let outcome = set(store, order, Action::TakeBack, by, reason, origin).await?;
    log("order_take_back", order, by, outcome);
    Ok(outcome)
}

fn log(verb: &str, order: OrderId, staff: StaffId, outcome: CancelOutcome) {
    let word = outcome.name();
    tracing::info!(order = order.0, staff = staff.0, outcome = word, "{verb} {word}: order={order} staff={staff}");
}

async fn set(
    store: &Store,
    order: OrderId,
    action: Action,
    by: StaffId,
    reason: &str,
    origin: Option<&Origin>,
) -> Result<CancelOutcome, store::Error> {
    let to = if action == Action::Cancel { OrderStatus::Canceled } else { OrderStatus::Searching };
    let result = store
        .run(async |connection: Connection| {
            let now = store.now();
            let [wait_for, find, change, record] = connection
                .ready([&store::orders::WAIT_FOR, &updates::FIND, &store::orders::RECORD_CHANGE, &updates::RECORD])
                .await?;
            let (begun, found, processed) = join!(
                connection.begin(),
                store::orders::wait_for(&connection, &wait_for, order),
                updates::find(&connection, &find, origin),
            );
            begun?;
            let found = found?;
            let decision = decide(found, processed?.as_ref(), to);
            let outcome = match decision {
                Decision::Change((from, version), outcome) => {
                    let (reason, actor) = (Some(reason.to_owned()), Actor::Admin(by));
                    let changed = Change { order, version, from, to, actor, reason, amount: None };
                    store::orders::record_change(&connection, &change, &changed, now).await?;
                    outcome
                }
                Decision::Answer(outcome) => outcome,
                Decision::LookAgain => CancelOutcome::Busy,
            };
            let durable = matches!(decision, Decision::Change(..));
            let answer = Answer { action, order: Some(order), outcome: outcome.name(), durable };
            updates::record(&connection, &record, origin, None, answer, now).await?;
            connection.commit().await?;
            Ok(outcome)
        })
        .await;
    match result {
        Err(error) if error.severity() == Severity::TimedOut => Ok(CancelOutcome::Busy),
        outcome => outcome,
    }
}

/// Decides under the order's lock, which is waited for. A change needs the order's status and version.
fn decide(
    found: Option<(OrderStatus, i32)>,
    processed: Option<&Processed>,
    to: OrderStatus,
) -> Decision<(OrderStatus, i32), CancelOutcome> {
    let Some((from, version)) = found else { return Decision::Answer(CancelOutcome::NotFound) };
    Decision::Answer(match (from.stage(), to) {
        _ if from == to => CancelOutcome::AlreadyDone,
        (Stage::Final, _) => CancelOutcome::Final,
        (Stage::Open, OrderStatus::Searching) => CancelOutcome::AlreadyDone,
        // What this very update came to before stands, whatever has been done with the order since.
        _ if processed.is_some() => CancelOutcome::AlreadyDone,
        _ => return Decision::Change((from, version), CancelOutcome::Done),
    })
}
