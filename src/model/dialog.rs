//! A master, and the question that the master was asked to answer in words.

use super::OrderId;
use super::facts::{Facts, Standing};
use super::order::OrderStatus;

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
            Self::ReturnReason => status.can_be_given_back(),
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
