//! What people are told who are not the ones tapping. It is noted in the outbox when it comes about, and says what is
//! true when it is sent.

use super::auto_assign::Escalation;
use super::facts::{Standing, standing};
use super::order::Stage;
use super::{Client, OfferFacts, OrderCard, OrderId, OrderStatus, OwnOrder};

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

/// What a row of the outbox is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the notifications of the same names say it")]
pub enum Kind {
    Offer,
    OfferEnded,
    Assigned,
    OwnOrder,
    Canceled,
    Returned,
    Escalated,
    Unreachable,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Offer,
        Self::OfferEnded,
        Self::Assigned,
        Self::OwnOrder,
        Self::Canceled,
        Self::Returned,
        Self::Escalated,
        Self::Unreachable,
    ];

    /// The word in `outbox.kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "OFFER",
            Self::OfferEnded => "OFFER_ENDED",
            Self::Assigned => "ASSIGNED",
            Self::OwnOrder => "OWN_ORDER",
            Self::Canceled => "CANCELED",
            Self::Returned => "RETURNED",
            Self::Escalated => "ESCALATED",
            Self::Unreachable => "UNREACHABLE",
        }
    }

    /// The kind of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is known about a row of the outbox at the moment when it is to be told.
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is about.
    pub kind: Kind,
    /// The order, if it is about one.
    pub order: Option<KnownOrder>,
    /// The recipient's offer of the order, if it is about one.
    pub offer: Option<OfferFacts>,
    /// How long that offer lived.
    pub after_seconds: i64,
    /// The master it is about, if not the recipient: name and phone.
    pub subject: Option<(String, Option<String>)>,
    /// Why, in somebody's words.
    pub reason: Option<String>,
}

/// An order, and what it is to the recipient.
#[derive(Clone, Debug)]
pub struct KnownOrder {
    /// What it says.
    pub card: OrderCard,
    /// Its client.
    pub client: Client,
    /// How far it is.
    pub status: OrderStatus,
    /// Whether it is the recipient's.
    pub own: bool,
    /// Why staff are needed, if they are.
    pub escalation: Option<Escalation>,
}

impl Known {
    /// What there is to say now; `None` if it has been overtaken by what happened since.
    #[must_use]
    pub fn notification(self) -> Option<Notification> {
        let Self { kind, order, offer, after_seconds, subject, reason } = self;
        if kind == Kind::Unreachable {
            return subject.map(|(master, phone)| Notification::Unreachable { master, phone });
        }
        let KnownOrder { card, client, status, own, escalation } = order?;
        let standing = standing(status.stage(), own, offer);
        let yours = standing == Standing::Yours;
        match (kind, standing) {
            (Kind::Offer, Standing::Offered(offer)) => Some(Notification::Offer { card, offer }),
            (Kind::Offer | Kind::Unreachable, _) | (Kind::OfferEnded, Standing::Offered(_)) => None,
            (Kind::OfferEnded, standing) => Some(Notification::OfferEnded { order: card.id, standing, after_seconds }),
            (Kind::Assigned, _) => yours.then_some(Notification::Assigned(OwnOrder { card, client })),
            (Kind::OwnOrder, _) => yours.then_some(Notification::OwnOrder(OwnOrder { card, client })),
            (Kind::Canceled, _) => {
                // It may have been given to the same master again.
                let for_good = status == OrderStatus::Canceled;
                (!yours).then_some(Notification::Canceled { order: card.id, for_good, reason })
            }
            (Kind::Returned, _) => {
                Some(Notification::Returned { card, master: subject.map(|(master, _)| master), reason })
            }
            // An order that has found its master meanwhile needs nobody.
            (Kind::Escalated, _) => escalation
                .filter(|_| status.stage() == Stage::Open)
                .map(|reason| Notification::Escalated { card, reason }),
        }
    }
}
