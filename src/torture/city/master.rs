//! A master: takes orders, does them, gives some back, leaves the shift and comes again, and presses what should not be pressed.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::sleep;

use super::City;
use crate::bots::callback::{Callback, Own};
use crate::torture::deliver::Person;
use crate::torture::plan::Chance;

/// A master at work.
pub(super) struct Busy<'a> {
    city: &'a City,
    person: Person,
    number: usize,
    chance: Chance,
}

/// Whether that master blocks the bot now and then. The others never do, so that whoever is not reached is to be.
pub(super) fn blocks(number: usize) -> bool {
    number % 8 == 3
}

impl<'a> Busy<'a> {
    pub(super) fn new(city: &'a City, person: Person, number: usize, chance: Chance) -> Self {
        Self { city, person, number, chance }
    }

    pub(super) async fn live(mut self) {
        self.say("/start").await;
        while !self.city.is_over() {
            self.act().await;
            let pause = 20 + self.chance.below_u64(200);
            sleep(Duration::from_millis(pause)).await;
        }
        if blocks(self.number) {
            self.person.chat.block_bot(false);
        }
    }

    async fn act(&mut self) {
        match self.chance.below(100) {
            0..2 => self.say("/start").await,
            2..6 => {
                let data = self.forged();
                self.tap(&data).await;
            }
            6 if blocks(self.number) => {
                self.person.chat.block_bot(true);
                let long = 500 + self.chance.below_u64(3000);
                sleep(Duration::from_millis(long)).await;
                self.say("/start").await;
            }
            6..8 => self.tap("m:sh:off").await,
            8..16 => self.tap("m:sh:on").await,
            16..20 => self.press_old().await,
            20..32 => self.take_all().await,
            _ => self.press().await,
        }
    }

    /// A button that is nobody's, or somebody else's.
    fn forged(&mut self) -> String {
        let order = 1 + self.chance.below_u64(self.city.races.newest().unsigned_abs() + 1);
        let forms =
            ["m:new:acc:", "m:new:card:", "m:new:dec_yes:", "m:act:card:", "m:act:enr:", "m:act:cls:", "m:why:"];
        match self.chance.pick(&forms) {
            Some(form) if !self.chance.clone().percent(8) => format!("{form}{order}"),
            _ => "m:new:acc:yes".to_owned(),
        }
    }

    /// Presses a button of the last messages, rather one that gets something done; or answers what is asked.
    async fn press(&mut self) {
        let messages = self.person.chat.latest(8);
        let data = |message: &crate::sim::telegram::Message| {
            let buttons = message.buttons.iter().flatten().filter(|button| !button.data.is_empty());
            buttons.map(|button| button.data.clone()).collect::<Vec<_>>()
        };
        // A question may have been pushed up by a new offer.
        let asked: Vec<String> = messages.iter().rev().take(4).flat_map(data).collect();
        let asks = |own: Own| {
            asked.iter().any(|data| matches!(Callback::parse(data), Some(Callback::Own(known, _)) if known == own))
        };
        if asks(Own::NotDone) && self.chance.percent(35) {
            let sum = self.sum();
            return self.say(&sum).await;
        }
        if asks(Own::Keep) && self.chance.percent(25) {
            return self.say("Too far away").await;
        }
        let buttons = messages.iter().flat_map(|message| data(message).into_iter().map(|data| (message.id, data)));
        let buttons: Vec<(i32, String)> = buttons.collect();
        let weights: Vec<u64> = buttons.iter().map(|(_, data)| weight(data)).collect();
        let mut left = self.chance.below_u64(weights.iter().sum());
        for ((message, data), weight) in buttons.iter().zip(weights) {
            if left < weight {
                let update = self.person.chat.tap_update_on(*message, data);
                if self.chance.percent(6) {
                    // An impatient finger: two taps, each an update of its own.
                    return self.twice(update, *message, data).await;
                }
                let data = data.clone();
                self.deliver(update).await;
                return self.go_on(&data).await;
            }
            left -= weight;
        }
        self.say("/start").await;
    }

    /// Takes whatever is offered, all at the same moment: no more than the limit may come of it.
    async fn take_all(&mut self) {
        let messages = self.person.chat.latest(20);
        let offered = messages.iter().flat_map(|message| message.buttons.iter().flatten());
        let orders: BTreeSet<i64> = offered
            .filter_map(|button| match Callback::parse(&button.data)? {
                Callback::Accept { order, .. } => Some(order.0),
                _ => None,
            })
            .collect();
        if orders.len() < 2 {
            return self.press().await;
        }
        let mut taps = Vec::new();
        for order in orders {
            let chance = Chance::of(self.chance.below_u64(u64::MAX), order.unsigned_abs());
            taps.push((self.person.chat.tap_update(&format!("m:new:acc:{order}:1")), chance));
        }
        let (post, person) = (&self.city.post, &self.person);
        join_all(
            taps.into_iter().map(|(update, mut chance)| async move { post.deliver(person, update, &mut chance).await }),
        )
        .await;
    }

    /// Does at once what was asked for, mostly: says the sum, and that it is right.
    async fn go_on(&mut self, pressed: &str) {
        let Some(Callback::Own(Own::AskDone | Own::Done, order)) = Callback::parse(pressed) else { return };
        if self.chance.percent(25) {
            return;
        }
        let sum = self.sum();
        self.say(&sum).await;
        let closes =
            |data: &str| matches!(Callback::parse(data), Some(Callback::Close { order: known, .. }) if known == order);
        let messages = self.person.chat.latest(3);
        let found = messages.iter().find_map(|message| {
            let button = message.buttons.iter().flatten().find(|button| closes(&button.data))?;
            Some((message.id, button.data.clone()))
        });
        if let Some((message, data)) = found {
            let update = self.person.chat.tap_update_on(message, &data);
            self.deliver(update).await;
        }
    }

    /// Presses a button that has been hanging there.
    async fn press_old(&mut self) {
        let messages = self.person.chat.latest(60);
        let buttons: Vec<_> = messages
            .iter()
            .flat_map(|message| message.buttons.iter().flatten().map(|button| (message.id, button.data.clone())))
            .filter(|(_, data)| !data.is_empty())
            .collect();
        if let Some((message, data)) = self.chance.pick(&buttons).cloned() {
            let update = self.person.chat.tap_update_on(message, &data);
            self.deliver(update).await;
        }
    }

    /// What a client has paid.
    fn sum(&mut self) -> String {
        (100 * (1 + self.chance.below_u64(90))).to_string()
    }

    async fn twice(&mut self, first: Value, message: i32, data: &str) {
        let second = self.person.chat.tap_update_on(message, data);
        let (post, person, mut other) = (&self.city.post, &self.person, self.chance.clone());
        tokio::join!(post.deliver(person, first, &mut self.chance), post.deliver(person, second, &mut other));
    }

    async fn tap(&mut self, data: &str) {
        let update = self.person.chat.tap_update(data);
        self.deliver(update).await;
    }

    async fn say(&mut self, text: &str) {
        let update = self.person.chat.text_update(text);
        self.deliver(update).await;
    }

    async fn deliver(&mut self, update: Value) {
        self.city.post.deliver(&self.person, update, &mut self.chance).await;
    }
}

/// How often a button is pressed.
fn weight(data: &str) -> u64 {
    match Callback::parse(data) {
        Some(Callback::Close { .. }) => 30,
        Some(Callback::Accept { .. }) => 15,
        Some(Callback::Own(Own::EnRoute | Own::OnSite | Own::AskDone | Own::Done, _)) => 12,
        Some(Callback::GiveBack { .. } | Callback::Card { .. } | Callback::Own(Own::Card, _)) => 6,
        Some(Callback::Active { .. } | Callback::Decline { .. }) => 3,
        // Whoever is off shift is asked for nothing.
        Some(Callback::Shift { on }) => u64::from(on) * 6,
        _ => 1,
    }
}
