//! A master closes an own order with what the client paid, which frees the slot at once.

use super::own_change::{Command, OrderChange, Target, change};
use super::transaction::{Answered, BUSY, Decision};
use crate::model::dialog::{DialogChange, Question};
use crate::model::facts::{Facts, Standing};
use crate::model::update::Action;
use crate::model::{Amount, MasterRef, OrderId, OrderStatus, Origin};
use crate::store::{self, Store};

/// Every answer to a sum of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseOutcome {
    /// Committed.
    Closed(Amount),
    /// It was closed before, by the same tap or another, with this sum.
    AlreadyClosed(Option<Amount>),
    /// The work is not reported as done.
    NotDone,
    /// Not this master's order, or not any more.
    NotYours,
    /// Somebody held the order or the master for longer than a tap waits; nothing was changed.
    Busy,
}

impl CloseOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed(_) => "SUCCESS",
            Self::AlreadyClosed(_) => "ALREADY_CLOSED",
            Self::NotDone => "NOT_DONE",
            Self::NotYours => "NOT_YOURS",
            Self::Busy => "BUSY",
        }
    }
}

/// Closes an order of a master's. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn close(
    store: &Store,
    order: OrderId,
    amount: Amount,
    master: MasterRef,
    origin: Option<&Origin>,
) -> Result<Option<Answered<CloseOutcome, Facts>>, store::Error> {
    let command = Command { action: Action::Close, answers: Some(Question::Amount), order, master, origin };
    let decide = |locked, facts: &Facts| decide(amount, locked, facts);
    let answered = change(store, command, CloseOutcome::Busy, CloseOutcome::name, decide).await?;
    if let Some(Answered { outcome, master, .. }) = &answered {
        let word = outcome.name();
        tracing::info!(
            order = order.0,
            master = master.0,
            outcome = word,
            "order_close {word}: order={order} master={master}"
        );
    }
    Ok(answered)
}

fn decide(amount: Amount, locked: bool, facts: &Facts) -> Decision<Target, CloseOutcome> {
    let Some(found) = &facts.order else { return Decision::Answer(CloseOutcome::NotYours) };
    let own = found.assigned_master == Some(facts.master.id);
    Decision::Answer(match (facts.standing(), found.status) {
        (_, OrderStatus::Closed) if own => CloseOutcome::AlreadyClosed(found.amount),
        (Standing::Yours, _) if facts.processed.as_deref() == Some(BUSY) => CloseOutcome::Busy,
        // The tap has closed it before, and it was opened again by hand.
        (Standing::Yours, _) if facts.processed.is_some() => CloseOutcome::NotDone,
        (Standing::Yours, OrderStatus::Payment) if locked => {
            let dialog = Some(DialogChange::End(Question::Amount));
            let order = OrderChange::Status { status: OrderStatus::Closed, reason: None, amount: Some(amount) };
            return Decision::Change(Target { order, dialog }, CloseOutcome::Closed(amount));
        }
        (Standing::Yours, OrderStatus::Payment) => return Decision::Retry,
        (Standing::Yours, _) => CloseOutcome::NotDone,
        _ => CloseOutcome::NotYours,
    })
}
