//! A master reports how far an own order is: on the way, on site, done, or not done after all.

use super::own_change::{Command, OrderChange, Target, change};
use super::transaction::{Answered, BUSY, Decision};
use crate::model::dialog::{DialogChange, Question};
use crate::model::facts::{Facts, Standing};
use crate::model::update::Action;
use crate::model::{MasterRef, OrderId, OrderStatus, Origin};
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
    /// The step before it was reported a moment ago: a second tap of an impatient finger, which hit what appeared under it.
    TooSoon,
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
            Self::TooSoon => "TOO_SOON",
            Self::NotYours => "NOT_YOURS",
            Self::Busy => "BUSY",
        }
    }
}

/// Records a step of a master's, with the order as it is then. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn progress(
    store: &Store,
    order: OrderId,
    step: Step,
    master: MasterRef,
    origin: Option<&Origin>,
) -> Result<Option<Answered<ProgressOutcome, Facts>>, store::Error> {
    let command = Command { action: Action::Progress, answers: None, order, master, origin };
    let decide = |locked, facts: &Facts| decide(step, locked, facts);
    let answered = change(store, command, ProgressOutcome::Busy, ProgressOutcome::name, decide).await?;
    let user = master.telegram_user().unwrap_or_default();
    match &answered {
        None => tracing::warn!(
            order = order.0,
            outcome = "STRANGER",
            "order_progress STRANGER: order={order} telegram_user={user}"
        ),
        Some(Answered { outcome, master, .. }) => {
            let word = outcome.name();
            tracing::info!(
                order = order.0,
                master = master.0,
                outcome = word,
                "order_progress {word}: order={order} master={master} step={step:?}"
            );
        }
    }
    Ok(answered)
}

fn decide(step: Step, locked: bool, facts: &Facts) -> Decision<Target, ProgressOutcome> {
    let Some(order) = &facts.order else { return Decision::Answer(ProgressOutcome::NotYours) };
    if facts.standing() != Standing::Yours {
        return Decision::Answer(ProgressOutcome::NotYours);
    }
    let (from, to) = step.change();
    if order.status == to {
        return Decision::Answer(ProgressOutcome::AlreadyThere);
    }
    match facts.processed.as_deref() {
        // What an update was refused before, its redelivery is refused too.
        Some("OUT_OF_TURN" | "NOT_YOURS") => return Decision::Answer(ProgressOutcome::OutOfTurn),
        Some(BUSY) => return Decision::Answer(ProgressOutcome::Busy),
        Some("TOO_SOON") => return Decision::Answer(ProgressOutcome::TooSoon),
        Some(_) => return Decision::Answer(ProgressOutcome::AlreadyThere),
        None => {}
    }
    if order.status != from {
        return Decision::Answer(ProgressOutcome::OutOfTurn);
    }
    if order.stepped_just_now {
        return Decision::Answer(ProgressOutcome::TooSoon);
    }
    if !locked {
        return Decision::Retry;
    }
    let dialog = match step {
        Step::Done => Some(DialogChange::Ask(Question::Amount)),
        Step::NotDone => Some(DialogChange::End(Question::Amount)),
        Step::EnRoute | Step::OnSite => None,
    };
    let order = OrderChange::Status { status: to, reason: None, amount: None };
    Decision::Change(Target { order, dialog }, ProgressOutcome::Recorded(step))
}
