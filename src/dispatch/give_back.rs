//! A master gives an own order back, and says why; it is searched for anew, and not offered to the same master again.

use super::own_change::{Command, OrderChange, Target, change};
use super::transaction::{Answered, Decision};
use crate::model::dialog::{DialogChange, Question};
use crate::model::facts::{Facts, Standing};
use crate::model::update::Action;
use crate::model::{MasterRef, OrderId, OrderStatus, Origin};
use crate::store::{self, Store};

/// Every answer to a reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveBackOutcome {
    /// Committed.
    GivenBack,
    /// This very tap has done it before.
    AlreadyGivenBack,
    /// Nothing was given back: the question was left, or answered otherwise, since this answer was shown.
    NotAsked,
    /// The work is done.
    TooLate,
    /// Not this master's order, or not any more.
    NotYours,
    /// Somebody held the order or the master for longer than a tap waits; nothing was changed.
    Busy,
}

impl GiveBackOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GivenBack => "SUCCESS",
            Self::AlreadyGivenBack => "ALREADY_GIVEN_BACK",
            Self::NotAsked => "NOT_ASKED",
            Self::TooLate => "TOO_LATE",
            Self::NotYours => "NOT_YOURS",
            Self::Busy => "BUSY",
        }
    }
}

/// Gives an order of a master's back, for the reason that the master has confirmed; `None`: none waits to be confirmed any more.
/// `None` as the answer: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn give_back(
    store: &Store,
    order: OrderId,
    reason: Option<&str>,
    master: MasterRef,
    origin: Option<&Origin>,
) -> Result<Option<Answered<GiveBackOutcome, Facts>>, store::Error> {
    let command = Command { action: Action::GiveBack, answers: Some(Question::ReturnReason), order, master, origin };
    let decide = |locked, facts: &Facts| decide(reason, locked, facts);
    let answered = change(store, command, GiveBackOutcome::Busy, GiveBackOutcome::name, decide).await?;
    if let Some(Answered { outcome, master, .. }) = &answered {
        let word = outcome.name();
        tracing::info!(
            order = order.0,
            master = master.0,
            outcome = word,
            "order_give_back {word}: order={order} master={master}"
        );
    }
    Ok(answered)
}

fn decide(reason: Option<&str>, locked: bool, facts: &Facts) -> Decision<Target, GiveBackOutcome> {
    let Some(found) = &facts.order else { return Decision::Answer(GiveBackOutcome::NotYours) };
    if let Some(word) = &facts.processed {
        let given = [GiveBackOutcome::GivenBack, GiveBackOutcome::AlreadyGivenBack].map(GiveBackOutcome::name);
        return Decision::Answer(match word.as_str() {
            word if given.contains(&word) => GiveBackOutcome::AlreadyGivenBack,
            word if word == GiveBackOutcome::TooLate.name() => GiveBackOutcome::TooLate,
            word if word == GiveBackOutcome::NotAsked.name() => GiveBackOutcome::NotAsked,
            word if word == GiveBackOutcome::Busy.name() => GiveBackOutcome::Busy,
            _ => GiveBackOutcome::NotYours,
        });
    }
    if facts.standing() != Standing::Yours {
        return Decision::Answer(GiveBackOutcome::NotYours);
    }
    if !found.status.can_be_given_back() {
        return Decision::Answer(GiveBackOutcome::TooLate);
    }
    let Some(reason) = reason else { return Decision::Answer(GiveBackOutcome::NotAsked) };
    if !locked {
        return Decision::Retry;
    }
    let dialog = Some(DialogChange::End(Question::ReturnReason));
    let order = OrderChange::Status { status: OrderStatus::Searching, reason: Some(reason.to_owned()), amount: None };
    Decision::Change(Target { order, dialog }, GiveBackOutcome::GivenBack)
}
