//! A question that a master answers in words. It is kept in the database, so a restart forgets nothing.

use super::facts::{Facts, Standing};
use super::order::OrderStatus;
use super::{OrderId, Tap, give_back};
use crate::db::{self, Db};

/// A master, for the menu and for what the master writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The full name.
    pub full_name: String,
    /// Takes new offers.
    pub on_shift: bool,
    /// How many active orders the master has.
    pub active_orders: i64,
    /// The question asked last, if any.
    pub dialog: Option<Dialog>,
}

/// What a master was asked last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// What.
    pub question: Question,
    /// About which order.
    pub order: OrderId,
    /// The master's last message when it was asked.
    pub asked_after: i32,
    /// The message that answered it; `None` while it is open.
    pub answered_by: Option<i32>,
}

impl Dialog {
    /// Whether a message answers it: the open question was asked after all that was written before; and the message that
    /// answered it may be delivered again.
    #[must_use]
    pub fn is_answered_by(&self, message: i32) -> bool {
        self.answered_by.map_or(message > self.asked_after, |answer| answer == message)
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What the client paid.
    Amount,
    /// Why the order is given back.
    ReturnReason,
}

impl Question {
    /// The word in `dialogs.kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "AMOUNT",
            Self::ReturnReason => "RETURN_REASON",
        }
    }

    /// The question of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Amount, Self::ReturnReason].into_iter().find(|question| question.as_str() == word)
    }

    /// Whether it can be asked about the order as it is.
    #[must_use]
    pub fn makes_sense(self, facts: &Facts) -> bool {
        let status = facts.order.as_ref().filter(|_| facts.standing() == Standing::Yours).map(|order| order.status);
        status.is_some_and(|status| match self {
            Self::Amount => status == OrderStatus::Payment,
            Self::ReturnReason => give_back::possible(status),
        })
    }
}

/// What becomes of a master's dialog with a change of the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The question is asked.
    Ask(Question),
    /// A message has answered it.
    Answer(Question, i32),
    /// It needs no answer any more.
    Leave(Question),
}

/// Asks the master who tapped a question about an own order, if it makes sense; the one asked before is forgotten. A tap
/// that is delivered again asks nothing again. Whether the question is open then.
///
/// # Errors
/// When the database failed.
pub async fn ask(db: &Db, facts: &Facts, question: Question, order: OrderId, by: &Tap) -> Result<bool, db::Error> {
    Ok(question.makes_sense(facts) && db::dialogs::ask(db, facts.master.id, question, order, by).await?)
}
