//! What queries have found, what programs made, and how the processes did.

use std::collections::HashMap;

use super::Check;
use crate::torture::record::Record;

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

pub(super) fn nothing_is_stuck(record: &Record) -> Check {
    none(
        10,
        "after all faults each city's next order found its master, and each process was well again",
        1,
        &record.stuck,
    )
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
        (record.odd_statuses, record.stuck) = (said(), said());
        assert_eq!(broken(&record).len(), 5);
    }
}
