//! What is known about one order and one master at one moment, and what that makes the order to the master.
//!
//! Read in one statement. Read under the locks of the order and the master, neither the order, nor who has it, nor
//! whether the offer is live can change before the transaction ends, and the master's active orders cannot grow by
//! acceptance.

pub use super::blocked::Blocked;
use super::order::{OrderStatus, OwnOrder, Stage};
use super::race::LostRace;
use super::{Amount, Deadline, MasterId, OfferId, OfferState};

/// A master, and an order seen by that master.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The master.
    pub master: MasterFacts,
    /// The order; `None` if there is none of that id.
    pub order: Option<OrderFacts>,
    /// The master's offer of that order: the live or accepted one, else the last one.
    pub offer: Option<OfferFacts>,
    /// If the order is another master's: how that one came before this one, if there was a race.
    pub lost: Option<LostRace>,
    /// The word of the outcome that this very update had before, if it is a redelivery.
    pub processed: Option<String>,
}

/// The master's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterFacts {
    /// Which master.
    pub id: MasterId,
    /// Whether the master is blocked, and why if somebody wrote it down.
    pub blocked: Option<Blocked>,
    /// How many active orders the master has.
    pub active_orders: i64,
    /// How many the master may have.
    pub max_active_orders: i64,
    /// Whether a question is open, or the master is noted as unreachable: what an acceptance sees to only if there is any.
    pub has_loose_ends: bool,
}

/// The order's side.
#[derive(Clone, Debug)]
pub struct OrderFacts {
    /// Its status.
    pub status: OrderStatus,
    /// Its version, which an update must still find.
    pub version: i32,
    /// Whose it is or was.
    pub assigned_master: Option<MasterId>,
    /// What it says. The client is for the assigned master only.
    pub order: OwnOrder,
    /// What the client paid, if it is closed.
    pub amount: Option<Amount>,
    /// Whether it was closed so lately that the amount can still be corrected.
    pub closed_lately: bool,
    /// Whether its master has reported a step a moment ago, so that a second tap is not one of its own.
    pub stepped_just_now: bool,
}

/// The offer's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OfferFacts {
    /// Which offer.
    pub id: OfferId,
    /// Its state.
    pub state: OfferState,
    /// Its deadline.
    pub expires: Deadline,
    /// Whether that has passed, by the database's clock.
    pub overdue: bool,
}

/// What an order is to a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Never offered to this master and not this master's.
    Unknown,
    /// This master's, and not finished.
    Yours,
    /// Canceled or closed, or still open but no longer offered to this master.
    Withdrawn,
    /// Another master's.
    Taken,
    /// Declined by this master, and open.
    Declined,
    /// Offered, but the deadline has passed.
    Expired,
    /// Open, and offered to this master now.
    Offered(OfferFacts),
}

/// What a sum is of that a master is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SumOf {
    /// Work that the client pays for.
    Visit,
    /// A visit that is free.
    FreeVisit,
    /// An order that is closed: its sum was another.
    Correction,
}

impl SumOf {
    /// Of an order whose sum can be corrected, or not.
    #[must_use]
    pub fn of(correctable: bool, is_free: bool) -> Self {
        match (correctable, is_free) {
            (true, _) => Self::Correction,
            (false, true) => Self::FreeVisit,
            (false, false) => Self::Visit,
        }
    }
}

impl Facts {
    /// Whether the master may still correct what the client paid: the order is closed, was the master's, and not long ago.
    #[must_use]
    pub fn can_correct_amount(&self) -> bool {
        self.order.as_ref().is_some_and(|order| {
            order.status == OrderStatus::Closed && order.closed_lately && order.assigned_master == Some(self.master.id)
        })
    }

    /// What a sum would be of that the master says of the order.
    #[must_use]
    pub fn sum(&self) -> SumOf {
        SumOf::of(self.can_correct_amount(), self.order.as_ref().is_some_and(|order| order.order.card.is_free))
    }

    /// What the order is to the master.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let Some(order) = &self.order else { return Standing::Unknown };
        let own = order.assigned_master == Some(self.master.id);
        standing(order.status.stage(), own, self.offer)
    }
}

/// What an order at this stage is to a master. `own`: it is assigned to the master; `offer`: the master's, see
/// [`Facts::offer`].
#[must_use]
pub fn standing(stage: Stage, own: bool, offer: Option<OfferFacts>) -> Standing {
    if offer.is_none() && !own {
        return Standing::Unknown;
    }
    match (stage, offer) {
        (Stage::Active, _) if own => Standing::Yours,
        (Stage::Active, _) => Standing::Taken,
        (Stage::Final, _) | (Stage::Open, None) => Standing::Withdrawn,
        (Stage::Open, Some(offer)) => match offer.state {
            OfferState::Sent | OfferState::Viewed if offer.overdue => Standing::Expired,
            OfferState::Sent | OfferState::Viewed => Standing::Offered(offer),
            OfferState::Declined => Standing::Declined,
            OfferState::Expired => Standing::Expired,
            // ACCEPTED on an open order: the order was taken back from this master and not offered again.
            OfferState::Canceled | OfferState::Accepted => Standing::Withdrawn,
        },
    }
}
