//! Who acts.

use super::{MasterId, StaffId, TelegramUserId};

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
