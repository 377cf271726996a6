//! What staff can ask for, and every answer to it.

use crate::dispatch::actions::OrderAction;
use crate::model::blocked::Blocked;
use crate::model::staff_order::{Edit, LastChange};
use crate::model::update::Action;
use crate::model::{Amount, MasterId, StaffId};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaffCommand {
    /// See to it. From whom, if somebody else was seen to do so.
    Claim(Option<StaffId>),
    /// Leave it to the others.
    Unclaim,
    /// Ask masters now.
    AssignNow,
    /// Give it to a master, and take it from the one who has it.
    Assign(MasterId),
    /// The same, unless the master has as many orders as allowed.
    AssignWithinLimit(MasterId),
    /// Search anew, for a reason: nobody's then, and masters who were asked before may be asked again.
    SearchAgain(String),
    /// Cancel it, for a reason.
    Cancel(String),
    /// Close it with the sum that the client paid.
    Close(Amount),
    /// Open it again.
    Reopen,
    /// Change what it says.
    Edit(Edit),
    /// Change several things that it says, all of them or nothing.
    EditAll(Vec<Edit>),
}

impl StaffCommand {
    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Claim(_) => "order_claim",
            Self::Unclaim => "order_unclaim",
            Self::AssignNow => "order_hasten",
            Self::Assign(_) | Self::AssignWithinLimit(_) => "order_assign",
            Self::SearchAgain(_) => "order_take_back",
            Self::Cancel(_) => "order_cancel",
            Self::Close(_) => "order_close",
            Self::Reopen => "order_reopen",
            Self::Edit(_) | Self::EditAll(_) => "order_edit",
        }
    }

    pub(super) fn recorded_as(&self) -> Action {
        match self {
            Self::Claim(_) | Self::Unclaim => Action::Claim,
            Self::AssignNow => Action::Hasten,
            Self::Assign(_) | Self::AssignWithinLimit(_) => Action::Assign,
            Self::SearchAgain(_) => Action::TakeBack,
            Self::Cancel(_) => Action::Cancel,
            Self::Close(_) => Action::CloseFor,
            Self::Reopen => Action::Reopen,
            Self::Edit(_) | Self::EditAll(_) => Action::Edit,
        }
    }

    /// What of a card's actions it is.
    #[must_use]
    pub fn action(&self) -> OrderAction {
        match self {
            Self::Claim(_) => OrderAction::Claim,
            Self::Unclaim => OrderAction::Unclaim,
            Self::AssignNow => OrderAction::AssignNow,
            Self::Assign(_) | Self::AssignWithinLimit(_) => OrderAction::AssignByHand,
            Self::SearchAgain(_) => OrderAction::SearchAgain,
            Self::Cancel(_) => OrderAction::Cancel,
            Self::Close(_) => OrderAction::Close,
            Self::Reopen => OrderAction::Reopen,
            Self::Edit(Edit::Comment(_)) => OrderAction::Comment,
            Self::Edit(_) | Self::EditAll(_) => OrderAction::Edit,
        }
    }

    /// Who is to get the order.
    pub(super) fn receiver(&self) -> Option<MasterId> {
        match self {
            Self::Assign(master) | Self::AssignWithinLimit(master) => Some(*master),
            _ => None,
        }
    }

    /// What it changes of what the order says.
    #[must_use]
    pub fn edits(&self) -> &[Edit] {
        match self {
            Self::Edit(edit) => std::slice::from_ref(edit),
            Self::EditAll(edits) => edits,
            _ => &[],
        }
    }

    /// Whether masters are to be asked right after it.
    pub(super) fn begins_a_search(&self) -> bool {
        matches!(self, Self::AssignNow | Self::SearchAgain(_) | Self::Reopen)
    }
}

/// Every answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActOutcome {
    /// Committed; messages to whom it concerns are enqueued.
    Done,
    /// It is so already.
    AlreadyDone,
    /// This very update was handled before: nothing more is done.
    Repeated,
    /// It has changed since it was seen, and nothing is done. What was changed last, if that is known.
    Stale(Option<LastChange>),
    /// It is not the time for that: the order is not so far, or too far.
    NotNow,
    /// It was closed or canceled more than a day ago.
    TooLate,
    /// Somebody else sees to it, who was not seen to do so.
    ClaimedBy(String),
    /// Masters have been asked, and have not answered yet.
    AlreadyOffered,
    /// That time has passed.
    PastSlot,
    /// The master is blocked.
    Blocked(Blocked),
    /// Staff have yet to let the master in.
    NotLetIn,
    /// The master has as many orders as allowed.
    AtLimit,
    /// There is no such master in the order's city.
    NoSuchMaster,
    /// Who asks may only look.
    ReadOnly,
    /// There is no such order in the cities of who asks.
    NotFound,
    /// Somebody held the order or the master for too long; nothing was changed.
    Busy,
}

impl ActOutcome {
    /// Every outcome's word.
    pub const NAMES: [&'static str; 16] = [
        "SUCCESS",
        "ALREADY_DONE",
        "REPEATED",
        "STALE",
        "NOT_NOW",
        "TOO_LATE",
        "CLAIMED",
        "ALREADY_OFFERED",
        "PAST_SLOT",
        "BLOCKED",
        "NOT_LET_IN",
        "AT_LIMIT",
        "NO_SUCH_MASTER",
        "READ_ONLY",
        "NOT_FOUND",
        "BUSY",
    ];

    /// The word in log lines and counters.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Done => "SUCCESS",
            Self::AlreadyDone => "ALREADY_DONE",
            Self::Repeated => "REPEATED",
            Self::Stale(_) => "STALE",
            Self::NotNow => "NOT_NOW",
            Self::TooLate => "TOO_LATE",
            Self::ClaimedBy(_) => "CLAIMED",
            Self::AlreadyOffered => "ALREADY_OFFERED",
            Self::PastSlot => "PAST_SLOT",
            Self::Blocked(_) => "BLOCKED",
            Self::NotLetIn => "NOT_LET_IN",
            Self::AtLimit => "AT_LIMIT",
            Self::NoSuchMaster => "NO_SUCH_MASTER",
            Self::ReadOnly => "READ_ONLY",
            Self::NotFound => "NOT_FOUND",
            Self::Busy => "BUSY",
        }
    }
}
