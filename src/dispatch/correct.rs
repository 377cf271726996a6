//! A master corrects, for a quarter of an hour, what was said about an order that is over: the sum, or why it was given back.

use super::own_change::{Command, OrderChange, Target, change};
use super::transaction::{Answered, BUSY, Decision};
use crate::model::dialog::{DialogChange, Question};
use crate::model::facts::Facts;
use crate::model::update::Action;
use crate::model::{Amount, MasterRef, OrderId, OrderStatus, Origin};
use crate::store::updates::Answer;
use crate::store::{self, Connection, Store, edits, updates};

/// Every answer to a corrected sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorrectOutcome {
    /// Committed.
    Corrected {
        /// The sum now.
        amount: Amount,
        /// The sum before.
        was: Option<Amount>,
    },
    /// It is that sum already.
    Same(Amount),
    /// It was closed too long ago.
    TooLate(Option<Amount>),
    /// It is not closed.
    NotClosed,
    /// Not this master's order, or not any more.
    NotYours,
    /// Somebody held the order or the master for too long; nothing was changed.
    Busy,
}

impl CorrectOutcome {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Corrected { .. } => "SUCCESS",
            Self::Same(_) => "SAME",
            Self::TooLate(_) => "TOO_LATE",
            Self::NotClosed => "NOT_CLOSED",
            Self::NotYours => "NOT_YOURS",
            Self::Busy => "BUSY",
        }
    }
}

/// Corrects what the client paid for an order that the master has closed. `None`: there is no such master.
///
/// # Errors
/// When the database failed.
pub async fn amount(
    store: &Store,
    order: OrderId,
    amount: Amount,
    master: MasterRef,
    origin: Option<&Origin>,
) -> Result<Option<Answered<CorrectOutcome, Facts>>, store::Error> {
    let command = Command { action: Action::Correct, answers: Some(Question::Amount), order, master, origin };
    let decide = |locked, facts: &Facts| decide(amount, locked, facts);
    let answered = change(store, command, CorrectOutcome::Busy, CorrectOutcome::name, decide).await?;
    if let Some(Answered { outcome, master, .. }) = &answered {
        let word = outcome.name();
        tracing::info!(
            order = order.0,
            master = master.0,
            outcome = word,
            "order_correct {word}: order={order} master={master}"
        );
    }
    Ok(answered)
}

fn decide(amount: Amount, locked: bool, facts: &Facts) -> Decision<Target, CorrectOutcome> {
    let own = facts.order.as_ref().filter(|order| order.assigned_master == Some(facts.master.id));
    let Some(order) = own else { return Decision::Answer(CorrectOutcome::NotYours) };
    Decision::Answer(match order.status {
        OrderStatus::Canceled => CorrectOutcome::NotYours,
        OrderStatus::Closed if order.amount == Some(amount) => CorrectOutcome::Same(amount),
        OrderStatus::Closed if facts.processed.as_deref() == Some(BUSY) => CorrectOutcome::Busy,
        // What this very update came to before stands, whatever has been corrected since.
        OrderStatus::Closed if facts.processed.is_some() => {
            order.amount.map_or(CorrectOutcome::NotClosed, CorrectOutcome::Same)
        }
        OrderStatus::Closed if !facts.can_correct_amount() => CorrectOutcome::TooLate(order.amount),
        OrderStatus::Closed if locked => {
            let dialog = Some(DialogChange::End(Question::Amount));
            let outcome = CorrectOutcome::Corrected { amount, was: order.amount };
            return Decision::Change(Target { order: OrderChange::Amount(amount), dialog }, outcome);
        }
        OrderStatus::Closed => return Decision::Retry,
        _ => CorrectOutcome::NotClosed,
    })
}

const SUCCESS: &str = "SUCCESS";

/// Corrects why the master gave an order back; staff are told again. Whether it was in time, or done before by this update.
///
/// # Errors
/// When the database failed.
pub async fn reason(
    store: &Store,
    order: OrderId,
    reason: &str,
    master: MasterRef,
    origin: &Origin,
) -> Result<bool, store::Error> {
    store
        .run(async |connection: Connection| {
            let [profile, find, correct, record] = connection
                .ready([&store::masters::PROFILE, &updates::FIND, &edits::CORRECT_REASON, &updates::RECORD])
                .await?;
            connection.begin().await?;
            let Some(profile) = store::masters::read_profile(&connection, &profile, master).await? else {
                connection.rollback().await?;
                return Ok(false);
            };
            let before = updates::find(&connection, &find, Some(origin)).await?;
            let corrected = match before {
                Some(before) => before.outcome == SUCCESS,
                None => edits::correct_reason(&connection, &correct, order, profile.id, reason, store.now()).await?,
            };
            let outcome = if corrected { SUCCESS } else { "TOO_LATE" };
            let answer = Answer { action: Action::Correct, order: Some(order), outcome, durable: true };
            updates::record(&connection, &record, Some(origin), Some(master), answer, store.now()).await?;
            connection.commit().await?;
            Ok(corrected)
        })
        .await
}
