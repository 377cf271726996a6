//! Somebody of the office: looks at orders, gives them to masters, takes them back, cancels some; also at those of a city that is
//! not theirs.

use std::time::Duration;

use tokio::time::sleep;

use super::City;
use crate::torture::deliver::Person;
use crate::torture::plan::Chance;

/// What is left alone: rules and people stay as they are, so that it is known what was allowed; and what leads elsewhere.
const LEFT: [&str; 5] = ["adm:pol", "adm:m:", "adm:new", "adm:page", "adm:fig"];

pub(super) async fn live(city: &City, person: &Person, mut chance: Chance) {
    let post = &city.post;
    post.deliver(person, person.chat.text_update("/start"), &mut chance).await;
    while !city.is_over() {
        let pause = 150 + chance.below_u64(500);
        sleep(Duration::from_millis(pause)).await;
        let newest = city.races.newest();
        let order = (newest - i64::try_from(chance.below(25)).unwrap_or_default()).max(1);
        let update = match chance.below(100) {
            0..6 => person.chat.text_update("/start"),
            6..26 => person.chat.tap_update(&format!("adm:q:card:{order}:1")),
            26..30 => person.chat.tap_update("adm:q:1"),
            _ => match button(person, &mut chance) {
                Some((message, data)) => person.chat.tap_update_on(message, &data),
                None => person.chat.tap_update(&format!("adm:q:card:{order}:1")),
            },
        };
        post.deliver(person, update, &mut chance).await;
    }
}

/// A button of the last messages, rather one that says yes.
fn button(person: &Person, chance: &mut Chance) -> Option<(i32, String)> {
    let messages = person.chat.latest(2);
    let buttons: Vec<_> = messages
        .iter()
        .flat_map(|message| message.buttons.iter().flatten().map(|button| (message.id, button.data.clone())))
        .filter(|(_, data)| !data.is_empty() && !LEFT.iter().any(|left| data.starts_with(left)))
        .collect();
    let acts: Vec<_> = buttons
        .iter()
        .filter(|(_, data)| ["_yes:", "pick:", "any:", "auto:", ":man:"].iter().any(|word| data.contains(word)))
        .cloned()
        .collect();
    if chance.percent(50) && !acts.is_empty() { chance.pick(&acts).cloned() } else { chance.pick(&buttons).cloned() }
}
