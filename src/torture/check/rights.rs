//! Invariant 11: nobody was shown what is not his.

use std::collections::{HashMap, HashSet};

use super::Check;
use crate::model::BotName;
use crate::torture::record::{COMMITTED_BY, HANDLED_BY, Lives, Record};

pub(super) fn masters_see_their_own(record: &Record, lives: &Lives) -> Check {
    let mut check = Check::new(
        11,
        "a master saw a client only of the own order, and an address only of what he was offered or given",
    );
    let orders: HashMap<i64, i64> = record.orders.iter().map(|order| (order.client, order.id)).collect();
    let masters: HashMap<i64, i64> = record.masters.iter().map(|master| (master.person, master.id)).collect();
    let given = record.changes.iter().filter_map(|change| Some((change.order, change.master?)));
    let related: HashSet<(i64, i64)> =
        record.offers.iter().map(|offer| (offer.order, offer.master)).chain(given).collect();
    for shown in record.told.shown.iter().filter(|shown| shown.bot == Some(BotName::Master)) {
        let master = masters.get(&shown.person).copied().unwrap_or_default();
        for client in &shown.clients {
            let owned = orders.get(client).is_some_and(|order| {
                let mut spans = lives.between(*order, shown.at - HANDLED_BY, shown.at + COMMITTED_BY);
                spans.any(|span| span.master == Some(master))
            });
            check.look((!owned).then(|| format!("client {client} was shown to {} at {}", shown.person, shown.at)));
        }
        for client in &shown.places {
            let may = orders.get(client).is_some_and(|order| related.contains(&(*order, master)));
            check.look(
                (!may).then(|| format!("the address of client {client} was shown to {} at {}", shown.person, shown.at)),
            );
        }
    }
    check
}

pub(super) fn staff_see_their_cities(record: &Record) -> Check {
    let mut check = Check::new(11, "staff saw orders of their own cities alone");
    let cities: HashMap<i64, i64> = record.orders.iter().map(|order| (order.client, order.city)).collect();
    for shown in record.told.shown.iter().filter(|shown| shown.bot == Some(BotName::Admin)) {
        for client in shown.clients.iter().chain(&shown.places) {
            let own = record.staff.get(&shown.person);
            let may = own.zip(cities.get(client)).is_some_and(|(own, city)| own.contains(city));
            check.look((!may).then(|| format!("client {client} was shown to {} at {}", shown.person, shown.at)));
        }
    }
    check
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::tests::{a_race, broken};
    use crate::model::BotName;
    use crate::torture::record::Shown;

    #[test]
    fn a_client_shown_to_who_lost_is_found_and_an_address_to_who_was_not_offered_it() {
        const NAME: &str =
            "a master saw a client only of the own order, and an address only of what he was offered or given";
        let shown = |person, client: Option<i64>, place: Option<i64>| Shown {
            at: 101_000,
            bot: Some(BotName::Master),
            person,
            clients: client.into_iter().collect(),
            places: place.into_iter().collect(),
            ..Shown::default()
        };
        for (what, is_broken) in [
            (shown(101, Some(70), Some(70)), false),
            (shown(102, None, Some(70)), false),
            (shown(102, Some(70), None), true),
            (shown(103, None, Some(70)), true),
            (shown(101, Some(71), None), true),
        ] {
            let mut record = a_race();
            record.told.shown.push(what.clone());
            assert_eq!(broken(&record), [NAME].repeat(usize::from(is_broken)), "{what:?}");
        }
    }

    #[test]
    fn a_dispatcher_who_sees_another_city_is_found() {
        let mut record = a_race();
        record.staff.insert(901, BTreeSet::from([1]));
        record.staff.insert(902, BTreeSet::from([2]));
        let shown = |person| Shown { at: 1, bot: Some(BotName::Admin), person, places: vec![70], ..Shown::default() };
        record.told.shown.push(shown(901));
        assert_eq!(broken(&record), [""; 0]);
        record.told.shown.push(shown(902));
        assert_eq!(broken(&record), ["staff saw orders of their own cities alone"]);
    }
}
