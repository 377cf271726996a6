//! The clocks of this machine, of the database and of Telegram, against each other.

use std::time::Duration;

use super::finding::{Finding, Read, or_fine};
use super::rough;

/// From so many seconds on a difference is looked at: more than that is no clock that is kept by NTP.
const LOOKED_AT: i64 = 5;
/// From so many seconds on something fails: Telegram's signature of who opened a page may be a minute ahead.
const TOO_MUCH: i64 = 60;

/// A clock, read from this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// By how many milliseconds it is ahead of this machine's; negative: behind.
    pub ahead: i64,
    /// By how many milliseconds that may be wrong: half of how long the answer took, and how finely it is told.
    pub uncertain: i64,
}

impl Reading {
    /// A clock that showed `there`, asked when this machine's showed `before`, in milliseconds, and which answered after `took`.
    #[must_use]
    pub fn taken(there: i64, before: i64, took: Duration) -> Self {
        let half = i64::try_from(took.as_millis() / 2).unwrap_or(i64::MAX / 4);
        Self { ahead: there - before.saturating_add(half), uncertain: half + 1 }
    }

    /// The same of a clock that shows whole seconds.
    #[must_use]
    pub fn rounded(self) -> Self {
        Self { ahead: self.ahead + 500, uncertain: self.uncertain + 500 }
    }

    /// What that clock shows when this machine's shows `now`, in seconds.
    #[must_use]
    pub fn of(&self, now: i64) -> i64 {
        now + self.ahead / 1000
    }
}

/// This machine's own.
const HOST: Reading = Reading { ahead: 0, uncertain: 0 };

/// Judges the clocks.
#[must_use]
pub fn judge(database: &Read<Reading>, telegram: &Read<Reading>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (whose, read) in [("the database's", database), ("Telegram's", telegram)] {
        if let Err(unread) = read {
            findings.push(Finding::unchecked(format!("{whose} clock was not read: {}", unread.why())));
        }
    }
    let mut compared = Vec::new();
    if let Ok(database) = database {
        compared.push(("the database", *database, "this machine", HOST, "certificates and log lines are judged by it"));
    }
    match (database, telegram) {
        (Ok(database), Ok(telegram)) => compared.push((
            "the database",
            *database,
            "Telegram",
            *telegram,
            "what people write is dated by Telegram and compared with the database's time",
        )),
        (Err(_), Ok(telegram)) => {
            compared.push(("this machine", HOST, "Telegram", *telegram, "certificates are judged by it"));
        }
        (_, Err(_)) => {}
    }
    findings.extend(compared.into_iter().filter_map(|(one, of_one, other, of_other, why)| {
        let seconds = apart(of_one, of_other);
        let far = seconds.abs();
        let what = || {
            let where_to = if seconds > 0 { "ahead of" } else { "behind" };
            format!("the clock of {one} is {} {where_to} that of {other}; {why}", rough(far))
        };
        let remedy = "let NTP set the clocks: `timedatectl` shows whether it does";
        match far {
            TOO_MUCH.. => Some(Finding::wrong("clocks_apart", what(), remedy)),
            LOOKED_AT.. => Some(Finding::warning("clocks_differ", what(), remedy)),
            _ => None,
        }
    }));
    or_fine(findings, || format!("this machine, the database and Telegram are less than {LOOKED_AT} s apart"))
}

/// By how many seconds one is ahead of the other at least; 0 within what is uncertain.
fn apart(one: Reading, other: Reading) -> i64 {
    let (difference, uncertain) = (one.ahead - other.ahead, one.uncertain + other.uncertain);
    difference.signum() * ((difference.abs() - uncertain).max(0) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::doctor::finding::Unread;

    #[test]
    fn clocks_are_compared_within_what_is_uncertain() {
        let codes = |database: i64, telegram: i64| -> Vec<&'static str> {
            let reading = |ahead| Ok(Reading { ahead, uncertain: 500 });
            judge(&reading(database), &reading(telegram)).iter().map(|finding| finding.code).collect()
        };
        assert_eq!(codes(5_499, 0), ["ok"]);
        assert_eq!(codes(5_500, 500), ["clocks_differ"]);
        assert_eq!(codes(-60_500, -60_500), ["clocks_apart"], "this machine is wrong, and those two agree");
        assert_eq!(codes(0, 61_000), ["clocks_apart"]);
        assert_eq!(codes(-6_500, 61_000), ["clocks_differ", "clocks_apart"]);
    }

    #[test]
    fn without_a_database_this_machine_is_compared_with_telegram() {
        let unread = Err(Unread::Failed("refused".to_owned()));
        let findings = judge(&unread, &Ok(Reading { ahead: 90_000, uncertain: 0 }));
        assert_eq!(findings[0].code, "not_checked");
        assert_eq!(findings[1].code, "clocks_apart");
        assert!(
            findings[1].what.starts_with("the clock of this machine is 90 s behind that of Telegram"),
            "{findings:?}"
        );
        assert_eq!(judge(&unread, &unread).len(), 2);
    }
}
