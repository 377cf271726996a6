//! Invariant 6 in the office: what dispatchers were told of an order that they gave, took back or canceled is so.

use std::collections::{BTreeSet, HashMap};

use super::Check;
use super::tapped::{Did, asked};
use super::work::Work;
use crate::bots::render::texts::staff::order as texts;
use crate::dispatch::act::{ActOutcome, Acted, StaffCommand};
use crate::model::order::Stage;
use crate::model::{BotName, MasterId, OrderStatus};
use crate::torture::marks::VIEWER;
use crate::torture::record::{Change, Lives, Ms, Record, SLACK, Tap};

/// What is said, as far as it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Done,
    AlreadyDone,
    Repeated,
    NotFound,
    ReadOnly,
    Busy,
}

fn words(did: Did, outcome: ActOutcome) -> String {
    let command = match did {
        Did::Give(master) => StaffCommand::Assign(MasterId(master)),
        Did::Return => StaffCommand::SearchAgain(String::new()),
        Did::Cancel => StaffCommand::Cancel(String::new()),
    };
    texts::acted(&command, &Acted { outcome, fresh: None, enqueued: false, offers: None })
}

fn read(did: Did, text: &str) -> Option<Says> {
    let is = |outcome| words(did, outcome) == text;
    let done = words(did, ActOutcome::Done);
    // To whom it was given follows, or how many were asked.
    let done = done.split('.').next().unwrap_or_default();
    let known = [
        (Says::AlreadyDone, ActOutcome::AlreadyDone),
        (Says::Repeated, ActOutcome::Repeated),
        (Says::NotFound, ActOutcome::NotFound),
        (Says::ReadOnly, ActOutcome::ReadOnly),
        (Says::Busy, ActOutcome::Busy),
    ];
    let said = known.into_iter().find(|(_, outcome)| is(outcome.clone())).map(|(says, _)| says);
    said.or_else(|| text.starts_with(done).then_some(Says::Done))
}

/// Whether a change is what was asked for.
fn is_it(change: &Change, did: Did, order: i64) -> bool {
    let fits = match did {
        Did::Give(master) => change.to == OrderStatus::Assigned && change.master == Some(master),
        Did::Return => change.to.stage() == Stage::Open,
        Did::Cancel => change.to == OrderStatus::Canceled,
    };
    fits && change.order == order && change.actor == "ADMIN"
}

/// Each answer that is judged: the tap, what it was to do, what was said and when.
fn said(record: &Record) -> impl Iterator<Item = (&Tap, Did, i64, Says, Ms, &str)> {
    let taps = record.taps.iter().filter(|tap| tap.bot == Some(BotName::Admin));
    taps.filter_map(|tap| asked(&tap.data).map(|(did, order)| (tap, did, order))).flat_map(|(tap, did, order)| {
        let answers = tap.answers.iter();
        answers.filter_map(move |(at, text)| Some((tap, did, order, read(did, text)?, *at, text.as_str())))
    })
}

pub(super) fn are_told_what_is_so(record: &Record, lives: &Lives) -> Check {
    let mut check = Check::new(6, "what dispatchers were told of giving, taking back and canceling was so");
    let work = Work::of(record);
    let cities: HashMap<i64, i64> = record.orders.iter().map(|order| (order.id, order.city)).collect();
    let mut changes: HashMap<i64, Vec<&Change>> = HashMap::new();
    for change in &record.changes {
        changes.entry(change.order).or_default().push(change);
    }
    for (tap, did, order, says, at, text) in said(record) {
        let from = tap.looked_from(at);
        let holds = match says {
            Says::Done => changes.get(&order).into_iter().flatten().any(|change| {
                is_it(change, did, order) && change.committed + SLACK >= tap.made && change.committed <= at + SLACK
            }),
            Says::AlreadyDone => lives.between(order, from, at).any(|span| match did {
                Did::Give(master) => span.status.stage() == Stage::Active && span.master == Some(master),
                Did::Return => span.status.stage() == Stage::Open,
                Did::Cancel => span.status == OrderStatus::Canceled,
            }),
            // Whoever lost the answer to a COMMIT looks again, and finds what it did itself.
            Says::Repeated if !tap.came_again(at) && work.was_troubled(from, at) => {
                check.excused += 1;
                continue;
            }
            Says::Repeated => tap.came_again(at),
            Says::NotFound => {
                let own = record.staff.get(&tap.person);
                !cities.get(&order).is_some_and(|city| own.is_some_and(|own| own.contains(city)))
            }
            Says::ReadOnly => tap.person == VIEWER,
            Says::Busy => {
                let master = record.masters.iter().find(|master| did == Did::Give(master.id));
                work.is_near(tap, order, master, from, at)
            }
        };
        check.look((!holds).then(|| {
            format!("order {order}: {} was told «{text}» at {at}, having tapped {} at {from}", tap.person, tap.data)
        }));
    }
    check
}

pub(super) fn are_of_committed_changes(record: &Record) -> Check {
    let mut check =
        Check::new(6, "as many taps of dispatchers were told that they did it as changes are committed, at most");
    let mut told: HashMap<(Did, i64), BTreeSet<usize>> = HashMap::new();
    for (tap, did, order, says, ..) in said(record) {
        if says == Says::Done {
            told.entry((did, order)).or_default().insert(std::ptr::from_ref(tap).addr());
        }
    }
    for ((did, order), taps) in told {
        let committed = record.changes.iter().filter(|change| is_it(change, did, order)).count();
        check.look((taps.len() > committed).then(|| {
            format!(
                "order {order}: {} taps were told that they did {did:?}, {committed} changes are committed",
                taps.len()
            )
        }));
    }
    check
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{a_race, broken, change};
    use super::*;

    const TRUE: &str = "what dispatchers were told of giving, taking back and canceling was so";

    /// A dispatcher of the first city who tapped at 200 s.
    fn tapped(data: &str, text: String) -> Record {
        let mut record = a_race();
        record.staff.insert(9003, BTreeSet::from([1]));
        record.taps.push(Tap {
            bot: Some(BotName::Admin),
            person: 9003,
            data: data.to_owned(),
            made: 200_000,
            attempts: vec![(200_000, 200_300)],
            served: Some(200_300),
            answers: vec![(200_200, text)],
        });
        record
    }

    #[test]
    fn what_was_not_done_is_found() {
        for (data, did, to) in [
            ("adm:q:as:any:7:2", Did::Give(2), OrderStatus::Assigned),
            ("adm:o:ret_yes:late:7", Did::Return, OrderStatus::Searching),
            ("adm:o:cnl_yes:dup:7", Did::Cancel, OrderStatus::Canceled),
        ] {
            assert_eq!(asked(data), Some((did, 7)), "{data}");
            let mut record = tapped(data, words(did, ActOutcome::Done));
            assert_eq!(broken(&record).len(), 2, "{data}: nothing was changed: {:?}", broken(&record));
            record.changes.push(change(2, to, "ADMIN", Some(2), 200_100));
            record.orders[0].status = to;
            assert_eq!(broken(&record), [""; 0], "{data}");
            record.changes[1].committed = 150_000;
            assert_eq!(broken(&record), [TRUE], "{data}: that was before");
        }
    }

    #[test]
    fn other_lies_are_found() {
        for outcome in [
            ActOutcome::AlreadyDone,
            ActOutcome::Repeated,
            ActOutcome::NotFound,
            ActOutcome::ReadOnly,
            ActOutcome::Busy,
        ] {
            let record = tapped("adm:o:cnl_yes:dup:7", words(Did::Cancel, outcome.clone()));
            assert_eq!(broken(&record), [TRUE], "{outcome:?}");
        }
    }

    #[test]
    fn who_lost_the_answer_to_a_commit_may_find_what_it_did_itself() {
        let mut record = tapped("adm:o:cnl_yes:dup:7", words(Did::Cancel, ActOutcome::Repeated));
        assert_eq!(broken(&record), [TRUE]);
        let tap = record.taps.last().expect("a tap");
        record.troubles.push((tap.made, tap.made + 100));
        assert_eq!(broken(&record), [""; 0]);
    }
}
