//! What queries have found, what programs made, and how the processes did.

use std::collections::HashMap;

use super::Check;
use crate::model::OrderStatus;
use crate::torture::record::Record;
use crate::torture::told::BROKEN;

/// The invariants that are queries.
pub(super) fn queries(record: &Record) -> Vec<Check> {
    let check = |(invariant, name, found): &(u8, &'static str, Vec<String>)| {
        let mut check = Check::new(*invariant, name);
        check.looked_at = record.orders.len();
        for found in found {
            check.break_by(found.clone());
        }
        check
    };
    record.queries.iter().map(check).collect()
}

pub(super) fn orders_are_made_once(record: &Record) -> Check {
    let mut check = Check::new(6, "every key made one order, and was told that one each time");
    let mut by_client: HashMap<i64, Vec<i64>> = HashMap::new();
    for order in &record.orders {
        by_client.entry(order.client).or_default().push(order.id);
    }
    for made in &record.made {
        let there = by_client.get(&made.client).cloned().unwrap_or_default();
        let told: Vec<i64> = made.told.iter().copied().collect();
        // Nobody was told anything: it may be there or not.
        let fits = told == there || told.is_empty() && there.len() <= 1;
        check.look((!fits).then(|| format!("client {}: orders {there:?} are there, {told:?} were told", made.client)));
    }
    check
}

fn none(invariant: u8, name: &'static str, looked_at: usize, found: &[String]) -> Check {
    let mut check = Check::new(invariant, name);
    check.looked_at = looked_at;
    for found in found {
        check.break_by(found.clone());
    }
    check
}

pub(super) fn last_orders_found_their_masters(record: &Record) -> Check {
    let mut check =
        Check::new(10, "after all faults each city's next order was offered to its only master, who got it");
    for last in &record.last {
        check.look(match last {
            Err(why) => Some(why.clone()),
            Ok((order, person)) => {
                let master = record.masters.iter().find(|master| master.person == *person).map(|master| master.id);
                let mut changes = record.changes.iter().filter(|change| change.order == *order);
                let got = changes.any(|change| {
                    change.to == OrderStatus::Assigned
                        && change.actor == "MASTER"
                        && master.is_some()
                        && change.master == master
                });
                (!got).then(|| format!("order {order}: {person} tapped for it, alone, and has not got it"))
            }
        });
    }
    check
}

/// Nothing that anybody does here is to fail for good.
pub(super) fn nobody_was_told_that_it_is_broken(record: &Record) -> Check {
    let mut check = Check::new(9, "nobody was told that something broke which trying again will not mend");
    for tap in &record.taps {
        let broken = tap.answers.iter().find(|(_, text)| BROKEN.contains(&text.as_str()));
        check.look(
            broken.map(|(at, text)| format!("{} was told «{text}» at {at}, having tapped {}", tap.person, tap.data)),
        );
    }
    for (person, at) in &record.told.broken {
        check.break_by(format!("{person} was shown it at {at}"));
    }
    check
}

pub(super) fn history_verifies(record: &Record) -> Check {
    none(0, "the sealed history verifies", record.changes.len(), &record.unsealed)
}

pub(super) fn processes_live(record: &Record) -> Check {
    none(
        0,
        "no process panicked or ended by itself, and each was well within 30 seconds after each fault",
        1,
        &record.processes,
    )
}

pub(super) fn logs_are_clean(record: &Record) -> Check {
    none(0, "no log line has a client's name, phone or address, a token or a secret in it", 1, &record.logged)
}

pub(super) fn statuses_are_expected(record: &Record) -> Check {
    none(
        0,
        "every request was answered with what it is to be, or with 503, or not at all",
        record.taps.len(),
        &record.odd_statuses,
    )
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{a_race, broken};
    use super::BROKEN;
    use crate::torture::record::Made;

    pub(in super::super) fn queries() -> Vec<(u8, &'static str, Vec<String>)> {
        crate::torture::reading::QUERIES.iter().map(|(number, name, _)| (*number, *name, Vec::new())).collect()
    }

    #[test]
    fn what_a_query_finds_is_named() {
        let mut record = a_race();
        record.queries = queries();
        assert_eq!(broken(&record), [""; 0]);
        record.queries[0].2.push("order 7 has two".to_owned());
        assert_eq!(broken(&record), [record.queries[0].1]);
    }

    #[test]
    fn a_key_that_made_two_orders_or_was_told_another_is_found() {
        const NAME: &str = "every key made one order, and was told that one each time";
        let made = |client, told: &[i64]| Made { client, told: told.iter().copied().collect::<BTreeSet<_>>() };
        for (made, is_broken) in [
            (made(70, &[7]), false),
            (made(70, &[]), false),
            (made(71, &[]), false),
            (made(70, &[8]), true),
            (made(70, &[7, 8]), true),
            (made(71, &[9]), true),
        ] {
            let mut record = a_race();
            record.made.push(made.clone());
            assert_eq!(broken(&record), [NAME].repeat(usize::from(is_broken)), "{made:?}");
        }
        let mut record = a_race();
        record.made.push(made(70, &[7]));
        record.orders.push(crate::torture::record::Order { id: 8, ..record.orders[0].clone() });
        assert_eq!(broken(&record), [NAME]);
    }

    #[test]
    fn what_is_wrong_with_processes_logs_and_seals_is_named() {
        let mut record = a_race();
        let said = || vec!["x".to_owned()];
        (record.processes, record.logged, record.unsealed) = (said(), said(), said());
        record.odd_statuses = said();
        assert_eq!(broken(&record).len(), 4);
    }

    #[test]
    fn a_last_order_that_its_master_has_not_got_is_named() {
        const NAME: &str = "after all faults each city's next order was offered to its only master, who got it";
        for (last, is_broken) in [
            (Ok((7, 101)), false),
            (Ok((7, 102)), true),
            (Ok((8, 101)), true),
            (Ok((7, 999)), true),
            (Err("not offered".to_owned()), true),
        ] {
            let mut record = a_race();
            record.last.push(last.clone());
            assert_eq!(broken(&record), [NAME].repeat(usize::from(is_broken)), "{last:?}");
        }
    }

    #[test]
    fn whoever_was_told_that_something_broke_is_named() {
        const NAME: &str = "nobody was told that something broke which trying again will not mend";
        let mut record = a_race();
        record.told.broken.push((101, 5));
        assert_eq!(broken(&record), [NAME]);
        let mut record = a_race();
        record.taps[0].data = "m:sh:on".to_owned();
        record.taps[0].answers[0].1 = BROKEN[0].to_owned();
        assert_eq!(broken(&record), [NAME]);
    }
}
