//! What was changed of a master, and by whom.

use jiff::civil;

use super::StaffId;

/// What it is, as in `master_changes.what`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The master was let in.
    Added,
    /// On shift, or not.
    Shift,
    /// Blocked, or not.
    Blocked,
    /// How many orders at once.
    Limit,
    /// A trade, taken away or added.
    Trade,
    /// A district, taken away or added.
    District,
    /// Whether the bot can write to the master.
    Reachable,
    /// Another city.
    City,
    /// Another Telegram account.
    Account,
    /// Staff have agreed.
    Approved,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Added,
        Self::Shift,
        Self::Blocked,
        Self::Limit,
        Self::Trade,
        Self::District,
        Self::Reachable,
        Self::City,
        Self::Account,
        Self::Approved,
    ];

    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Shift => "SHIFT",
            Self::Blocked => "BLOCKED",
            Self::Limit => "LIMIT",
            Self::Trade => "TRADE",
            Self::District => "DISTRICT",
            Self::Reachable => "REACHABLE",
            Self::City => "CITY",
            Self::Account => "ACCOUNT",
            Self::Approved => "APPROVED",
        }
    }

    /// That of this word; `None` for one that this release does not know.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.as_str() == word)
    }
}

/// Who made it, as in `master_changes.changed_by`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangedBy {
    /// Somebody of the staff, with the name.
    Staff(StaffId, String),
    /// The master.
    Master,
    /// An operator, on the command line.
    Operator,
    /// The system, or somebody who wrote into the database.
    System,
}

impl ChangedBy {
    /// The words in the database.
    pub const WORDS: [&'static str; 4] = ["STAFF", "MASTER", "OPERATOR", "SYSTEM"];
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterChange {
    /// Of what.
    pub what: What,
    /// What it was; a district by its name.
    pub from: Option<String>,
    /// What it is since.
    pub to: Option<String>,
    /// By whom.
    pub by: ChangedBy,
    /// When, by the clock of the master's city.
    pub at: civil::DateTime,
}
