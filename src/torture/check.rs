//! The invariants, each as its own named check over a record: none of them asks the system.
//!
//! They are numbered:
//! 1. An order has at most one accepted offer, which is its master's, and one person is told that he won.
//! 2. Nobody gets above the limit by accepting or by the system.
//! 3. The history of an order is a chain, and its version grows by one for each change.
//! 4. No live offer is on an assigned or final order.
//! 5. Every assignment has its metrics row.
//! 6. What was answered is what was committed, however often an update comes.
//! 7. A message that must go out is sent at least once.
//! 8. What is shown is what is so after the commit.
//! 9. Every tap and every message is answered.
//! 10. No failure of one order, master, city or job stops another's.
//! 11. Nobody sees or changes what is not his.

mod answers;
mod limits;
mod owed;
mod rest;
mod rights;
mod screens;
mod staff;
mod tapped;
mod work;

use serde::Serialize;

use super::record::{Lives, Record};

/// How many violations are shown of each check.
const SHOWN: usize = 8;

/// One check, and what it found.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The invariant's number in the list above; 0: what is none of them.
    pub invariant: u8,
    /// What holds.
    pub name: &'static str,
    /// At how many things it has looked.
    pub looked_at: usize,
    /// How many more may be otherwise, for a reason that nobody can help.
    pub excused: usize,
    /// How many of them break it.
    pub broken: usize,
    /// The first of those, with ids.
    pub violations: Vec<String>,
}

impl Check {
    fn new(invariant: u8, name: &'static str) -> Self {
        Self { invariant, name, looked_at: 0, excused: 0, broken: 0, violations: Vec::new() }
    }

    /// Notes that one thing was looked at, and what is wrong with it.
    fn look(&mut self, wrong: Option<String>) {
        self.looked_at += 1;
        if let Some(wrong) = wrong {
            self.break_by(wrong);
        }
    }

    fn break_by(&mut self, wrong: String) {
        self.broken += 1;
        if self.violations.len() < SHOWN {
            self.violations.push(wrong);
        }
    }

    /// Whether it holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.broken == 0
    }
}

/// Checks everything.
pub(super) fn all(record: &Record) -> Vec<Check> {
    let lives = Lives::of(record);
    let mut checks = rest::queries(record);
    checks.extend([
        limits::one_winner_is_told(record),
        limits::nobody_accepts_above_the_limit(record),
        rest::orders_are_made_once(record),
        answers::are_true(record, &lives),
        answers::are_of_committed_acceptances(record),
        staff::are_told_what_is_so(record, &lives),
        staff::are_of_committed_changes(record),
        limits::nobody_accepts_while_blocked(record),
        owed::nothing_is_undelivered(record),
        owed::offers_were_shown(record),
        owed::given_orders_were_shown(record),
        screens::taken_orders_are_not_shown_as_free(record, &lives),
        screens::cards_in_the_end_are_known_and_of_live_offers(record),
        owed::taps_were_answered(record),
        rest::last_orders_found_their_masters(record),
        rest::nobody_was_told_that_it_is_broken(record),
        rights::masters_see_their_own(record, &lives),
        rights::staff_see_their_cities(record),
        rest::history_verifies(record),
        rest::processes_live(record),
        rest::logs_are_clean(record),
        rest::statuses_are_expected(record),
    ]);
    checks.sort_by_key(|check| if check.invariant == 0 { u8::MAX } else { check.invariant });
    checks
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::record::{Change, Master, Offer, Order, Record, Tap};
    use super::*;
    use crate::bots::render::texts;
    use crate::dispatch::accept::AcceptOutcome;
    use crate::model::{BotName, OrderStatus};

    /// Two masters, 1 and 2, by Telegram 101 and 102, and order 7 of client 70, which was offered to both at 10 s and accepted by
    /// the first at 100 s; both had tapped.
    pub(in super::super) fn a_race() -> Record {
        let offer = |master, state: &str| Offer {
            order: 7,
            master,
            state: state.to_owned(),
            sent: 10_000,
            ended: Some(100_000),
            expires: 900_000,
        };
        let tap = |person, at, text: &str| Tap {
            bot: Some(BotName::Master),
            person,
            data: "m:new:acc:7:1".to_owned(),
            made: at,
            attempts: vec![(at, at + 200)],
            served: Some(at + 200),
            answers: vec![(at + 100, text.to_owned())],
        };
        Record {
            taps: vec![
                tap(101, 99_900, texts::ACCEPTED),
                tap(102, 110_000, &texts::accept(&AcceptOutcome::Taken(None))),
            ],
            orders: vec![Order { id: 7, city: 1, client: 70, status: OrderStatus::Assigned }],
            changes: vec![change(1, OrderStatus::Assigned, "MASTER", Some(1), 100_000)],
            offers: vec![offer(1, "ACCEPTED"), offer(2, "CANCELED")],
            masters: vec![master(1, 101), master(2, 102)],
            settled: Some(1_000_000),
            ..Record::default()
        }
    }

    fn master(id: i64, person: i64) -> Master {
        Master { id, person, limits: vec![(0, 2)], blocks: Vec::new() }
    }

    pub(in super::super) fn change(id: i64, to: OrderStatus, actor: &str, master: Option<i64>, at: i64) -> Change {
        Change { id, order: 7, to, actor: actor.to_owned(), master, begun: at - 20, committed: at }
    }

    /// The names of the checks that do not hold.
    pub(in super::super) fn broken(record: &Record) -> Vec<&'static str> {
        all(record).into_iter().filter(|check| !check.holds()).map(|check| check.name).collect()
    }

    #[test]
    fn a_race_that_went_as_it_should_breaks_nothing() {
        assert_eq!(broken(&a_race()), [""; 0]);
    }

    #[test]
    fn each_invariant_has_a_check() {
        let record = Record { queries: rest::tests::queries(), ..Record::default() };
        let checked: std::collections::BTreeSet<_> = all(&record).iter().map(|check| check.invariant).collect();
        assert!((1..=11).all(|number| checked.contains(&number)), "{checked:?}");
    }
}
