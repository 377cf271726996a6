//! Somebody of the office who changes what masters may while they are being asked: lowers limits and lifts them, blocks and unblocks.

use std::time::Duration;

use tokio::time::sleep;

use super::City;
use crate::torture::deliver::Person;
use crate::torture::plan::Chance;

pub(super) async fn live(city: &City, person: &Person, mut chance: Chance) {
    let post = &city.post;
    post.deliver(person, person.chat.text_update("/start"), &mut chance).await;
    while !city.is_over() {
        sleep(Duration::from_millis(100 + chance.below_u64(400))).await;
        let master = 1 + chance.below(city.masters);
        // Some keep their limit, so that they reach it; and some are never blocked.
        match master % 4 {
            2 => {
                let limits = person.chat.tap_update(&format!("adm:m:lim:{master}"));
                post.deliver(person, limits, &mut chance).await;
                let of_master = [format!("adm:m:li:{master}:1:"), format!("adm:m:li:{master}:def:")];
                let word = chance.pick(&of_master).cloned().unwrap_or_default();
                press(city, person, &word, &mut chance).await;
            }
            3 => {
                let asks = person.chat.tap_update(&format!("adm:m:bl:{master}"));
                post.deliver(person, asks, &mut chance).await;
                post.deliver(person, person.chat.text_update("Late again"), &mut chance).await;
                press(city, person, &format!("adm:m:bl_yes:{master}:"), &mut chance).await;
                sleep(Duration::from_millis(500 + chance.below_u64(2500))).await;
                let card = person.chat.tap_update(&format!("adm:m:c:{master}"));
                post.deliver(person, card, &mut chance).await;
                press(city, person, &format!("adm:m:ub:{master}:"), &mut chance).await;
            }
            _ => {}
        }
    }
}

/// Presses a button of the last messages, if it is there.
async fn press(city: &City, person: &Person, begins: &str, chance: &mut Chance) {
    let messages = person.chat.latest(4);
    let found = messages.iter().find_map(|message| {
        let mut buttons = message.buttons.iter().flatten();
        let button = buttons.find(|button| button.data.starts_with(begins))?;
        Some((message.id, button.data.clone()))
    });
    if let Some((message, data)) = found {
        city.post.deliver(person, person.chat.tap_update_on(message, &data), chance).await;
    }
}
