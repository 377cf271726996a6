//! What waits to be delivered.

use super::finding::{Finding, or_fine};
use super::rough;

/// For how many seconds a message may wait before somebody should look, and before something is wrong.
const LATE: i64 = 60;
const TOO_LATE: i64 = 10 * 60;

/// What waits, and what nobody has heard of.
#[derive(Clone, Copy, Debug)]
pub struct Backlog {
    /// For how many seconds the oldest message waits.
    pub oldest: i64,
    /// How many orders need a dispatcher of whom none has been reached.
    pub uncalled: i64,
    /// How many people in a row Telegram has refused to write to, as if that were the bot's fault.
    pub refused: i64,
}

/// Judges what waits.
#[must_use]
pub fn judge(Backlog { oldest, uncalled, refused }: &Backlog) -> Vec<Finding> {
    let mut findings = Vec::new();
    let what = format!("a message waits for {}", rough(*oldest));
    let remedy = "see that `serve` or `tick` runs and reaches Telegram; its log says why a delivery fails";
    match *oldest {
        TOO_LATE.. => findings.push(Finding::wrong("messages_late", what, remedy)),
        LATE.. => findings.push(Finding::warning("messages_late", what, remedy)),
        _ => {}
    }
    if *uncalled > 0 {
        findings.push(Finding::wrong(
            "calls_unanswered",
            format!("orders that need a dispatcher, of whom none was reached: {uncalled}"),
            "let somebody of the staff open the dispatchers' bot",
        ));
    }
    if *refused > 0 {
        findings.push(Finding::wrong(
            "people_refused",
            format!("Telegram has refused one person after another, {refused} so far: the token or TELEGRAM_API_URL is another bot's"),
            "let both be those of the bot that these people have opened",
        ));
    }
    or_fine(findings, || "nothing waits for long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::doctor::finding::Level;

    #[test]
    fn a_message_that_waits_becomes_a_warning_and_then_a_fault() {
        let level = |oldest| judge(&Backlog { oldest, uncalled: 0, refused: 0 })[0].level;
        assert_eq!(
            [level(59), level(60), level(599), level(600)],
            [Level::Fine, Level::Warning, Level::Warning, Level::Wrong]
        );
        let both = judge(&Backlog { oldest: 0, uncalled: 2, refused: 5 });
        assert_eq!(both.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["calls_unanswered", "people_refused"]);
    }
}
