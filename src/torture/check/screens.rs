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

pub(super) fn cards_in_the_end_are_known_and_of_live_offers(record: &Record) -> Check {
    let mut check = Check::new(8, "in the end every card is known to the system, and its offer is live");
    let settled = record.settled.unwrap_or(i64::MAX / 4);
    let people: HashMap<i64, i64> = record.masters.iter().map(|master| (master.id, master.person)).collect();
    let live = record.offers.iter().filter(|offer| offer.ended.is_none_or(|ended| ended + HANDLED_BY >= settled));
    let live: HashSet<(i64, i64)> = live.filter_map(|offer| Some((*people.get(&offer.master)?, offer.order))).collect();
    let mut unconfirmed = unconfirmed(record);
    for card in &record.cards {
        let Card { person, order, message, pushed, sent } = *card;
        let wrong = if !record.noted.contains(&(person, message, order)) {
            "which nobody knows of"
        } else if !live.contains(&(person, order)) {
            "whose offer has ended"
        } else {
            check.look(None);
            continue;
        };
        let left = unconfirmed.get_mut(&(person, order)).filter(|left| pushed && **left > 0);
        // Whoever died between sending and noting has left the update to another delivery, which sends it once more.
        let came_twice = !pushed && sent && record.told.sent.get(&(person, order)).is_some_and(|times| *times > 1);
        if record.blocked_bot.contains(&person) || left.is_some() || came_twice {
            check.excused += 1;
            if let Some(left) = left {
                *left -= 1;
            }
        } else {
            let how = if pushed { "was sent" } else { "was tapped for" };
            check.look(Some(format!(
                "message {message} of {person} is a card of order {order}, which {how}, and {wrong}"
            )));
        }
    }
    check
}

/// How many offers of an order came to a person of which nobody knows: whoever died, or lost Telegram's answer, has not noted them,
/// and they were sent again, or not any more. Those are told the truth when they are tapped.
fn unconfirmed(record: &Record) -> HashMap<(i64, i64), usize> {
    let mut unconfirmed = record.told.pushed.clone();
    let noted = record.outbox.iter().filter(|message| {
        message.kind == "OFFER" && message.finished.is_some() && message.dropped.is_none() && !message.edits
    });
    for card in noted.filter_map(|message| Some((message.person, message.order?))) {
        unconfirmed.entry(card).and_modify(|cards| *cards = cards.saturating_sub(1));
    }
    unconfirmed
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
        let wrong = "in the end every card is known to the system, and its offer is live";
        let mut record = a_race();
        let card = Card { person: 102, order: 7, message: 9, pushed: true, sent: true };
        record.cards.push(card.clone());
        record.noted.insert((102, 9, 7));
        assert_eq!(broken(&record), [wrong], "its offer has ended");
        record.noted.clear();
        record.told.shown.push(Shown { at: 10_500, person: 102, free: vec![7], ..Shown::default() });
        record.outbox.push(Message { person: 102, ..offer() });
        assert_eq!(broken(&record), [wrong]);
        record.told.pushed.insert((102, 7), 1);
        assert_eq!(broken(&record), [wrong], "its sender knew it");
        record.told.pushed.insert((102, 7), 2);
        assert_eq!(broken(&record), [""; 0], "the sender of one did not know that it was sent");
        record.cards.push(card);
        assert_eq!(broken(&record), [wrong], "but of the other");
        record.cards = vec![Card { person: 102, order: 7, message: 9, pushed: false, sent: true }];
        assert_eq!(broken(&record), [wrong], "who answers a tap knows where");
        record.told.sent.insert((102, 7), 2);
        assert_eq!(broken(&record), [""; 0], "who answered it first died before it was noted");
        record.cards[0].sent = false;
        assert_eq!(broken(&record), [wrong], "it was noted with the tap already");
    }

    #[test]
    fn a_card_of_a_live_offer_is_known() {
        let wrong = "in the end every card is known to the system, and its offer is live";
        let mut record = a_race();
        record.offers[1].ended = None;
        record.cards = vec![Card { person: 102, order: 7, message: 9, pushed: false, sent: false }];
        assert!(broken(&record).contains(&wrong));
        record.noted.insert((102, 9, 7));
        assert!(!broken(&record).contains(&wrong));
    }
}
