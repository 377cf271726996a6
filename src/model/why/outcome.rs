//! What became of an offer, and of an order that a master had: by the order's own history, never guessed.

use jiff::Timestamp;

use crate::model::moment::Moment;
use crate::model::order::Stage;
use crate::model::race::{Taken, Winner};
use crate::model::{MasterId, OfferId, OfferState, OrderStatus};

/// An offer, and how it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Which.
    pub id: OfferId,
    /// Whose.
    pub master: MasterId,
    /// Its state.
    pub state: OfferState,
    /// When it was made.
    pub sent: Moment,
    /// When it ended; of one that was accepted, when that was.
    pub responded: Option<Moment>,
    /// Whether its time is over.
    pub overdue: bool,
}

/// A change of the order, as its history has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderChange {
    /// What the order became.
    pub to: OrderStatus,
    /// By whom; `None`: by the system.
    pub by: Option<Winner>,
    /// Whose it became, or was until then.
    pub master: Option<MasterId>,
    /// The offer by which it was taken.
    pub offer: Option<OfferId>,
    /// When.
    pub at: Moment,
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferOutcome {
    /// It can still be answered.
    Live,
    /// It was declined.
    Declined(Option<Moment>),
    /// It was not answered in time.
    Expired(Option<Moment>),
    /// The master got the order.
    Assigned(Assignment),
    /// It was recalled before it was answered.
    Recalled {
        /// When.
        at: Option<Moment>,
        /// Why.
        because: RecallReason,
    },
}

/// Why an offer was recalled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecallReason {
    /// Another master got the order.
    Taken {
        /// Who; `None`: nobody has written it down.
        master: Option<MasterId>,
        /// By whom, and how long after the offer; `None` as the winner: by the system.
        by: Option<Winner>,
        /// How many whole seconds after the offer was made.
        after_seconds: i64,
    },
    /// The order was canceled.
    Canceled,
    /// The order was closed.
    Closed,
    /// The order was searched for anew.
    SearchedAnew,
    /// Nobody has written down why.
    Unknown,
}

impl RecallReason {
    /// As whoever lost it is told elsewhere; `None`, if nobody has got it by what people do.
    #[must_use]
    pub fn taken(&self) -> Option<Taken> {
        match self {
            Self::Taken { by: Some(winner), after_seconds, .. } => {
                Some(Taken { winner: *winner, after_seconds: *after_seconds })
            }
            _ => None,
        }
    }
}

/// That a master has or had the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Whether he took it himself, rather than was given it.
    pub took: bool,
    /// Since when.
    pub since: Option<Moment>,
    /// How it ceased to be his, and when; `None`: it is his, or was when it was closed.
    pub left: Option<(AssignmentEnd, Moment)>,
}

/// How an order ceased to be a master's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AssignmentEnd {
    /// He gave it back.
    Returned,
    /// Staff took it away, to search anew.
    TakenAway,
    /// Staff gave it to another master.
    PassedOn,
    /// It was canceled.
    Canceled,
}

/// Why nobody was asked, of an order without waves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unasked {
    /// Its search has not begun.
    NotYet,
    /// Its search begins later.
    Deferred,
    /// Some were asked by hand, without a wave.
    Directly,
    /// Staff gave it to a master.
    GivenByStaff,
    /// The system gave it to a master.
    Given,
    /// It was canceled.
    Canceled,
    /// It was closed.
    Closed,
}

/// What became of an offer, by the order's changes, the first one first.
#[must_use]
pub fn of_offer(answer: &Answer, changes: &[OrderChange]) -> OfferOutcome {
    match answer.state {
        OfferState::Sent | OfferState::Viewed if answer.overdue => OfferOutcome::Expired(None),
        OfferState::Sent | OfferState::Viewed => OfferOutcome::Live,
        OfferState::Declined => OfferOutcome::Declined(answer.responded),
        OfferState::Expired => OfferOutcome::Expired(answer.responded),
        OfferState::Accepted => OfferOutcome::Assigned(accepted(answer, changes).unwrap_or(Assignment {
            took: true,
            since: answer.responded,
            left: None,
        })),
        OfferState::Canceled => {
            accepted(answer, changes).map_or_else(|| recalled(answer, changes), OfferOutcome::Assigned)
        }
    }
}

/// How the offer's master had the order by it.
fn accepted(answer: &Answer, changes: &[OrderChange]) -> Option<Assignment> {
    let by_it = |change: &OrderChange| change.to == OrderStatus::Assigned && change.offer == Some(answer.id);
    changes.iter().rposition(by_it).map(|at| assignment_from(changes, at))
}

/// How a master had the order last, not after a moment; `None`: he did not.
#[must_use]
pub fn last_assignment(master: MasterId, changes: &[OrderChange], until: Timestamp) -> Option<Assignment> {
    let became_his = |change: &OrderChange| {
        change.to == OrderStatus::Assigned && change.master == Some(master) && change.at.at <= until
    };
    changes.iter().rposition(became_his).map(|at| assignment_from(changes, at))
}

/// From the change by which it became the master's.
fn assignment_from(changes: &[OrderChange], at: usize) -> Assignment {
    let begun = changes[at];
    let left = changes[at + 1..].iter().enumerate().find_map(|(place, change)| {
        // Staff who give it to another take it away first, in the same moment.
        let next = changes.get(at + 1 + place + 1);
        let passed_on = next.is_some_and(|next| next.to == OrderStatus::Assigned && next.at.at == change.at.at);
        let left = match change.to {
            OrderStatus::Canceled => AssignmentEnd::Canceled,
            OrderStatus::Assigned => AssignmentEnd::PassedOn,
            to if to.stage() != Stage::Open => return None,
            _ if change.by == Some(Winner::Master) => AssignmentEnd::Returned,
            _ if passed_on => AssignmentEnd::PassedOn,
            _ => AssignmentEnd::TakenAway,
        };
        Some((left, change.at))
    });
    Assignment { took: begun.by == Some(Winner::Master), since: Some(begun.at), left }
}

/// Why an offer that nobody has answered was recalled: by the change of the order in that moment; else, if somebody has ended
/// it later, by what the order had become since the offer was made.
fn recalled(answer: &Answer, changes: &[OrderChange]) -> OfferOutcome {
    let unknown = OfferOutcome::Recalled { at: answer.responded, because: RecallReason::Unknown };
    let Some(ended) = answer.responded.map(|moment| moment.at) else { return unknown };
    // The clock of a test may stand, and then the search has begun in that moment too.
    let in_it = |change: &OrderChange| change.at.at == ended;
    let with_it = changes.iter().rposition(|change| in_it(change) && change.to.stage() != Stage::Open);
    let with_it = with_it.or_else(|| changes.iter().rposition(in_it));
    let before = || changes.iter().rposition(|change| change.at.at < ended && change.at.at >= answer.sent.at);
    let Some(place) = with_it.or_else(before) else { return unknown };
    let stage = changes[place].to.stage();
    // On the way, or at work: it was taken before that.
    let is_assignment = |change: &OrderChange| change.to == OrderStatus::Assigned;
    let cause = if stage == Stage::Active { changes[..=place].iter().rposition(is_assignment) } else { Some(place) };
    let Some(cause) = cause else { return unknown };
    let change = changes[cause];
    let because = match change.to {
        OrderStatus::Canceled => RecallReason::Canceled,
        OrderStatus::Closed => RecallReason::Closed,
        _ if stage == Stage::Active && change.master == Some(answer.master) => {
            return OfferOutcome::Assigned(assignment_from(changes, cause));
        }
        _ if stage == Stage::Active => RecallReason::Taken {
            master: change.master,
            by: change.by,
            after_seconds: change.at.at.duration_since(answer.sent.at).as_secs().max(0),
        },
        _ if with_it.is_some() => RecallReason::SearchedAnew,
        _ => RecallReason::Unknown,
    };
    OfferOutcome::Recalled {
        at: Some(change.at).filter(|_| because != RecallReason::Unknown).or(answer.responded),
        because,
    }
}

/// Why nobody was asked by a wave. `directly`: somebody was asked without one.
#[must_use]
pub fn unasked(status: OrderStatus, changes: &[OrderChange], directly: bool) -> Unasked {
    let last_given = changes.iter().rev().find(|change| change.to == OrderStatus::Assigned);
    match (status.stage(), status) {
        _ if directly => Unasked::Directly,
        (_, OrderStatus::Deferred) => Unasked::Deferred,
        (Stage::Open, _) => Unasked::NotYet,
        (_, OrderStatus::Canceled) => Unasked::Canceled,
        // Also once the work is done.
        _ if last_given.is_some_and(|change| change.by == Some(Winner::GivenByStaff)) => Unasked::GivenByStaff,
        (Stage::Active, _) => Unasked::Given,
        (Stage::Final, _) if last_given.is_some() => Unasked::Given,
        (Stage::Final, _) => Unasked::Closed,
    }
}
