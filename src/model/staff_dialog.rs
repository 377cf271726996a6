//! The question that somebody of the staff was asked to answer in words.

use jiff::civil::Date;

use super::update::Processed;
use super::{MasterId, OrderId, StaffProfile, Version};

/// What is asked, as in `staff_dialogs.question`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffQuestion {
    /// The next field of the new order that is being taken in.
    NewOrder,
    /// What to look for in the queue.
    Search,
    /// Why an order is cancelled.
    CancelReason,
    /// Why an order is searched a master for anew.
    ReturnReason,
    /// The right address of an order.
    Address,
    /// The right name of its client.
    ClientName,
    /// The right phone of its client.
    Phone,
    /// What is to be done.
    Description,
    /// When.
    Slot,
    /// What the master is to know.
    Comment,
    /// What the client paid.
    Amount,
    /// Why a master is blocked.
    BlockReason,
    /// How many orders a master may have at once.
    Limit,
}

impl StaffQuestion {
    /// Every question.
    pub const ALL: [Self; 13] = [
        Self::NewOrder,
        Self::Search,
        Self::CancelReason,
        Self::ReturnReason,
        Self::Address,
        Self::ClientName,
        Self::Phone,
        Self::Description,
        Self::Slot,
        Self::Comment,
        Self::Amount,
        Self::BlockReason,
        Self::Limit,
    ];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewOrder => "NEW_ORDER",
            Self::Search => "SEARCH",
            Self::CancelReason => "CANCEL_REASON",
            Self::ReturnReason => "RETURN_REASON",
            Self::Address => "ADDRESS",
            Self::ClientName => "CLIENT_NAME",
            Self::Phone => "PHONE",
            Self::Description => "DESCRIPTION",
            Self::Slot => "SLOT",
            Self::Comment => "COMMENT",
            Self::Amount => "AMOUNT",
            Self::BlockReason => "BLOCK_REASON",
            Self::Limit => "LIMIT",
        }
    }

    /// The question of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.as_str() == word)
    }

    /// Whether who may only look may be asked it.
    #[must_use]
    pub fn is_for_readers(self) -> bool {
        self == Self::Search
    }
}

/// An open question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StaffDialog {
    /// What is asked.
    pub question: StaffQuestion,
    /// About which order.
    pub order: Option<OrderId>,
    /// About which master.
    pub master: Option<MasterId>,
    /// What the person saw of the order then.
    pub seen: Option<Version>,
    /// The number of the last change of the master that the person saw then.
    pub seen_change: Option<i64>,
    /// The day that was tapped, of which the hours are asked.
    pub day: Option<Date>,
}

impl StaffDialog {
    /// A question that is about nothing in particular.
    #[must_use]
    pub fn new(question: StaffQuestion) -> Self {
        Self { question, order: None, master: None, seen: None, seen_change: None, day: None }
    }

    /// A question about an order, as it was seen.
    #[must_use]
    pub fn about_order(question: StaffQuestion, order: OrderId, seen: Option<Version>) -> Self {
        Self { order: Some(order), seen, ..Self::new(question) }
    }

    /// A question about a master, as the last change left that one.
    #[must_use]
    pub fn about_master(question: StaffQuestion, master: MasterId, seen: i64) -> Self {
        Self { master: Some(master), seen_change: Some(seen), ..Self::new(question) }
    }

    /// The same question, of the hours of a day.
    #[must_use]
    pub fn of_day(self, day: Option<Date>) -> Self {
        Self { day, ..self }
    }

    /// Whether it asks the same about the same.
    #[must_use]
    pub fn is_same_question(&self, other: &Self) -> bool {
        (self.question, self.order, self.master) == (other.question, other.order, other.master)
    }
}

/// Which open question an update leaves: that it is no answer to, and that is not asked beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaves {
    /// None: it may be the answer.
    None,
    /// Any but this one, whose dialog it is part of.
    AllBut(StaffQuestion),
    /// Any.
    All,
}

/// An update of somebody of the staff, and what it may be an answer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffIncoming {
    /// Its sender.
    pub profile: StaffProfile,
    /// What that very update did before, if it is a redelivery.
    pub processed: Option<Processed>,
    /// The open question.
    pub dialog: Option<StaffDialog>,
    /// Whether the update was made after that was asked; of a tap always.
    pub answers: bool,
}
