//! A master gives an own order back, and says why; it is searched for anew, and not offered to the same master again.

use super::locked::{self, Answered, Decision, To};
use crate::model::dialog::{Question, Turn};
use crate::model::facts::{Facts, Standing};
use crate::model::order::OrderStatus;
use crate::model::{OrderId, Tap};
use crate::store::{self, Store};

/// Every answer to a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveBackOutcome {
    /// Committed.
    GivenBack,
    /// This very message has done it before.
    AlreadyGivenBack,
    /// The work is done.
    TooLate,
    /// Not this master's order, or not any more.
    NotYours,
    /// Somebody held the order or the master for longer than a message waits; nothing was changed.
    Busy,
}

impl GiveBackOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenBack => "SUCCESS",
            Self::AlreadyGivenBack => "ALREADY_GIVEN_BACK",
            Self::TooLate => "TOO_LATE",
            Self::NotYours => "NOT_YOURS",
            Self::Busy => "BUSY",
        }
    }
}

/// Gives an order of the master who wrote back. `None`: no master wrote.
///
/// # Errors
/// When the database failed.
pub async fn give_back(
    store: &Store,
    order: OrderId,
    reason: &str,
    by: &Tap,
    message: i32,
) -> Result<Option<Answered<GiveBackOutcome, Facts>>, store::Error> {
    let answered = locked::change(store, order, by, GiveBackOutcome::Busy, |locked, facts, handled| {
        decide(reason, message, locked, facts, handled)
    })
    .await?;
    if let Some(Answered { outcome, master, .. }) = &answered {
        tracing::info!("order_give_back {}: order={order} master={master}", outcome.name());
        if *outcome == GiveBackOutcome::GivenBack {
            locked::look_again_for(store, by.user).await;
        }
    }
    Ok(answered)
}

fn decide(reason: &str, message: i32, locked: bool, facts: &Facts, handled: bool) -> Decision<GiveBackOutcome> {
    let Some(found) = &facts.order else { return Decision::Answer(GiveBackOutcome::NotYours) };
    if handled {
        return Decision::Answer(GiveBackOutcome::AlreadyGivenBack);
    }
    if facts.standing() != Standing::Yours {
        return Decision::Answer(GiveBackOutcome::NotYours);
    }
    if !found.status.can_be_given_back() {
        return Decision::Answer(GiveBackOutcome::TooLate);
    }
    if !locked {
        return Decision::LookAgain;
    }
    let dialog = Some(Turn::Answer(Question::ReturnReason, message));
    let to = To { status: OrderStatus::Searching, reason: Some(reason.to_owned()), amount: None, dialog };
    Decision::Change(to, GiveBackOutcome::GivenBack)
}
