//! A question that a master answers in words. It is kept in the database, so a restart forgets nothing.

use super::OrderId;

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
    /// Telegram's id of the message that answered it; `None` while it is open.
    pub answer: Option<i32>,
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
}
