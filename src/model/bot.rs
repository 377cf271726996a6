//! The two bots.

/// Which of the two bots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BotName {
    /// The technicians' bot.
    Master,
    /// The dispatchers' bot.
    Admin,
}

impl BotName {
    /// The word in the database.
    #[must_use]
    pub fn as_word(self) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Admin => "ADMIN",
        }
    }

    /// `master` or `admin`, as in paths and log lines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Admin => "admin",
        }
    }
}
