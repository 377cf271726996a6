//! Who acts.

use super::{MasterId, StaffId, TelegramUserId};

/// The master for whom something is done: by our own id, or by the Telegram user who tapped or wrote, whom the first
/// statement looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MasterRef {
    /// Known.
    Id(MasterId),
    /// To be looked up; may turn out to be no master.
    Telegram(TelegramUserId),
}

impl MasterRef {
    /// `masters.id`, if it is known.
    #[must_use]
    pub fn id(self) -> Option<i64> {
        match self {
            Self::Id(master) => Some(master.0),
            Self::Telegram(_) => None,
        }
    }

    /// `masters.telegram_user_id`, if that is what is known.
    #[must_use]
    pub fn telegram_user(self) -> Option<i64> {
        match self {
            Self::Id(_) => None,
            Self::Telegram(user) => Some(user.0),
        }
    }
}

/// The person who changed an order, as in `order_status_history.actor_type`. What changes by itself, does so in SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A dispatcher or admin.
    Admin(StaffId),
    /// The master.
    Master(MasterId),
}

impl Actor {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin(_) => "ADMIN",
            Self::Master(_) => "MASTER",
        }
    }

    /// The master, if it is one.
    #[must_use]
    pub fn master(self) -> Option<MasterId> {
        match self {
            Self::Master(master) => Some(master),
            Self::Admin(_) => None,
        }
    }

    /// The dispatcher or admin, if it is one.
    #[must_use]
    pub fn staff(self) -> Option<StaffId> {
        match self {
            Self::Admin(staff) => Some(staff),
            Self::Master(_) => None,
        }
    }
}
