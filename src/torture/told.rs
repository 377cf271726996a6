//! What people are told: every call that the Bot API took, read as it comes into what is checked later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::marks::{ADDRESS, MASTER_BOT, clients_in, numbers_after};
use super::record::{Ms, Shown, Told, now};
use crate::bots::callback::Callback;
use crate::bots::render::texts;
use crate::dispatch::accept::AcceptOutcome;
use crate::model::BotName;
use crate::sim::telegram::Call;

/// What both bots say when something broke that trying again will not mend.
pub(super) const BROKEN: [&str; 2] = [texts::BROKEN, texts::staff::BROKEN];

/// Listens until the local Telegram is gone or somebody else listens.
pub(super) async fn listen(mut calls: UnboundedReceiver<Call>, races: &Races) -> Told {
    let (began, at_first) = (Instant::now(), now());
    let mut told = Told::default();
    while let Some(call) = calls.recv().await {
        let passed = call.at.saturating_duration_since(began).as_millis();
        let known = told.shown.len();
        note(&mut told, &call, at_first + Ms::try_from(passed).unwrap_or_default());
        for shown in &told.shown[known..] {
            races.note(shown);
        }
    }
    told
}

/// Who was lately shown an order as free: they can race for it.
#[derive(Debug, Default)]
pub(super) struct Races(Mutex<BTreeMap<i64, BTreeSet<i64>>>);

/// How many orders are remembered.
const RACES: usize = 40;

impl Races {
    fn note(&self, shown: &Shown) {
        let mut races = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for order in &shown.free {
            races.entry(*order).or_default().insert(shown.person);
        }
        while races.len() > RACES {
            races.pop_first();
        }
    }

    /// An order that several have seen, each time another one, and who they are.
    pub(super) fn next(&self) -> Option<(i64, Vec<i64>)> {
        let mut races = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let order = *races.iter().rev().find(|(_, people)| people.len() > 1)?.0;
        races.remove(&order).map(|people| (order, people.into_iter().collect()))
    }

    /// The newest order that anybody has seen.
    pub(super) fn newest(&self) -> i64 {
        let races = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        races.last_key_value().map_or(1, |(order, _)| *order)
    }
}

fn note(told: &mut Told, call: &Call, at: Ms) {
    let bot = if call.bot == MASTER_BOT { BotName::Master } else { BotName::Admin };
    let Some(person) = call.params["chat_id"].as_i64() else { return };
    let is_screen = ["sendMessage", "editMessageText"].contains(&&*call.method);
    // What is there already is refused, and is shown all the same.
    let is_there = call.refusal.as_ref().is_some_and(|refusal| refusal.contains("message is not modified"));
    if !is_screen || !(call.status == 200 || is_there) {
        return;
    }
    if bot == BotName::Admin || !is_unasked(call.params["text"].as_str().unwrap_or_default()) {
        told.screens.entry((bot, person)).or_default().push(at);
    }
    if call.status != 200 {
        return;
    }
    let text = call.params["text"].as_str().unwrap_or_default();
    if BROKEN.iter().any(|broken| text.contains(broken)) {
        told.broken.push((person, at));
    }
    let shown = read(&call.params);
    if call.method == "sendMessage" {
        let pushed = is_new_offer(text);
        for order in &shown.free {
            let of = if pushed { &mut told.pushed } else { &mut told.sent };
            *of.entry((person, *order)).or_default() += 1;
        }
    }
    let says_nothing = shown.free.is_empty() && shown.orders.is_empty() && shown.clients.is_empty();
    if !(says_nothing && shown.places.is_empty()) {
        told.shown.push(Shown { at, bot: Some(bot), person, ..shown });
    }
}

/// Whether it announces an offer.
pub(super) fn is_new_offer(text: &str) -> bool {
    text.starts_with('🔔')
}

/// Whether it is one of the messages that come to a master out of the blue, and answer nothing.
fn is_unasked(text: &str) -> bool {
    let ends = [AcceptOutcome::Taken(None), AcceptOutcome::Expired, AcceptOutcome::Declined, AcceptOutcome::Withdrawn];
    let what = text.split_once('\n').map(|(_, what)| what).unwrap_or_default();
    // An order that was given, one that was taken away; and what became of an offer.
    is_new_offer(text)
        || ["📌", "🚫"].iter().any(|sign| text.starts_with(sign))
        || ends.iter().any(|end| what.starts_with(&texts::accept(end)))
}

/// What a message shows.
fn read(params: &Value) -> Shown {
    let text = params["text"].as_str().unwrap_or_default();
    let mut shown = Shown::default();
    let buttons = params["reply_markup"]["inline_keyboard"].as_array().into_iter().flatten();
    let mut words = text.to_owned();
    for button in buttons.filter_map(Value::as_array).flatten() {
        for said in [&button["text"], &button["copy_text"]["text"]] {
            words.push(' ');
            words.push_str(said.as_str().unwrap_or_default());
        }
        if let Some(Callback::Accept { order, .. }) = button["callback_data"].as_str().and_then(Callback::parse) {
            shown.free.push(order.0);
        }
    }
    shown.orders = texts::orders_in(&words).into_iter().map(|order| order.0).collect();
    shown.places = numbers_after(&words, ADDRESS);
    shown.clients = clients_in(&words);
    for list in [&mut shown.free, &mut shown.orders, &mut shown.places, &mut shown.clients] {
        list.sort_unstable();
        list.dedup();
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_message_shows_orders_clients_and_places() {
        let shown = read(&json!({
            "text": "<b>№12</b> Client000007 +7 912 000-00-07, Torture street 000007",
            "reply_markup": {"inline_keyboard": [
                [{"text": "take", "callback_data": "m:new:acc:12:1"}, {"text": "№13 · Torture street 000008", "callback_data": "m:new:card:13:1"}],
                [{"text": "№14 · Torture street 0000…", "callback_data": "m:new:card:14:1"}],
                [{"text": "copy", "copy_text": {"text": "+79120000009"}}],
            ]},
        }));
        assert_eq!((shown.free, shown.orders), (vec![12], vec![12, 13, 14]));
        assert_eq!((shown.clients, shown.places), (vec![7, 9], vec![7, 8]));
    }

    #[test]
    fn what_was_refused_shows_nothing() {
        let mut told = Told::default();
        let call = |status| Call {
            bot: MASTER_BOT,
            method: "sendMessage".to_owned(),
            params: json!({"chat_id": 5, "text": "№1"}),
            status,
            refusal: None,
            at: Instant::now(),
        };
        note(&mut told, &call(500), 1);
        assert!(told.screens.is_empty() && told.shown.is_empty());
        note(&mut told, &call(200), 2);
        assert_eq!((told.shown[0].orders[0], told.screens[&(BotName::Master, 5)][0]), (1, 2));
    }

    #[test]
    fn a_new_offer_answers_nothing_nor_does_what_telegram_refused() {
        let mut told = Told::default();
        let call = |text: &str, status, refusal: Option<&str>| Call {
            bot: MASTER_BOT,
            method: "editMessageText".to_owned(),
            params: json!({"chat_id": 5, "text": text}),
            status,
            refusal: refusal.map(ToOwned::to_owned),
            at: Instant::now(),
        };
        let ended = format!("<b>№1</b>\n{}", texts::accept(&AcceptOutcome::Expired));
        note(&mut told, &call("🔔 №1", 200, None), 1);
        note(&mut told, &call(&ended, 200, None), 2);
        note(&mut told, &call("№1", 400, Some("Bad Request: message to edit not found")), 3);
        assert!(told.screens.is_empty(), "{told:?}");
        note(&mut told, &call("№1", 400, Some("Bad Request: message is not modified: the same")), 4);
        note(&mut told, &call("№1", 200, None), 5);
        assert_eq!(told.screens[&(BotName::Master, 5)], [4, 5]);
    }
}
