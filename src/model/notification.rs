//! Messages to people other than the one who tapped. They are enqueued when they come about, and say what is true when they
//! are sent.

use jiff::civil::Date;

use super::call::Call;
use super::dialog::{Dialog, Profile};
use super::facts::{Standing, SumOf, standing};
use super::race::Taken;
use super::staff::Place;
use super::staff_order::Detail;
use super::{ActiveList, Amount, Client, OfferFacts, OfferList, OrderCard, OrderId, OrderStatus, OwnOrder};

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
        /// Who got the order instead, if that ended the offer.
        taken: Option<Taken>,
    },
    /// To a master: the list of offers, which could not be shown at once.
    List(OfferList),
    /// To a master: staff or the system has given the order.
    Assigned(OwnOrder),
    /// To a master: the order just taken, which could not be shown at once.
    OwnOrder(OwnOrder),
    /// To a master: the menu, which could not be shown at once, or which shows what staff have done with the master.
    Menu(Profile, Option<StaffDid>),
    /// To a master: the own orders, likewise.
    Active(ActiveList),
    /// To a master: an own order's card, likewise.
    Card {
        /// The order.
        order: OwnOrder,
        /// How far it is.
        status: OrderStatus,
    },
    /// To a master: an order that is closed, likewise.
    Closed {
        /// The order.
        order: OrderId,
        /// What the client paid.
        amount: Option<Amount>,
        /// Whether the amount can still be corrected.
        correctable: bool,
        /// Whether staff have closed it on the master's behalf.
        by_staff: bool,
    },
    /// To a master: that the order is not the master's, likewise.
    NotYours(OrderId),
    /// To a master: an offered order's card, likewise.
    OfferCard {
        /// The order.
        card: OrderCard,
        /// The offer, which is live.
        offer: OfferFacts,
    },
    /// To a master: a question, or the answer that is to be confirmed, likewise.
    Question {
        /// The question.
        dialog: Dialog,
        /// What the sum is of, if one is asked for.
        sum: SumOf,
        /// That sum, if it is closed.
        amount: Option<Amount>,
    },
    /// To a master: what the own order says was changed.
    Changed {
        /// The order.
        order: OwnOrder,
        /// How far it is.
        status: OrderStatus,
        /// Whether staff have opened it again, which was closed.
        reopened: bool,
        /// What staff have changed, as far as that is known.
        edited: Vec<Detail>,
    },
    /// To the master who had it: the order was canceled, or taken away.
    Canceled {
        /// The order.
        order: OrderId,
        /// Whether there is to be no visit at all, rather than another master's.
        for_good: bool,
        /// Why, in a dispatcher's words.
        reason: Option<String>,
    },
    /// To staff: somebody is needed.
    Call(Call),
    /// To staff: a screen that could not be shown at once; it is read when it is sent.
    Staff(Place),
    /// To staff: several calls, in one message.
    Together(Vec<Call>),
    /// To admins: a day's root over the history of all orders.
    HistoryRoot(DayRoot),
}

/// A day's root over the history, see [`history`](super::history).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRoot {
    /// The day, by UTC.
    pub day: Date,
    /// How many changes it covers beside those of the root before.
    pub changes: i64,
    /// The root.
    pub root: Vec<u8>,
}

/// What staff did with a master.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffDid {
    /// Put the master on shift.
    OnShift,
    /// Took the master off shift.
    OffShift,
    /// Lifted a block.
    Unblocked,
    /// Let the master in, who had waited.
    Approved,
}

/// What a row of the outbox is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the notifications of the same names say it")]
pub enum Kind {
    Offer,
    OfferEnded,
    List,
    Assigned,
    OwnOrder,
    Menu,
    Active,
    Card,
    Question,
    Changed,
    Canceled,
    Returned,
    Escalated,
    Unreachable,
    Late,
    Call,
    StaffScreen,
    HistoryRoot,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Offer,
        Self::OfferEnded,
        Self::List,
        Self::Assigned,
        Self::OwnOrder,
        Self::Menu,
        Self::Active,
        Self::Card,
        Self::Question,
        Self::Changed,
        Self::Canceled,
        Self::Returned,
        Self::Escalated,
        Self::Unreachable,
        Self::Late,
        Self::Call,
        Self::StaffScreen,
        Self::HistoryRoot,
    ];

    /// What staff are called for, each by a message of its own or together with others of its kind.
    pub const CALLS: [Self; 4] = [Self::Returned, Self::Escalated, Self::Unreachable, Self::Late];

    /// Screens that an update came to and that could not be shown at once.
    pub const SCREENS: [Self; 6] = [Self::List, Self::OwnOrder, Self::Menu, Self::Active, Self::Card, Self::Question];

    /// The word in `outbox.kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "OFFER",
            Self::OfferEnded => "OFFER_ENDED",
            Self::List => "LIST",
            Self::Assigned => "ASSIGNED",
            Self::OwnOrder => "OWN_ORDER",
            Self::Menu => "MENU",
            Self::Active => "ACTIVE",
            Self::Card => "CARD",
            Self::Question => "QUESTION",
            Self::Changed => "CHANGED",
            Self::Canceled => "CANCELED",
            Self::Returned => "RETURNED",
            Self::Escalated => "ESCALATED",
            Self::Unreachable => "UNREACHABLE",
            Self::Late => "LATE",
            Self::Call => "CALL",
            Self::StaffScreen => "STAFF_SCREEN",
            Self::HistoryRoot => "HISTORY_ROOT",
        }
    }

    /// The kind of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What is known about a row of the outbox at the moment when it is sent.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Clone, Debug)]
pub struct Known {
    /// What it is about.
    pub kind: Kind,
    /// Whether the recipient is still a master, or active staff.
    pub concerned: bool,
    /// Which screen of the dispatchers' bot it is, if it is one.
    pub place: Option<Place>,
    /// What is read besides, if it is about that.
    pub screen: Option<Screen>,
    /// The order, if it is about one.
    pub order: Option<KnownOrder>,
    /// The recipient's offer of the order, if it is about one.
    pub offer: Option<OfferFacts>,
    /// Who got the order instead, if that ended the offer.
    pub taken: Option<Taken>,
    /// What staff are called for; of a message that has called for several, each.
    pub calls: Vec<Call>,
    /// Whether the order was canceled, rather than taken away.
    pub for_good: bool,
    /// Why, in somebody's words.
    pub reason: Option<String>,
    /// Whether staff did what it shows the card for.
    pub by_staff: bool,
    /// Whether staff have opened the order again since.
    pub reopened: bool,
    /// What staff have changed of the order since.
    pub edited: Vec<Detail>,
    /// What staff have done with the recipient, if the menu shows that.
    pub staff_did: Option<StaffDid>,
    /// The day's root, if it is about one.
    pub root: Option<DayRoot>,
}

/// What a screen shows that is about no single order.
#[derive(Clone, Debug)]
pub enum Screen {
    /// The recipient's list of offers.
    Offers(OfferList),
    /// The recipient's own orders.
    Active(ActiveList),
    /// The recipient.
    Menu(Profile),
}

/// An order, and what it is to the recipient.
#[derive(Clone, Debug)]
pub struct KnownOrder {
    /// What it says.
    pub card: OrderCard,
    /// Its client.
    pub client: Client,
    /// What staff want its master to know.
    pub comment: Option<String>,
    /// How far it is.
    pub status: OrderStatus,
    /// Whether it is the recipient's.
    pub own: bool,
    /// What the client paid, if it is closed.
    pub amount: Option<Amount>,
    /// Whether the recipient can still correct that.
    pub correctable: bool,
    /// The recipient's open question about it.
    pub dialog: Option<Dialog>,
}

impl Known {
    /// What there is to say now; `None` if it has been overtaken by what happened since.
    #[must_use]
    pub fn notification(self) -> Option<Notification> {
        let Self { kind, concerned, place, screen, order, offer, taken, mut calls, for_good, reason, .. } = self;
        let Self { by_staff, reopened, edited, staff_did, root, .. } = self;
        if !concerned {
            return None;
        }
        match kind {
            Kind::List | Kind::Active | Kind::Menu => {
                return screen.map(|screen| match screen {
                    Screen::Offers(list) => Notification::List(list),
                    Screen::Active(list) => Notification::Active(list),
                    Screen::Menu(profile) => Notification::Menu(profile, staff_did),
                });
            }
            Kind::StaffScreen => return place.map(Notification::Staff),
            Kind::HistoryRoot => return root.map(Notification::HistoryRoot),
            Kind::Returned | Kind::Escalated | Kind::Unreachable | Kind::Late | Kind::Call => {
                let only = calls.pop()?;
                if calls.is_empty() {
                    return Some(Notification::Call(only));
                }
                calls.push(only);
                return Some(Notification::Together(calls));
            }
            _ => {}
        }
        let KnownOrder { card, client, comment, status, own, amount, correctable, dialog } = order?;
        let standing = standing(status.stage(), own, offer);
        let yours = standing == Standing::Yours;
        match (kind, standing) {
            (Kind::Offer, Standing::Offered(offer)) => Some(Notification::Offer { card, offer }),
            (Kind::Card, Standing::Offered(offer)) => Some(Notification::OfferCard { card, offer }),
            (Kind::Card | Kind::Question, _) => Some(match dialog.filter(|_| kind == Kind::Question) {
                Some(dialog) if dialog.question.makes_sense_of(yours.then_some(status), correctable) => {
                    Notification::Question { dialog, sum: SumOf::of(correctable, card.is_free), amount }
                }
                _ if yours => Notification::Card { order: OwnOrder { card, client, status, comment }, status },
                _ if own && status == OrderStatus::Closed => {
                    Notification::Closed { order: card.id, amount, correctable, by_staff }
                }
                _ => Notification::NotYours(card.id),
            }),
            (Kind::Changed, _) => {
                let order = OwnOrder { card, client, status, comment };
                yours.then_some(Notification::Changed { order, status, reopened, edited })
            }
            (Kind::OfferEnded, standing) => match standing {
                Standing::Offered(_) => None,
                standing => Some(Notification::OfferEnded { order: card.id, standing, taken }),
            },
            (Kind::Assigned, _) => yours.then_some(Notification::Assigned(OwnOrder { card, client, status, comment })),
            (Kind::OwnOrder, _) => yours.then_some(Notification::OwnOrder(OwnOrder { card, client, status, comment })),
            // It may have been given to the same master again.
            (Kind::Canceled, _) => (!yours).then_some(Notification::Canceled { order: card.id, for_good, reason }),
            (
                Kind::Offer
                | Kind::List
                | Kind::Active
                | Kind::Menu
                | Kind::StaffScreen
                | Kind::Returned
                | Kind::Escalated
                | Kind::Unreachable
                | Kind::Late
                | Kind::Call
                | Kind::HistoryRoot,
                _,
            ) => None,
        }
    }
}
