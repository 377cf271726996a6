//! Invariant 8: what is shown as free was free when it was looked at, and in the end nothing is that is not.

use std::collections::{HashMap, HashSet};

use super::Check;
use crate::model::BotName;
use crate::model::order::Stage;
use crate::torture::record::{Card, HANDLED_BY, Lives, Record};

pub(super) fn taken_orders_are_not_shown_as_free(record: &Record, lives: &Lives) -> Check {
    let mut check = Check::new(8, "no screen offered an order that had not been open for as long as a tap may take");
    for shown in record.told.shown.iter().filter(|shown| shown.bot == Some(BotName::Master)) {
        for order in &shown.free {
            let mut was = lives.between(*order, shown.at - HANDLED_BY, shown.at);
            let was_open = was.any(|span| span.status.stage() == Stage::Open);
            check.look((!was_open).then(|| format!("order {order} was offered to {} at {}", shown.person, shown.at)));
        }
    }
    check
}

pub(super) fn cards_in_the_end_are_of_live_offers(record: &Record) -> Check {
    let mut check = Check::new(8, "in the end no card shows an offer that is not live");
    let settled = record.settled.unwrap_or(i64::MAX / 4);
    let people: HashMap<i64, i64> = record.masters.iter().map(|master| (master.id, master.person)).collect();
    let live: HashSet<(i64, i64)> = record
        .offers
        .iter()
        .filter(|offer| offer.ended.is_none_or(|ended| ended + HANDLED_BY >= settled))
        .filter_map(|offer| Some((*people.get(&offer.master)?, offer.order)))
        .collect();
    // Whoever died, or lost Telegram's answer, knows no message to edit: the offer is sent again, or not any more. A tap on it is
    // told the truth. As many such cards came as there are more than what is noted as sent.
    let mut unconfirmed = record.told.pushed.clone();
    let noted = record
        .outbox
        .iter()
        .filter(|message| message.kind == "OFFER" && message.finished.is_some() && message.dropped.is_none());
    for card in noted.filter_map(|message| Some((message.person, message.order?))) {
        unconfirmed.entry(card).and_modify(|cards| *cards = cards.saturating_sub(1));
    }
    for Card { person, order, message, pushed } in &record.cards {
        if live.contains(&(*person, *order)) {
            check.look(None);
            continue;
        }
        let left = unconfirmed.get_mut(&(*person, *order)).filter(|left| *pushed && **left > 0);
        if record.blocked_bot.contains(person) || left.is_some() {
            check.excused += 1;
            if let Some(left) = left {
                *left -= 1;
            }
            continue;
        }
        let how = if *pushed { "was sent" } else { "was tapped for" };
        check.look(Some(format!("message {message} of {person} shows order {order} as free, which {how}")));
    }
    check
}

#[cfg(test)]
mod tests {
    use super::super::owed::tests::offer;
    use super::super::tests::{a_race, broken};
    use crate::model::BotName;
    use crate::torture::record::{Card, HANDLED_BY, Message, Shown};

    #[test]
    fn an_order_that_is_offered_long_after_it_was_taken_is_found() {
        let shown = |at| Shown { at, bot: Some(BotName::Master), person: 102, free: vec![7], ..Shown::default() };
        let mut record = a_race();
        record.told.shown.push(shown(99_000));
        record.told.shown.push(shown(101_000));
        assert_eq!(broken(&record), [""; 0], "it was looked at before");
        record.told.shown.push(shown(105_000 + HANDLED_BY));
        assert_eq!(
            broken(&record),
            ["no screen offered an order that had not been open for as long as a tap may take"]
        );
    }

    #[test]
    fn a_card_that_was_forgotten_is_found() {
        let forgotten = "in the end no card shows an offer that is not live";
        let mut record = a_race();
        let card = Card { person: 102, order: 7, message: 9, pushed: true };
        record.cards.push(card.clone());
        assert_eq!(broken(&record), [forgotten]);
        record.told.shown.push(Shown { at: 10_500, person: 102, free: vec![7], ..Shown::default() });
        record.outbox.push(Message { person: 102, ..offer() });
        assert_eq!(broken(&record), [forgotten]);
        record.told.pushed.insert((102, 7), 1);
        assert_eq!(broken(&record), [forgotten], "its sender knew it");
        record.told.pushed.insert((102, 7), 2);
        assert_eq!(broken(&record), [""; 0], "the sender of one did not know that it was sent");
        record.cards.push(card);
        assert_eq!(broken(&record), [forgotten], "but of the other");
        record.cards = vec![Card { person: 102, order: 7, message: 9, pushed: false }];
        assert_eq!(broken(&record), [forgotten], "who answers a tap knows where");
        record.offers[1].ended = None;
        record.offers[1].state = "SENT".to_owned();
        assert!(!broken(&record).contains(&forgotten), "it is live");
    }
}
