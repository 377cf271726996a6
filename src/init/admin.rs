//! The first admin: whoever says `/start` to the dispatchers' bot, and is confirmed.

use std::time::Duration;

use serde_json::Value;
use tokio::time::sleep;

use super::bots::Known;
use super::city::one_line;
use super::console::Talk;
use super::{Error, Given};
use crate::logging::printable;
use crate::model::text::visible;
use crate::model::{Role, TelegramUserId};
use crate::store::Store;
use crate::store::pollers::Held;
use crate::store::staff::{self, Saved};
use crate::telegram;

/// For how long Telegram waits for an update before it says that there is none.
const POLL: Duration = Duration::from_secs(20);
/// How soon Telegram is asked again that did not answer.
const AGAIN: Duration = Duration::from_secs(2);

/// Somebody who could be the admin.
#[derive(Debug, PartialEq, Eq)]
struct Person {
    id: i64,
    name: String,
    username: Option<String>,
}

pub(super) async fn settle(talk: &mut Talk<'_>, given: &Given, store: &Store, admin: &Known) -> Result<(), Error> {
    if let Some(person) = named(given)? {
        return save(talk, store, &person).await;
    }
    if given.no_admin {
        return Ok(());
    }
    let there = staff::list(store, None).await?;
    if let Some(admin) = there.iter().find(|entry| entry.role == Role::Admin && entry.is_active) {
        return Ok(talk.say(&format!("An admin is there: {}.", printable(&admin.full_name)))?);
    }
    let mut lock = take_lock(store, admin, None).await?;
    remove_webhook(talk, admin).await?;
    talk.say(&format!("Now open https://t.me/{} as the first admin, and press Start.", admin.name))?;
    talk.say("Waiting… (Ctrl-C keeps what is there by now; `field-service init` goes on from here.)")?;
    let mut offset = None;
    loop {
        // Whoever was asked may have taken long to answer, and an unused lock ends by itself.
        lock = take_lock(store, admin, Some(lock)).await?;
        let updates = match admin.bot.updates(offset, POLL).await {
            Ok(updates) => updates,
            Err(telegram::Error::Refused { code: 409, .. }) => {
                talk.say("  Something else fetches this bot's updates with getUpdates: stop it, such as another `serve --poll`.")?;
                sleep(AGAIN).await;
                continue;
            }
            Err(telegram::Error::NoAnswer(_) | telegram::Error::RetryAfter(_)) => {
                sleep(AGAIN).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for update in updates {
            let update: Value = serde_json::from_str(update.get()).unwrap_or_default();
            if let Some(person) = person(&update) {
                let username = person.username.as_ref().map(|name| format!("@{name}, ")).unwrap_or_default();
                let question = format!("Is {} ({}Telegram id {}) the admin?", person.name, username, person.id);
                if talk.yes(&question)? {
                    // The update is left for whoever serves, so that the bot answers it.
                    return save(talk, store, &person).await;
                }
                talk.say("  Waiting for somebody else…")?;
            }
            offset = update["update_id"].as_i64().map(|id| id + 1).or(offset);
        }
    }
}

/// Whether the admin who was named can be one.
pub(super) fn check(given: &Given) -> Result<(), Error> {
    named(given).map(drop)
}

fn named(given: &Given) -> Result<Option<Person>, Error> {
    let Some(id) = given.admin_id else { return Ok(None) };
    let name = one_line(given.admin_name.as_deref().unwrap_or_default());
    let name = name.map_err(|why| Error::Wrong("--admin-name", why))?;
    Ok(Some(Person { id, name, username: None }))
}

/// Becomes the one who fetches the bot's updates, or stays it. Beside a `serve --poll`, each would get some of them, and what says
/// no `/start` would be lost here.
async fn take_lock(store: &Store, admin: &Known, held: Option<Held>) -> Result<Held, Error> {
    if let Some(held) = held
        && held.confirm().await.is_ok()
    {
        return Ok(held);
    }
    store.hold_bots(&[admin.token.bot_id()]).await?.ok_or(Error::IsServed)
}

/// Telegram delivers updates to a webhook or by getUpdates, not both.
async fn remove_webhook(talk: &mut Talk<'_>, admin: &Known) -> Result<(), Error> {
    let url = admin.bot.webhook_info().await?.url;
    if url.is_empty() {
        return Ok(());
    }
    let question = format!("Telegram delivers this bot's updates to {}. Stop that?", printable(&url));
    if !talk.yes(&question)? {
        return Err(Error::HasWebhook);
    }
    Ok(admin.bot.delete_webhook().await?)
}

/// Who has said `/start`, alone with the bot.
fn person(update: &Value) -> Option<Person> {
    let message = &update["message"];
    let starts = message["text"].as_str().is_some_and(|text| text.split_whitespace().next() == Some("/start"));
    let from = &message["from"];
    if !starts || message["chat"]["type"] != "private" || from["is_bot"] == true {
        return None;
    }
    let named = [&from["first_name"], &from["last_name"]].map(|part| part.as_str().unwrap_or_default());
    let name = visible(&named.join(" "));
    Some(Person {
        id: from["id"].as_i64()?,
        name: one_line(&name).unwrap_or_else(|_| "Admin".to_owned()),
        username: from["username"].as_str().map(|name| printable(name).into_owned()),
    })
}

async fn save(talk: &mut Talk<'_>, store: &Store, person: &Person) -> Result<(), Error> {
    match staff::add(store, TelegramUserId(person.id), &person.name, Role::Admin, &[]).await? {
        Saved::AlreadyThere(_) => talk.say(&format!("  Telegram id {} is of the staff already.", person.id))?,
        _ => talk.say(&format!("  {} is the admin.", person.name))?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whoever_starts_alone_with_the_bot_is_a_person() {
        let update = |text: &str, chat: &str, bot: bool| {
            json!({"update_id": 1, "message": {
                "text": text, "chat": {"type": chat},
                "from": {"id": 7, "is_bot": bot, "first_name": "Ольга", "last_name": "Иванова", "username": "olga"},
            }})
        };
        let olga = Person { id: 7, name: "Ольга Иванова".to_owned(), username: Some("olga".to_owned()) };
        assert_eq!(person(&update("/start", "private", false)), Some(olga));
        assert!(person(&update("/start link", "private", false)).is_some());
        for (text, chat, bot) in [("/start", "group", false), ("/start", "private", true), ("hello", "private", false)]
        {
            assert_eq!(person(&update(text, chat, bot)), None);
        }
        assert_eq!(person(&json!({"update_id": 2, "callback_query": {}})), None);
    }
}
