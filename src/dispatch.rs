//! The business: ids, states, and one module for each thing that people do.
//!
//! Knows no Telegram type and no SQL. What the business can answer is in outcome enums; what broke is in
//! [`db::Error`](crate::db::Error).

pub mod accept;
pub mod assign;
pub mod auto_assign;
pub mod cancel;
pub mod close;
pub mod decline;
pub mod dialog;
pub mod facts;
pub mod give_back;
mod locked;
pub mod notification;
pub mod offer;
pub mod order;
pub mod progress;
pub mod rounds;
pub mod shift;
pub mod sweep;
pub mod view;

use std::fmt;

pub use facts::OfferFacts;
pub use locked::Answered;
pub use offer::{OfferLine, OfferList, OfferState, PAGE_SIZE};
pub use order::{ActiveList, Amount, Category, Client, OrderCard, OrderStatus, OwnOrder, TimeSlot};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// `orders.id`.
    OrderId
);
id!(
    /// `masters.id`.
    MasterId
);
id!(
    /// `staff.id`.
    StaffId
);
id!(
    /// `offers.id`.
    OfferId
);
id!(
    /// A Telegram user, whom every update is authorised by; not yet known to be a master or staff.
    TelegramUserId
);

/// Who tapped, and which tap it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Who.
    pub user: TelegramUserId,
    /// Telegram's id of the tap, the same when it is delivered again. Remembered where the tap changes something, so
    /// that a redelivery cannot answer a later offer of the same order.
    pub query: Option<String>,
    /// The message that was tapped, if it is in the user's own chat: it shows the answer, and so no offer's card any
    /// more.
    pub message: Option<i32>,
}

/// Who changed an order, as in `order_status_history.actor_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// The system's own rules.
    System,
    /// A dispatcher or admin.
    Admin(StaffId),
    /// The master.
    Master(MasterId),
    /// The system, choosing a master.
    AutoDistribution,
}

impl Actor {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "SYSTEM",
            Self::Admin(_) => "ADMIN",
            Self::Master(_) => "MASTER",
            Self::AutoDistribution => "AUTO_DISTRIBUTION",
        }
    }

    /// The master, if it is one.
    #[must_use]
    pub fn master(self) -> Option<MasterId> {
        match self {
            Self::Master(master) => Some(master),
            Self::System | Self::Admin(_) | Self::AutoDistribution => None,
        }
    }

    /// The dispatcher or admin, if it is one.
    #[must_use]
    pub fn staff(self) -> Option<StaffId> {
        match self {
            Self::Admin(staff) => Some(staff),
            Self::System | Self::Master(_) | Self::AutoDistribution => None,
        }
    }
}
