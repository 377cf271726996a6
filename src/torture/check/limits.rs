//! Invariants 1 and 2: one winner, and nobody above the limit by what they or the system do.

use std::collections::{BTreeSet, HashMap};

use super::Check;
use super::tapped::order_of_master;
use crate::model::OrderStatus;
use crate::model::order::Stage;
use crate::torture::claim::{Claim, Words};
use crate::torture::record::{Change, Master, Ms, Record};

pub(super) fn one_winner_is_told(record: &Record) -> Check {
    let mut check = Check::new(1, "between two returns to the search one master at most was told that he won");
    let words = Words::new();
    let mut told: HashMap<i64, BTreeSet<(Ms, i64)>> = HashMap::new();
    for tap in &record.taps {
        let Some(order) = order_of_master(&tap.data) else { continue };
        let won = tap.answers.iter().filter(|(_, text)| words.read(text) == Some(Claim::Assigned));
        told.entry(order).or_default().extend(won.map(|(at, _)| (*at, tap.person)));
    }
    let mut assignments: HashMap<i64, usize> = HashMap::new();
    for change in record.changes.iter().filter(|change| change.to == OrderStatus::Assigned) {
        *assignments.entry(change.order).or_default() += 1;
    }
    for (order, winners) in told.iter().filter(|(_, winners)| !winners.is_empty()) {
        let people: BTreeSet<i64> = winners.iter().map(|(_, person)| *person).collect();
        let times = assignments.get(order).copied().unwrap_or_default();
        check.look((people.len() > times).then(|| {
            format!("order {order} was assigned {times} times, and these were told that they won it: {people:?}")
        }));
    }
    check
}

pub(super) fn nobody_accepts_above_the_limit(record: &Record) -> Check {
    let mut check = Check::new(2, "nobody got above the limit by accepting or by the system");
    let masters: HashMap<i64, &Master> = record.masters.iter().map(|master| (master.id, master)).collect();
    let mut changes: Vec<&Change> = record.changes.iter().collect();
    changes.sort_by_key(|change| (change.committed, change.id));
    let mut owners: HashMap<i64, i64> = HashMap::new();
    let mut loads: HashMap<i64, BTreeSet<i64>> = HashMap::new();
    // What staff gave, and when: they may be at work on a master while an acceptance counts.
    let mut given: HashMap<(i64, i64), Ms> = HashMap::new();
    for change in changes {
        if let Some(owner) = owners.get(&change.order).filter(|_| change.to.stage() != Stage::Active) {
            loads.entry(*owner).or_default().remove(&change.order);
            continue;
        }
        let owner = match (change.to, change.master) {
            (OrderStatus::Assigned, Some(master)) => master,
            _ => match owners.get(&change.order) {
                Some(owner) => *owner,
                None => continue,
            },
        };
        if let Some(before) = owners.insert(change.order, owner).filter(|before| *before != owner) {
            loads.entry(before).or_default().remove(&change.order);
        }
        let load = loads.entry(owner).or_default();
        if change.to == OrderStatus::Assigned && change.actor == "ADMIN" {
            given.insert((owner, change.order), change.committed);
        } else if change.to == OrderStatus::Assigned {
            let given_before = |order: &&i64| given.get(&(owner, **order)).is_none_or(|at| *at < change.begun);
            let had = load.iter().filter(given_before).count();
            let allowed = masters.get(&owner).map(|master| master.limits_between(change.begun, change.committed));
            let limit = allowed.and_then(Iterator::max).unwrap_or(i64::MAX);
            check.look((i64::try_from(had).unwrap_or(i64::MAX) >= limit).then(|| {
                format!(
                    "master {owner} had {had} of {limit} orders and got order {} by {} (history {})",
                    change.order, change.actor, change.id
                )
            }));
        }
        load.insert(change.order);
    }
    check
}

pub(super) fn nobody_accepts_while_blocked(record: &Record) -> Check {
    let mut check = Check::new(0, "nobody took an order while blocked");
    let masters: HashMap<i64, &Master> = record.masters.iter().map(|master| (master.id, master)).collect();
    let accepted =
        record.changes.iter().filter(|change| change.to == OrderStatus::Assigned && change.actor == "MASTER");
    for change in accepted {
        let Some(master) = change.master.and_then(|master| masters.get(&master)) else { continue };
        check.look(
            (!master.was_blocked(false, change.begun, change.committed)).then(|| {
                format!("order {}: master {}, who was blocked (history {})", change.order, master.id, change.id)
            }),
        );
    }
    check
}

#[cfg(test)]
mod tests {
    use super::super::tests::{a_race, broken, change};
    use super::*;
    use crate::torture::record::Order;

    const LIMIT: &str = "nobody got above the limit by accepting or by the system";

    /// Orders 8 and 9 accepted by the first master as well, whose limit is 2.
    fn three_accepted() -> Record {
        let mut record = a_race();
        for (id, order) in [(2, 8), (3, 9)] {
            record.orders.push(Order { id: order, city: 1, client: order * 10, status: OrderStatus::Assigned });
            let accepted = change(id, OrderStatus::Assigned, "MASTER", Some(1), 200_000 + id * 1000);
            record.changes.push(Change { order, ..accepted });
        }
        record
    }

    #[test]
    fn the_third_of_two_orders_is_found() {
        assert_eq!(broken(&three_accepted()), [LIMIT]);
    }

    #[test]
    fn a_limit_that_was_lowered_counts_from_then_on() {
        let mut record = three_accepted();
        record.masters[0].limits = vec![(0, 3)];
        assert_eq!(broken(&record), [""; 0]);
        record.masters[0].limits.push((202_900, 2));
        assert_eq!(broken(&record), [""; 0], "in that very moment");
        record.masters[0].limits[1].0 = 190_000;
        assert_eq!(broken(&record), [LIMIT]);
    }

    #[test]
    fn who_takes_an_order_while_blocked_is_found() {
        let mut record = a_race();
        record.masters[0].blocks = vec![(50_000, true), (90_000, false)];
        assert_eq!(broken(&record), [""; 0]);
        record.masters[0].blocks.pop();
        assert_eq!(broken(&record), ["nobody took an order while blocked"]);
    }

    #[test]
    fn one_that_was_closed_before_does_not_count_and_staff_may() {
        let mut record = three_accepted();
        record.changes.push(change(9, OrderStatus::Closed, "MASTER", Some(1), 150_000));
        record.orders[0].status = OrderStatus::Closed;
        record.changes.sort_by_key(|change| (change.order, change.id));
        assert_eq!(broken(&record), [""; 0]);
        let mut record = three_accepted();
        record.changes[2].actor = "ADMIN".to_owned();
        assert_eq!(broken(&record), [""; 0]);
    }

    #[test]
    fn two_winners_of_one_assignment_are_found() {
        let mut record = a_race();
        record.taps[1].answers[0].1 = crate::bots::render::texts::ACCEPTED.to_owned();
        let name = "between two returns to the search one master at most was told that he won";
        assert!(broken(&record).contains(&name), "{:?}", broken(&record));
    }
}
