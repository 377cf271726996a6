//! Somebody who is nobody: requests with a wrong secret, bodies that are no updates, and a person who is neither master nor staff
//! and taps what others are offered.

use std::time::Duration;

use tokio::time::sleep;

use super::City;
use crate::model::BotName;
use crate::torture::marks::{ADMIN_TOKEN, MASTER_TOKEN, SECRET};
use crate::torture::plan::Chance;

/// By Telegram id.
const STRANGER: i64 = 7001;
const ANSWER: Duration = Duration::from_secs(40);

/// What is sent that is no update, and what it is answered with if it is answered: sent again, it would be no better.
const BODIES: [&str; 4] = ["", "{", "[1, 2]", r#"{"update_id": 1, "something_new": {"id": 1}}"#];

pub(super) async fn live(city: &City, mut chance: Chance) {
    let of = |token| city.post.person(token, STRANGER);
    let people = [of(MASTER_TOKEN), of(ADMIN_TOKEN)];
    while !city.is_over() {
        sleep(Duration::from_millis(100 + chance.below_u64(300))).await;
        let order = city.races.newest();
        let Some(person) = chance.pick(&people) else { return };
        let data = match person.bot {
            BotName::Master => format!("m:new:acc:{order}:1"),
            BotName::Admin => format!("adm:q:card:{order}:1"),
        };
        match chance.below(4) {
            0 => city.post.deliver(person, person.chat.tap_update(&data), &mut chance).await,
            1 => {
                let body = chance.pick(&BODIES).copied().unwrap_or_default();
                send(city, person.bot, SECRET, body.to_owned(), 200, &mut chance).await;
            }
            _ => {
                let body = person.chat.tap_update(&data).to_string();
                send(city, person.bot, "not-the-secret", body, 401, &mut chance).await;
            }
        }
    }
}

/// Sends something that is to be answered with one status, if it is answered; or with 503 by a server that has no room.
async fn send(city: &City, bot: BotName, secret: &str, body: String, expected: u16, chance: &mut Chance) {
    let url = format!("{}/telegram/{}", city.post.server(chance), bot.as_str());
    let request = city.post.client().post(url).timeout(ANSWER).header("X-Telegram-Bot-Api-Secret-Token", secret);
    let status = request.body(body).send().await.ok().map(|answer| answer.status().as_u16());
    city.post.tally(status);
    if status.is_some_and(|status| status != expected && status != 503) {
        city.post
            .note_odd(format!("{status:?} instead of {expected} for what is no update of the {} bot", bot.as_str()));
    }
}
