//! What people are told who are not the ones tapping. It is noted in the outbox when it comes about, and says what is
//! true when it is sent.

use super::auto_assign::Escalation;
use super::facts::Standing;
use super::{OfferFacts, OrderCard, OrderId, OwnOrder};

/// A message to a master or to staff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notification {
    /// To a master: a new offer.
    Offer {
        /// The order.
        card: OrderCard,
        /// The offer, which is live.
        offer: OfferFacts,
    },
    /// To a master, on the card of an offer: what has become of it.
    OfferEnded {
        /// The order.
        order: OrderId,
        /// What it is to the master now.
        standing: Standing,
        /// How long the offer lived.
        after_seconds: i64,
    },
    /// To a master: staff or the system has given the order.
    Assigned(OwnOrder),
    /// To a master: the order just taken, which could not be shown at once.
    OwnOrder(OwnOrder),
    /// To the master who had it: the order was canceled, or taken away.
    Canceled {
        /// The order.
        order: OrderId,
        /// Whether there is to be no visit at all, rather than another master's.
        for_good: bool,
        /// Why, in a dispatcher's words.
        reason: Option<String>,
    },
    /// To staff: a master has given the order back.
    Returned {
        /// The order.
        card: OrderCard,
        /// Who.
        master: Option<String>,
        /// Why, in the master's words.
        reason: Option<String>,
    },
    /// To staff: the order does not find its master by itself.
    Escalated {
        /// The order.
        card: OrderCard,
        /// Why.
        reason: Escalation,
    },
    /// To staff: the bot cannot write to a master.
    Unreachable {
        /// The master's name.
        master: String,
        /// The master's phone.
        phone: Option<String>,
    },
}
