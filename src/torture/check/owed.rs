//! Invariants 7 and 9: what is owed to people was delivered.

use std::collections::HashSet;

use super::Check;
use crate::model::BotName;
use crate::torture::record::{Ms, Record, SLACK};

pub(super) fn nothing_is_undelivered(record: &Record) -> Check {
    let mut check = Check::new(7, "nothing that is owed is undelivered, and nothing was given up");
    check.look(record.settled.is_none().then(|| "the outbox was never empty after the last fault".to_owned()));
    let settled = record.settled.unwrap_or(Ms::MAX);
    for message in record.outbox.iter().filter(|message| message.created < settled) {
        let what = match message.dropped.as_deref() {
            _ if !message.finished => "is not finished",
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

/// A kind of message, by what it shows.
fn were_shown(record: &Record, mut check: Check, kind: &str, shown: &HashSet<(i64, i64)>) -> Check {
    let settled = record.settled.unwrap_or(Ms::MAX);
    let sent = record.outbox.iter().filter(|message| {
        message.kind == kind && message.finished && message.dropped.is_none() && message.created < settled
    });
    for message in sent {
        let Some(order) = message.order else { continue };
        check.look((!shown.contains(&(message.person, order))).then(|| {
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
    let shown =
        shown.iter().flat_map(|shown| shown.orders.iter().chain(&shown.free).map(|order| (shown.person, *order)));
    let check = Check::new(7, "every offer that is noted as sent was shown to its master");
    were_shown(record, check, "OFFER", &shown.collect())
}

pub(super) fn given_orders_were_shown(record: &Record) -> Check {
    let shown = &record.told.shown;
    let shown = shown.iter().flat_map(|shown| shown.orders.iter().map(|order| (shown.person, *order)));
    let check = Check::new(7, "every order that staff gave was shown to its master");
    were_shown(record, check, "ASSIGNED", &shown.collect())
}

pub(super) fn taps_were_answered(record: &Record) -> Check {
    let mut check = Check::new(9, "every tap and every message was answered, at once or later");
    let none = Vec::new();
    // A stranger is answered, and owed nothing.
    let masters = record.masters.iter().map(|master| master.person);
    let known: HashSet<i64> = masters.chain(record.staff.keys().copied()).collect();
    for tap in record.taps.iter().filter(|tap| known.contains(&tap.person)) {
        let bot = tap.bot.unwrap_or(BotName::Master);
        let screens = record.told.screens.get(&(bot, tap.person)).unwrap_or(&none);
        let since = screens.partition_point(|at| *at + SLACK < tap.made);
        let answered = !tap.answers.is_empty() || since < screens.len() || record.blocked_bot.contains(&tap.person);
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
            attempts: 1,
            finished: true,
            dropped: None,
        }
    }

    #[test]
    fn what_is_still_owed_or_given_up_is_found() {
        const NAME: &str = "nothing that is owed is undelivered, and nothing was given up";
        for (finished, dropped) in [(false, None), (true, Some("ABANDONED")), (true, Some("UNREACHABLE"))] {
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
        record.outbox[0].kind = "ASSIGNED".to_owned();
        assert_eq!(broken(&record), ["every order that staff gave was shown to its master"]);
    }

    #[test]
    fn a_tap_without_an_answer_is_found_unless_a_screen_came() {
        const NAME: &str = "every tap and every message was answered, at once or later";
        let mut record = a_race();
        record.taps[1].answers.clear();
        assert_eq!(broken(&record), [NAME]);
        record.told.screens.insert((BotName::Master, 102), vec![100_000]);
        assert_eq!(broken(&record), [NAME], "that was before");
        record.told.screens.insert((BotName::Master, 102), vec![100_000, 150_000]);
        assert_eq!(broken(&record), [""; 0]);
        record.taps[1].served = None;
        assert_eq!(broken(&record), [NAME]);
    }
}
