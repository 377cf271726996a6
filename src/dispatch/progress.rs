//! A master reports how far an own order is: on the way, on site, done, or not done after all.

use super::locked::{self, Answered, Decision, To};
use crate::model::dialog::{Question, Turn};
use crate::model::facts::{Facts, Standing};
use crate::model::order::OrderStatus;
use crate::model::{OrderId, Tap};
use crate::store::{self, Store};

/// What the master reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// «🚗 В пути»
    EnRoute,
    /// «🛠 На месте»
    OnSite,
    /// The work is done, and the money is asked about.
    Done,
    /// It is not done after all.
    NotDone,
}

impl Step {
    /// From which status to which.
    fn change(self) -> (OrderStatus, OrderStatus) {
        match self {
            Self::EnRoute => (OrderStatus::Assigned, OrderStatus::EnRoute),
            Self::OnSite => (OrderStatus::EnRoute, OrderStatus::Working),
            Self::Done => (OrderStatus::Working, OrderStatus::Payment),
            Self::NotDone => (OrderStatus::Payment, OrderStatus::Working),
        }
    }
}

/// Every answer to a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressOutcome {
    /// Committed.
    Recorded(Step),
    /// The order is that far already: by an earlier tap, or a redelivery of it.
    AlreadyThere,
    /// Another step comes first, or it is too late for this one.
    OutOfTurn,
    /// Not this master's order, or not any more.
    NotYours,
    /// Somebody held the order or the master for longer than a tap waits; nothing was changed.
    Busy,
}

impl ProgressOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Recorded(_) => "SUCCESS",
            Self::AlreadyThere => "ALREADY_THERE",
            Self::OutOfTurn => "OUT_OF_TURN",
            Self::NotYours => "NOT_YOURS",
            Self::Busy => "BUSY",
        }
    }
}

/// Records a step of the master who tapped, with the order as it is then. `None`: no master tapped.
///
/// # Errors
/// When the database failed.
pub async fn progress(
    store: &Store,
    order: OrderId,
    step: Step,
    by: &Tap,
) -> Result<Option<Answered<ProgressOutcome, Facts>>, store::Error> {
    let answered = locked::change(store, order, by, ProgressOutcome::Busy, |locked, facts, handled| {
        decide(step, locked, facts, handled)
    })
    .await?;
    match &answered {
        None => tracing::warn!("order_progress STRANGER: order={order} telegram_user={}", by.user),
        Some(Answered { outcome, master, .. }) => {
            tracing::info!("order_progress {}: order={order} master={master} step={step:?}", outcome.name());
        }
    }
    Ok(answered)
}

fn decide(step: Step, locked: bool, facts: &Facts, handled: bool) -> Decision<ProgressOutcome> {
    let Some(order) = &facts.order else { return Decision::Answer(ProgressOutcome::NotYours) };
    if facts.standing() != Standing::Yours {
        return Decision::Answer(ProgressOutcome::NotYours);
    }
    let (from, to) = step.change();
    if handled || order.status == to {
        return Decision::Answer(ProgressOutcome::AlreadyThere);
    }
    if order.status != from {
        return Decision::Answer(ProgressOutcome::OutOfTurn);
    }
    if !locked {
        return Decision::LookAgain;
    }
    let dialog = match step {
        Step::Done => Some(Turn::Ask(Question::Amount)),
        Step::NotDone => Some(Turn::Leave(Question::Amount)),
        Step::EnRoute | Step::OnSite => None,
    };
    Decision::Change(To { status: to, reason: None, amount: None, dialog }, ProgressOutcome::Recorded(step))
}
