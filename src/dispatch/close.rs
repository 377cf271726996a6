//! A master closes an own order with what the client paid, which frees the slot at once.

use super::locked::{self, Answered, Decision, To};
use crate::model::Amount;
use crate::model::dialog::{Question, Turn};
use crate::model::facts::{Facts, Standing};
use crate::model::order::OrderStatus;
use crate::model::{OrderId, Tap};
use crate::store::{self, Store};

/// Every answer to a sum of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseOutcome {
    /// Committed.
    Closed(Amount),
    /// It was closed before, by the same message or another.
    AlreadyClosed,
    /// The work is not reported as done.
    NotDone,
    /// Not this master's order, or not any more.
    NotYours,
    /// Somebody held the order or the master for longer than a message waits; nothing was changed.
    Busy,
}

impl CloseOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed(_) => "SUCCESS",
            Self::AlreadyClosed => "ALREADY_CLOSED",
            Self::NotDone => "NOT_DONE",
            Self::NotYours => "NOT_YOURS",
            Self::Busy => "BUSY",
        }
    }
}

/// Closes an order of the master who wrote. `None`: no master wrote.
///
/// # Errors
/// When the database failed.
pub async fn close(
    store: &Store,
    order: OrderId,
    amount: Amount,
    by: &Tap,
    message: i32,
) -> Result<Option<Answered<CloseOutcome, Facts>>, store::Error> {
    let answered =
        locked::change(store, order, by, CloseOutcome::Busy, |locked, facts, _| decide(amount, message, locked, facts))
            .await?;
    if let Some(Answered { outcome, master, .. }) = &answered {
        tracing::info!("order_close {}: order={order} master={master}", outcome.name());
        if matches!(outcome, CloseOutcome::Closed(_)) {
            locked::look_again_for(store, by.user).await;
        }
    }
    Ok(answered)
}

fn decide(amount: Amount, message: i32, locked: bool, facts: &Facts) -> Decision<CloseOutcome> {
    let Some(found) = &facts.order else { return Decision::Answer(CloseOutcome::NotYours) };
    let own = found.assigned_master == Some(facts.master.id);
    Decision::Answer(match (facts.standing(), found.status) {
        (_, OrderStatus::Closed) if own => CloseOutcome::AlreadyClosed,
        (Standing::Yours, OrderStatus::Payment) if locked => {
            let dialog = Some(Turn::Answer(Question::Amount, message));
            let to = To { status: OrderStatus::Closed, reason: None, amount: Some(amount), dialog };
            return Decision::Change(to, CloseOutcome::Closed(amount));
        }
        (Standing::Yours, OrderStatus::Payment) => return Decision::LookAgain,
        (Standing::Yours, _) => CloseOutcome::NotDone,
        _ => CloseOutcome::NotYours,
    })
}
