//! Who was at work on what, and when: without anybody, nobody was kept waiting.

use std::collections::HashMap;

use super::tapped::order_of;
use crate::torture::record::{Master, Ms, Record, SLACK, Tap};

/// From when to when, and whose tap it was if it was one's.
type Spell = (Ms, Ms, Option<usize>);

/// Everything that holds an order or a master.
#[derive(Debug, Default)]
pub(super) struct Work<'a> {
    orders: HashMap<i64, Vec<Spell>>,
    /// By the master's number.
    masters: HashMap<i64, Vec<Spell>>,
    /// By the master's Telegram id.
    people: HashMap<i64, Vec<Spell>>,
    troubles: &'a [(Ms, Ms)],
}

impl<'a> Work<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        let mut work = Self { troubles: &record.troubles, ..Self::default() };
        for change in &record.changes {
            let spell = (change.begun, change.committed, None);
            work.orders.entry(change.order).or_default().push(spell);
            work.masters.entry(change.master.unwrap_or_default()).or_default().push(spell);
        }
        for offer in &record.offers {
            for at in [Some(offer.sent), offer.ended].into_iter().flatten() {
                work.orders.entry(offer.order).or_default().push((at, at, None));
                work.masters.entry(offer.master).or_default().push((at, at, None));
            }
        }
        for master in &record.masters {
            let changed = master.limits.iter().map(|(at, _)| at).chain(master.blocks.iter().map(|(at, _)| at));
            work.masters.entry(master.id).or_default().extend(changed.map(|at| (*at, *at, None)));
        }
        for tap in &record.taps {
            let order = order_of(&tap.data);
            for (from, until) in &tap.attempts {
                let spell = (*from, *until, Some(address(tap)));
                work.people.entry(tap.person).or_default().push(spell);
                if let Some(order) = order {
                    work.orders.entry(order).or_default().push(spell);
                }
            }
        }
        work
    }

    /// Whether a fault of the processes or of the database was in force between two moments, give or take.
    pub(super) fn was_troubled(&self, from: Ms, until: Ms) -> bool {
        self.troubles.iter().any(|trouble| meet(*trouble, from, until))
    }

    /// Whether anybody else was at work on the order or the master between two moments, or a fault was in force; a second delivery
    /// of the same tap is somebody else too.
    pub(super) fn is_near(&self, tap: &Tap, order: i64, master: Option<&Master>, from: Ms, until: Ms) -> bool {
        let meets = |begins: Ms, ends: Ms| meet((begins, ends), from, until);
        let others = |spells: Option<&Vec<Spell>>| {
            let mut near = spells.into_iter().flatten().filter(|(begins, ends, _)| meets(*begins, *ends));
            near.any(|(_, _, of)| *of != Some(address(tap)))
        };
        let twins = tap.attempts.iter().filter(|(begins, ends)| meets(*begins, *ends)).count() > 1;
        twins
            || self.was_troubled(from, until)
            || others(self.orders.get(&order))
            || master
                .is_some_and(|master| others(self.masters.get(&master.id)) || others(self.people.get(&master.person)))
    }
}

fn meet((begins, ends): (Ms, Ms), from: Ms, until: Ms) -> bool {
    begins <= until + SLACK && ends + SLACK >= from
}

/// By what a tap is told from another.
fn address(tap: &Tap) -> usize {
    std::ptr::from_ref(tap).addr()
}
