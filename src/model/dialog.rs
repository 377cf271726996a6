//! A master, and the question that the master was asked to answer in words.

pub use super::blocked::Barred;
use super::facts::{Facts, Standing};
use super::order::OrderStatus;
use super::update::Processed;
use super::{MasterId, OrderId};

/// A master, for the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Which master.
    pub id: MasterId,
    /// The full name.
    pub full_name: String,
    /// Takes new offers.
    pub on_shift: bool,
    /// Gets no orders: why.
    pub barred: Option<Barred>,
    /// How many active orders the master has.
    pub active_orders: i64,
}

/// A message of a master's, and what it may be an answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Its sender.
    pub profile: Profile,
    /// What that very message did before, if it is a redelivery.
    pub processed: Option<Processed>,
    /// The open question.
    pub dialog: Option<Dialog>,
    /// Whether the message was written after that was asked.
    pub answers: bool,
}

/// An open question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialog {
    /// What is asked.
    pub question: Question,
    /// About which order.
    pub order: OrderId,
    /// What was written last, and is yet to be confirmed.
    pub written: Option<Written>,
    /// The message that asks it.
    pub shown_in: Option<i32>,
}

/// An answer that is yet to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// What it says.
    pub text: String,
    /// The message, by whose id the confirmation names it: another one may be written since.
    pub message: i32,
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
    /// Every question.
    pub const ALL: [Self; 2] = [Self::Amount, Self::ReturnReason];

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
        Self::ALL.into_iter().find(|question| question.as_str() == word)
    }

    /// Whether it can be asked about the order as it is.
    #[must_use]
    pub fn makes_sense(self, facts: &Facts) -> bool {
        let own = facts.order.as_ref().filter(|_| facts.standing() == Standing::Yours).map(|order| order.status);
        self.makes_sense_of(own, facts.can_correct_amount())
    }

    /// Whether it can be asked about an own active order of that status, or about one whose sum can be corrected.
    #[must_use]
    pub fn makes_sense_of(self, own: Option<OrderStatus>, correctable: bool) -> bool {
        match self {
            Self::Amount => own == Some(OrderStatus::Payment) || correctable,
            Self::ReturnReason => own.is_some_and(OrderStatus::can_be_given_back),
        }
    }
}

/// What a change of the order does to its master's question about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogChange {
    /// It is asked.
    Ask(Question),
    /// It has been answered, or needs no answer any more.
    End(Question),
}
