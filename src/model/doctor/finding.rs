//! A finding, a check with its findings, and what all of them together mean for whoever watches.

use std::time::Duration;

/// The code of the finding that a webhook's secret is missing.
pub const SECRET_MISSING: &str = "secret_missing";

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it is to be.
    Fine,
    /// It works, and somebody should look at it.
    Warning,
    /// It was not found out.
    Unchecked,
    /// Something does not work, or will not.
    Wrong,
}

impl Level {
    /// The word for people and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Warning => "warning",
            Self::Unchecked => "unchecked",
            Self::Wrong => "wrong",
        }
    }
}

/// What was found, and what is to be done about it. Neither holds a token, a secret, a phone or a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// What kind of finding it is: a word that stays the same from release to release.
    pub code: &'static str,
    /// What was found.
    pub what: String,
    /// What is to be done; nothing, if it is as it is to be.
    pub remedy: Option<String>,
}

impl Finding {
    /// As it is to be.
    #[must_use]
    pub fn fine(what: impl Into<String>) -> Self {
        Self { level: Level::Fine, code: "ok", what: what.into(), remedy: None }
    }

    /// Somebody should look at it.
    #[must_use]
    pub fn warning(code: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Warning, code, what: what.into(), remedy: Some(remedy.into()) }
    }

    /// It does not work.
    #[must_use]
    pub fn wrong(code: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { level: Level::Wrong, code, what: what.into(), remedy: Some(remedy.into()) }
    }

    /// It was not found out.
    #[must_use]
    pub fn unchecked(what: impl Into<String>) -> Self {
        Self { level: Level::Unchecked, code: "not_checked", what: what.into(), remedy: None }
    }
}

/// The findings; if there is none, that it is fine.
#[must_use]
pub fn or_fine(findings: Vec<Finding>, fine: impl FnOnce() -> String) -> Vec<Finding> {
    if findings.is_empty() { vec![Finding::fine(fine())] } else { findings }
}

/// What was read, or why it was not.
pub type Read<T> = Result<T, Unread>;

/// Why something was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// This variable is missing or malformed, which is a finding about the settings.
    NotConfigured(&'static str),
    /// Whoever was asked knows us and says no, such as Telegram to a token that is no bot's.
    Refused(String),
    /// It failed, in words that may be shown.
    Failed(String),
    /// No answer came in that time.
    TimedOut(Duration),
    /// It was not asked for, as the database has no schema yet, which is a finding of its own.
    NeverMigrated,
}

impl Unread {
    /// Why, in words.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::NotConfigured(variable) => format!("{variable} is needed for it"),
            Self::Refused(why) | Self::Failed(why) => why.clone(),
            Self::TimedOut(time) => format!("no answer within {} s", time.as_secs()),
            Self::NeverMigrated => "the database has no schema yet".to_owned(),
        }
    }

    /// That it was not found out.
    #[must_use]
    pub fn finding(&self) -> Finding {
        Finding::unchecked(self.why())
    }
}

/// One thing that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, which stays the same from release to release.
    pub name: &'static str,
    /// What was found: at least one finding.
    pub findings: Vec<Finding>,
}

/// Everything that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order in which it is read.
    pub checks: Vec<Check>,
}

/// What it all means for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is wrong.
    Fine,
    /// Something is.
    Wrong,
    /// Nothing is known to be, and something was not found out.
    Unchecked,
}

impl Verdict {
    /// The word for programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "ok",
            Self::Wrong => "wrong",
            Self::Unchecked => "unchecked",
        }
    }

    /// The exit code: 0, 1 or 2.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Fine => 0,
            Self::Wrong => 1,
            Self::Unchecked => 2,
        }
    }
}

impl Report {
    /// How many findings of a level there are.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.checks.iter().flat_map(|check| &check.findings).filter(|finding| finding.level == level).count()
    }

    /// What it all means; `strict`: a warning is something wrong.
    #[must_use]
    pub fn verdict(&self, strict: bool) -> Verdict {
        if self.count(Level::Wrong) > 0 || strict && self.count(Level::Warning) > 0 {
            Verdict::Wrong
        } else if self.count(Level::Unchecked) > 0 {
            Verdict::Unchecked
        } else {
            Verdict::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_counts_more_than_what_is_not_known() {
        let verdict = |findings: &[Finding], strict| {
            let check = Check { name: "one", findings: findings.to_vec() };
            Report { checks: vec![check] }.verdict(strict).exit_code()
        };
        let (fine, unchecked) = (Finding::fine("x"), Finding::unchecked("x"));
        let (warning, wrong) = (Finding::warning("x", "x", "x"), Finding::wrong("x", "x", "x"));
        assert_eq!(verdict(std::slice::from_ref(&fine), true), 0);
        assert_eq!([false, true].map(|strict| verdict(&[fine.clone(), warning.clone()], strict)), [0, 1]);
        assert_eq!([false, true].map(|strict| verdict(&[unchecked.clone(), warning.clone()], strict)), [2, 1]);
        assert_eq!(verdict(&[unchecked, wrong, warning], false), 1);
    }
}
