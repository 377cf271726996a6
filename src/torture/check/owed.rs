//! Invariants 7 and 9: what is owed to people was delivered.

use std::collections::{HashMap, HashSet};

use super::Check;
use crate::model::BotName;
use crate::model::notification::Kind;
use crate::torture::record::{Message, Ms, Record, SLACK, Tap};

/// How far apart the clocks may be by which calls and deliveries are timed.
const CLOCK: Ms = 50;

pub(super) fn nothing_is_undelivered(record: &Record) -> Check {
    let mut check = Check::new(7, "nothing that is owed is undelivered, and nothing was given up");
    check.look(record.settled.is_none().then(|| "the outbox was never empty after the last fault".to_owned()));
    let settled = record.settled.unwrap_or(Ms::MAX);
    for message in record.outbox.iter().filter(|message| message.created < settled) {
        let what = match message.dropped.as_deref() {
            _ if message.finished.is_none() => "is not finished",
            None | Some("OVERTAKEN") => "",
            Some("UNREACHABLE") if record.blocked_bot.contains(&message.person) => "",
            Some("UNREACHABLE") => "was dropped as the person is unreachable, who never blocked a bot",
            Some(_) => "was given up",
        };
        let row = || {
            format!(
                "outbox {} ({} to {}, order {:?}, {:?}) {what}",
                message.id, message.kind, message.person, message.order, message.dropped
            )
        };
        check.look((!what.is_empty()).then(row));
    }
    check
}

/// When an order was shown to somebody, by person and order.
type Seen = HashMap<(i64, i64), Vec<Ms>>;

fn seen(shown: impl Iterator<Item = (i64, i64, Ms)>) -> Seen {
    let mut seen = Seen::new();
    for (person, order, at) in shown {
        seen.entry((person, order)).or_default().push(at);
    }
    seen
}

/// A kind of message, by what it shows, from when it was written until it was noted as sent.
fn were_shown(record: &Record, mut check: Check, kind: &str, seen: &Seen) -> Check {
    let settled = record.settled.unwrap_or(Ms::MAX);
    let sent = record
        .outbox
        .iter()
        .filter(|message| message.kind == kind && message.dropped.is_none() && message.created < settled);
    for message in sent {
        let (Some(order), Some(finished)) = (message.order, message.finished) else { continue };
        let times = seen.get(&(message.person, order)).map(Vec::as_slice).unwrap_or_default();
        let was_shown = times.iter().any(|at| (message.created - SLACK..=finished + SLACK).contains(at));
        check.look((!was_shown).then(|| {
            format!(
                "outbox {} ({kind} of order {order}) is finished, and {} was never shown it",
                message.id, message.person
            )
        }));
    }
    check
}

pub(super) fn offers_were_shown(record: &Record) -> Check {
    let shown = &record.told.shown;
    // Whatever becomes of it while it is being sent, it is about the order.
    let shown = shown
        .iter()
        .flat_map(|shown| shown.orders.iter().chain(&shown.free).map(|order| (shown.person, *order, shown.at)));
    let check = Check::new(7, "every offer that is noted as sent was shown to its master");
    were_shown(record, check, "OFFER", &seen(shown))
}

pub(super) fn given_orders_were_shown(record: &Record) -> Check {
    let shown = &record.told.shown;
    let shown = shown.iter().flat_map(|shown| shown.orders.iter().map(|order| (shown.person, *order, shown.at)));
    let check = Check::new(7, "every order that staff gave was shown to its master");
    were_shown(record, check, "ASSIGNED", &seen(shown))
}

/// Screens that are left to the outbox when they cannot be shown at once.
const SCREENS: [Kind; 7] = {
    let [list, own, menu, active, card, question] = Kind::SCREENS;
    [list, own, menu, active, card, question, Kind::StaffScreen]
};

/// Whether something was said or shown in answer to this very tap: words over the chat, a screen while it was being delivered, or
/// one that the outbox owed because of it. That the spinner stopped says nothing.
fn is_answered(tap: &Tap, screens: &[Ms], owed: &[&Message]) -> bool {
    let within = |at: Ms, from: Ms, until: Ms| from <= at && at <= until;
    let last = tap.until_served().map(|(_, until)| *until).max().unwrap_or(tap.made);
    let said = tap.answers.iter().any(|(at, text)| !text.is_empty() && *at <= last + SLACK);
    let shown =
        || tap.until_served().any(|(from, until)| screens.iter().any(|at| within(*at, *from - CLOCK, *until + SLACK)));
    let owed = || {
        let of_tap = owed.iter().filter(|row| row.created <= last + SLACK);
        of_tap.filter_map(|row| Some((row, row.finished.filter(|finished| *finished >= tap.made)?))).any(
            |(row, finished)| {
                // Whoever is shown a newer screen is not shown the older one; when that comes is owed to a later tap.
                let until = if row.dropped.is_none() { finished + SLACK } else { Ms::MAX };
                screens.iter().any(|at| within(*at, row.created - SLACK, until))
            },
        )
    };
    said || shown() || owed()
}

pub(super) fn taps_were_answered(record: &Record) -> Check {
    let mut check = Check::new(9, "every tap and every message was answered, at once or later");
    let mut owed: HashMap<i64, Vec<&Message>> = HashMap::new();
    let screens = record.outbox.iter().filter(|message| SCREENS.iter().any(|kind| kind.as_str() == message.kind));
    for message in screens {
        owed.entry(message.person).or_default().push(message);
    }
    // A stranger is answered, and owed nothing.
    let masters = record.masters.iter().map(|master| master.person);
    let known: HashSet<i64> = masters.chain(record.staff.keys().copied()).collect();
    for tap in record.taps.iter().filter(|tap| known.contains(&tap.person)) {
        let bot = tap.bot.unwrap_or(BotName::Master);
        let screens = record.told.screens.get(&(bot, tap.person)).map(Vec::as_slice).unwrap_or_default();
        let owed = owed.get(&tap.person).map(Vec::as_slice).unwrap_or_default();
        if tap.served.is_some() && record.blocked_bot.contains(&tap.person) {
            // Telegram took nothing for them at some time.
            check.excused += 1;
            continue;
        }
        let answered = is_answered(tap, screens, owed);
        let what = match tap.served {
            None => "was never served",
            Some(_) if !answered => "was served, and nothing was ever said",
            Some(_) => "",
        };
        check.look(
            (!what.is_empty()).then(|| {
                format!("«{}» of {} in the {} bot at {} {what}", tap.data, tap.person, bot.as_str(), tap.made)
            }),
        );
    }
    check
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::{a_race, broken};
    use crate::model::BotName;
    use crate::torture::record::{Message, Shown};

    pub(in super::super) fn offer() -> Message {
        Message {
            id: 1,
            person: 101,
            kind: "OFFER".to_owned(),
            order: Some(7),
            created: 10_000,
            finished: Some(11_000),
            dropped: None,
            edits: false,
        }
    }

    #[test]
    fn what_is_still_owed_or_given_up_is_found() {
        const NAME: &str = "nothing that is owed is undelivered, and nothing was given up";
        for (finished, dropped) in
            [(None, None), (Some(11_000), Some("ABANDONED")), (Some(11_000), Some("UNREACHABLE"))]
        {
            let mut record = a_race();
            record.outbox.push(Message { finished, dropped: dropped.map(ToOwned::to_owned), ..offer() });
            assert_eq!(broken(&record), [NAME], "{dropped:?}");
            record.blocked_bot.insert(101);
            assert_eq!(broken(&record).is_empty(), dropped == Some("UNREACHABLE"));
        }
        let mut record = a_race();
        record.settled = None;
        assert_eq!(broken(&record), [NAME]);
    }

    #[test]
    fn an_offer_that_nobody_saw_is_found() {
        let mut record = a_race();
        record.outbox.push(offer());
        assert_eq!(broken(&record), ["every offer that is noted as sent was shown to its master"]);
        let shown = Shown { at: 10_500, bot: Some(BotName::Master), person: 101, free: vec![7], ..Shown::default() };
        record.told.shown.push(shown);
        assert_eq!(broken(&record), [""; 0]);
        record.told.shown[0].at = 5_000;
        assert_eq!(
            broken(&record),
            ["every offer that is noted as sent was shown to its master"],
            "before it was written"
        );
        record.told.shown[0].at = 15_000;
        assert_eq!(
            broken(&record),
            ["every offer that is noted as sent was shown to its master"],
            "after it was noted"
        );
        record.outbox[0].kind = "ASSIGNED".to_owned();
        assert_eq!(broken(&record), ["every order that staff gave was shown to its master"]);
    }

    #[test]
    fn a_tap_without_an_answer_is_found_unless_a_screen_came() {
        const NAME: &str = "every tap and every message was answered, at once or later";
        let mut record = a_race();
        record.taps[1].answers.clear();
        record.taps[1].data = "m:menu".to_owned();
        assert_eq!(broken(&record), [NAME]);
        record.told.screens.insert((BotName::Master, 102), vec![100_000]);
        assert_eq!(broken(&record), [NAME], "that was before");
        record.told.screens.insert((BotName::Master, 102), vec![100_000, 150_000]);
        assert_eq!(broken(&record), [NAME], "that was long after");
        record.taps[1].answers.push((110_100, String::new()));
        assert_eq!(broken(&record), [NAME], "the spinner stopped, and that was all");
        record.told.screens.insert((BotName::Master, 102), vec![110_150]);
        assert_eq!(broken(&record), [""; 0]);
        record.told.screens.insert((BotName::Master, 102), vec![140_000]);
        let list = Message {
            person: 102,
            kind: "LIST".to_owned(),
            created: 110_100,
            finished: Some(140_100),
            order: None,
            ..offer()
        };
        record.outbox.push(list);
        assert_eq!(broken(&record), [""; 0], "the outbox owed it");
        record.outbox[0].created = 120_000;
        assert_eq!(broken(&record), [NAME], "but not for this tap");
        record.outbox[0].created = 110_100;
        record.taps[1].served = None;
        assert_eq!(broken(&record), [NAME]);
    }
}
