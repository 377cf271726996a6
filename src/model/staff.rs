//! Dispatchers, admins and viewers; what they saw of an order; and the screens of their bot.

use std::fmt;

use super::{CityId, MasterId, OrderId, StaffId, TelegramUserId};

/// What somebody of the staff may do, as in `staff.role`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything, in all cities.
    Admin,
    /// Work with the orders and masters of the own cities.
    Dispatcher,
    /// Look at those.
    Viewer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Admin, Self::Dispatcher, Self::Viewer];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Dispatcher => "DISPATCHER",
            Self::Viewer => "VIEWER",
        }
    }

    /// The role of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// Whether anything may be changed.
    #[must_use]
    pub fn acts(self) -> bool {
        self != Self::Viewer
    }
}

/// For whom of the staff something is done: by our own id, or by the Telegram user who tapped or wrote, whom the statement that
/// acts looks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StaffRef {
    /// Known.
    Id(StaffId),
    /// To be looked up; may turn out to be nobody of the staff.
    Telegram(TelegramUserId),
}

impl StaffRef {
    /// `staff.id`, if it is known.
    #[must_use]
    pub fn id(self) -> Option<i64> {
        match self {
            Self::Id(staff) => Some(staff.0),
            Self::Telegram(_) => None,
        }
    }

    /// `staff.telegram_user_id`, if that is what is known.
    #[must_use]
    pub fn telegram_user(self) -> Option<i64> {
        match self {
            Self::Id(_) => None,
            Self::Telegram(user) => Some(user.0),
        }
    }
}

/// Somebody of the staff, as of the last look. Shows what may be offered; what is done is judged again by the statement that
/// does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffProfile {
    /// Who.
    pub id: StaffId,
    /// The full name.
    pub full_name: String,
    /// What the person may do.
    pub role: Role,
    /// Where, by ascending id.
    pub cities: Vec<CityId>,
    /// Whether those are all cities, also what is added later.
    pub sees_all: bool,
}

/// What somebody saw of an order: it travels with what is done about it, and if the order has changed since, nothing is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// `orders.version`: grows with status and master.
    pub version: i32,
    /// `orders.revision`: grows with everything else that people see.
    pub revision: i32,
}

impl Version {
    /// A new order's.
    pub const FIRST: Self = Self { version: 1, revision: 1 };

    /// Reads `3.1`; `None` if it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (version, revision) = text.split_once('.')?;
        let number = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
            text.parse().ok().filter(|_| plain)
        };
        Some(Self { version: number(version)?, revision: number(revision)? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.version, self.revision)
    }
}

/// A screen of the dispatchers' bot that can be shown at any time, as it is by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The menu.
    Menu,
    /// The first page of the queue.
    Queue,
    /// An order's card.
    Card(OrderId),
    /// The new order that the person is taking in.
    Draft,
    /// A master's card.
    Master(MasterId),
    /// What the person is asked.
    Question,
}

/// What kind of a [`Place`] it is, as in `outbox.place`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the places of the same names say it")]
pub enum Screen {
    Menu,
    Queue,
    Card,
    Draft,
    Master,
    Question,
}

impl Screen {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Menu, Self::Queue, Self::Card, Self::Draft, Self::Master, Self::Question];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Menu => "MENU",
            Self::Queue => "QUEUE",
            Self::Card => "CARD",
            Self::Draft => "DRAFT",
            Self::Master => "MASTER",
            Self::Question => "QUESTION",
        }
    }

    /// The kind of that word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|screen| screen.as_str() == word)
    }

    /// The place of that kind; the menu if what it is about is missing.
    #[must_use]
    pub fn place(self, order: Option<OrderId>, master: Option<MasterId>) -> Place {
        match self {
            Self::Menu => Place::Menu,
            Self::Queue => Place::Queue,
            Self::Card => order.map_or(Place::Menu, Place::Card),
            Self::Draft => Place::Draft,
            Self::Master => master.map_or(Place::Menu, Place::Master),
            Self::Question => Place::Question,
        }
    }
}

impl Place {
    /// What kind it is.
    #[must_use]
    pub fn screen(self) -> Screen {
        match self {
            Self::Menu => Screen::Menu,
            Self::Queue => Screen::Queue,
            Self::Card(_) => Screen::Card,
            Self::Draft => Screen::Draft,
            Self::Master(_) => Screen::Master,
            Self::Question => Screen::Question,
        }
    }

    /// The order it is about.
    #[must_use]
    pub fn order(self) -> Option<OrderId> {
        if let Self::Card(order) = self { Some(order) } else { None }
    }

    /// The master it is about.
    #[must_use]
    pub fn master(self) -> Option<MasterId> {
        if let Self::Master(master) = self { Some(master) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_written_in_one_way() {
        let version = Version { version: 3, revision: 12 };
        assert_eq!(Version::parse(&version.to_string()), Some(version));
        for text in ["", "3", "3.", ".1", "3.01", "+3.1", "3.1.1", "03.1", "3.-1", "3.99999999999"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
