//! The local Telegram takes and refuses what the real one does, and tells what people do as the real one tells it.

use std::time::Duration;

use field_service::sim::telegram::{Chat, State, Style, Telegram, Webhook};
use field_service::telegram::http_client;
use serde_json::{Value, json};

use crate::harness::{ANNA, BORIS, MASTER_TOKEN, eventually};

/// A bot without a webhook that answers, and a person who has opened its chat.
async fn bot() -> (Telegram, Chat) {
    let telegram = Telegram::start().await.expect("a local Telegram");
    let webhook = Webhook { url: "http://127.0.0.1:1/".to_owned(), secret: None };
    telegram.add_bot(MASTER_TOKEN, "Заявки", Some(webhook));
    let chat = telegram.chat(MASTER_TOKEN, ANNA, "Анна");
    chat.open();
    (telegram, chat)
}

/// A call of the bot: what Telegram answers.
async fn call(telegram: &Telegram, method: &str, params: Value) -> Value {
    let url = format!("{}/bot{MASTER_TOKEN}/{method}", telegram.api_url());
    let request = http_client(&url).post(url).header("content-type", "application/json").body(params.to_string());
    let answer = request.send().await.expect("an answer").bytes().await.expect("a body");
    serde_json::from_slice(&answer).expect("JSON")
}

fn message(more: &Value) -> Value {
    let mut message = json!({"chat_id": ANNA, "text": "x", "parse_mode": "HTML"});
    let more = more.as_object().expect("fields").clone();
    message.as_object_mut().expect("fields").extend(more);
    message
}

#[tokio::test]
async fn a_button_sends_copies_or_opens_and_has_a_colour() {
    let (telegram, chat) = bot().await;
    let rows = json!([
        [{"text": "Взять", "callback_data": "a", "style": "success"}],
        [{"text": "Телефон", "copy_text": {"text": "+79990001122"}}, {"text": "Карта", "url": "https://example.org"}],
    ]);
    let sent = message(&json!({"reply_markup": {"inline_keyboard": rows}, "disable_notification": true}));
    let answer = call(&telegram, "sendMessage", sent).await;
    assert_eq!(answer["result"]["reply_markup"]["inline_keyboard"], rows, "{answer}");
    let shown = chat.messages().remove(0);
    assert!(shown.silent);
    assert_eq!(shown.buttons[0][0].style, Some(Style::Success));
    assert_eq!(shown.buttons[1][0].copy.as_deref(), Some("+79990001122"));

    // Other buttons under the same text, and the same again.
    let none = json!({"chat_id": ANNA, "message_id": shown.id});
    assert_eq!(call(&telegram, "editMessageReplyMarkup", none.clone()).await["ok"], true);
    assert!(chat.messages()[0].buttons.is_empty());
    let again = call(&telegram, "editMessageReplyMarkup", none).await;
    assert!(again["description"].as_str().is_some_and(|said| said.contains("message is not modified")), "{again}");

    for (button, why) in [
        (json!({"text": "x"}), "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        (json!({"text": "x", "copy_text": {"text": ""}}), "BUTTON_COPY_TEXT_INVALID"),
        (json!({"text": "x", "callback_data": "a", "style": "gold"}), "invalid button style specified"),
    ] {
        let refused = message(&json!({"reply_markup": {"inline_keyboard": [[button]]}}));
        let answer = call(&telegram, "sendMessage", refused).await;
        assert_eq!(answer["error_code"], 400, "{answer}");
        let said = answer["description"].as_str().expect("words");
        assert!(said.starts_with("Bad Request: ") && said.contains(why), "{said}");
    }
}

#[tokio::test]
async fn a_time_and_a_folded_quotation_are_shown_and_wrong_ones_refused() {
    let (telegram, chat) = bot().await;
    let text = "До <tg-time unix=\"1647531900\" format=\"r\">18:45</tg-time><blockquote expandable>долго</blockquote>";
    let answer = call(&telegram, "sendMessage", message(&json!({"text": text}))).await;
    assert_eq!(answer["result"]["text"], "До 18:45долго", "{answer}");
    let spans = chat.messages().remove(0).spans;
    let time = spans[1].time.as_ref().expect("a time");
    assert_eq!((time.unix, time.format.as_str(), spans[2].tags.as_slice()), (1_647_531_900, "r", &["expandable"][..]));

    let wrong = message(&json!({"text": "<tg-time unix=\"1647531900\" format=\"soon\">18:45</tg-time>"}));
    let answer = call(&telegram, "sendMessage", wrong).await;
    let said = answer["description"].as_str().expect("words");
    assert!(said.starts_with("Bad Request: can't parse entities: Invalid date format used"), "{said}");
}

#[tokio::test]
async fn a_person_changes_only_what_the_person_wrote() {
    let (telegram, chat) = bot().await;
    let wrote = chat.text_update("1500")["message"].clone();
    let id: i32 = serde_json::from_value(wrote["message_id"].clone()).expect("an id");
    let edit = chat.edit_update(id, "2500");
    assert_eq!(edit["edited_message"]["message_id"], wrote["message_id"]);
    assert_eq!(edit["edited_message"]["date"], wrote["date"]);
    assert!(edit["edited_message"]["edit_date"].as_i64() >= wrote["date"].as_i64());
    assert_eq!(edit["edited_message"]["text"], "2500");
    assert_eq!(edit["message"], Value::Null);
    assert_eq!(chat.messages().remove(0).text, "2500");

    let answer = call(&telegram, "sendMessage", message(&json!({}))).await;
    let of_the_bot = answer["result"]["message_id"].as_i64().and_then(|id| id.try_into().ok()).expect("an id");
    assert!(chat.edit(of_the_bot, "x").is_none() && chat.edit(1, "x").is_none());
}

#[tokio::test]
async fn only_what_a_webhook_asked_for_is_delivered() {
    let (telegram, chat) = bot().await;
    let id = chat.text_update("1500")["message"]["message_id"].as_i64().and_then(|id| id.try_into().ok());
    let id = id.expect("an id");
    let states = || telegram.journal(9).iter().map(|record| record.state.clone()).collect::<Vec<_>>();
    let webhook = json!({"url": "http://127.0.0.1:1/", "allowed_updates": ["message", "callback_query"]});
    assert_eq!(call(&telegram, "setWebhook", webhook).await["ok"], true);
    let info = call(&telegram, "getWebhookInfo", json!({})).await;
    assert_eq!(info["result"]["allowed_updates"], json!(["message", "callback_query"]));
    telegram.enqueue(MASTER_TOKEN, chat.edit_update(id, "1"));
    assert_eq!(states().last(), Some(&State::Unwanted));
    // Not named again, they stay as they are.
    assert_eq!(call(&telegram, "setWebhook", json!({"url": "http://127.0.0.1:1/"})).await["ok"], true);
    telegram.enqueue(MASTER_TOKEN, chat.edit_update(id, "2"));
    assert_eq!(states().last(), Some(&State::Unwanted));
    let everything = json!({"url": "http://127.0.0.1:1/", "allowed_updates": []});
    assert_eq!(call(&telegram, "setWebhook", everything).await["ok"], true);
    telegram.enqueue(MASTER_TOKEN, chat.edit_update(id, "3"));
    eventually(|| states().last() == Some(&State::Waiting)).await;
}

#[tokio::test]
async fn a_chat_keeps_its_last_messages_and_gives_no_number_twice() {
    let (_telegram, chat) = bot().await;
    let first = chat.text_update("0")["message"]["message_id"].as_i64().expect("an id");
    for number in 1..=600 {
        let message = &chat.text_update(&number.to_string())["message"];
        assert_eq!(message["message_id"], first + number);
    }
    let kept = chat.messages();
    assert_eq!((kept.len(), kept.last().map(|message| message.text.as_str())), (500, Some("600")));
}

#[tokio::test]
async fn forwards_service_messages_and_albums_look_as_they_do() {
    let (_telegram, chat) = bot().await;
    let forwarded = &chat.forwarded_update("1500")["message"];
    assert_eq!((&forwarded["text"], &forwarded["from"]["id"]), (&json!("1500"), &json!(ANNA)));
    assert_eq!(forwarded["forward_origin"]["type"], "user");
    let pinned = &chat.service_update(json!({"pinned_message": forwarded}))["message"];
    assert_eq!((&pinned["text"], &pinned["pinned_message"]["text"]), (&Value::Null, &json!("1500")));
    let album = chat.album_update("77", 10);
    let ids: std::collections::BTreeSet<_> =
        album.iter().map(|update| update["message"]["message_id"].as_i64()).collect();
    assert_eq!((album.len(), ids.len()), (10, 10));
    for update in &album {
        let message = &update["message"];
        assert_eq!((&message["media_group_id"], &message["text"]), (&json!("77"), &Value::Null));
        assert!(message["photo"][0]["file_id"].is_string());
    }
}

#[tokio::test]
async fn a_link_starts_its_bot_and_a_key_shares_the_own_contact() {
    let (telegram, chat) = bot().await;
    let username = call(&telegram, "getMe", json!({})).await["result"]["username"].as_str().expect("a name").to_owned();
    let link = format!("https://t.me/{username}?start=a-b_C1");
    assert_eq!(chat.follow_update(&link)["message"]["text"], "/start a-b_C1");
    let (opened, update) = telegram.follow(BORIS, &link).expect("a link to a bot");
    assert_eq!(
        (&update["message"]["from"]["id"], &update["message"]["text"]),
        (&json!(BORIS), &json!("/start a-b_C1"))
    );
    assert_eq!(opened.token(), MASTER_TOKEN);
    assert!(telegram.follow(BORIS, "https://t.me/another_bot?start=x").is_none());

    let key = json!({"keyboard": [[{"text": "Мой номер", "request_contact": true}]], "one_time_keyboard": true});
    assert_eq!(call(&telegram, "sendMessage", message(&json!({"reply_markup": key}))).await["ok"], true);
    assert!(chat.keyboard()[0][0].contact);
    let shared = &chat.own_contact_update()["message"];
    assert_eq!((&shared["contact"]["user_id"], &shared["text"]), (&json!(ANNA), &Value::Null));
    assert!(chat.keyboard().is_empty(), "it goes with its first use");
    let other = &chat.contact_update(Some(BORIS), "79990000102")["message"]["contact"];
    assert_eq!((&other["user_id"], &other["phone_number"]), (&json!(BORIS), &json!("79990000102")));
    assert_eq!(chat.contact_update(None, "1")["message"]["contact"]["user_id"], Value::Null);
    for markup in [key.clone(), json!({"remove_keyboard": true})] {
        assert_eq!(call(&telegram, "sendMessage", message(&json!({"reply_markup": markup}))).await["ok"], true);
    }
    assert!(chat.keyboard().is_empty());
    let empty = message(&json!({"reply_markup": {"keyboard": []}}));
    assert_eq!(call(&telegram, "sendMessage", empty).await["error_code"], 400);
}

#[tokio::test]
async fn commands_are_those_of_one_chat() {
    let (telegram, chat) = bot().await;
    let scope = json!({"type": "chat", "chat_id": ANNA});
    let set = |commands: Value| json!({"scope": scope, "commands": commands});
    let new = json!([{"command": "new", "description": "Новая заявка"}]);
    assert_eq!(call(&telegram, "setMyCommands", set(new)).await["ok"], true);
    assert_eq!(chat.commands(), ["new"]);
    let wrong = call(&telegram, "setMyCommands", set(json!([{"command": "Новая", "description": "x"}]))).await;
    assert_eq!(wrong["description"], "Bad Request: BOT_COMMAND_INVALID");
    let nobody = json!({"scope": {"type": "chat", "chat_id": 5}, "commands": []});
    assert_eq!(call(&telegram, "setMyCommands", nobody).await["description"], "Bad Request: chat not found");
    assert_eq!(call(&telegram, "deleteMyCommands", json!({"scope": scope})).await["ok"], true);
    assert!(chat.commands().is_empty());
}

/// The ids of the updates that a call told.
fn ids(answer: &Value) -> Vec<i64> {
    let updates = answer["result"].as_array().unwrap_or_else(|| panic!("no updates: {answer}"));
    updates.iter().map(|update| update["update_id"].as_i64().expect("an id")).collect()
}

#[tokio::test]
async fn updates_are_told_from_the_offset_on_and_forgotten_before_it() {
    let (telegram, chat) = bot().await;
    telegram.delete_webhook(MASTER_TOKEN);
    telegram.stop_clock();
    let updates = async |params: Value| {
        // Nobody asks in a hurry.
        telegram.let_pass(Duration::from_secs(5));
        ids(&call(&telegram, "getUpdates", params).await)
    };
    assert!(updates(json!({})).await.is_empty());
    for number in 0..3 {
        telegram.enqueue(MASTER_TOKEN, chat.text_update(&number.to_string()));
    }
    let all = updates(json!({})).await;
    assert_eq!(all.len(), 3);
    assert_eq!(updates(json!({"offset": 0})).await, all, "nothing says that they were taken");
    assert_eq!(updates(json!({"limit": 2})).await, all[..2]);
    assert_eq!(updates(json!({"offset": all[1]})).await, all[1..]);
    assert_eq!(updates(json!({})).await, all[1..]);
    assert_eq!(
        updates(json!({"offset": all[2] + 2})).await,
        all[1..],
        "an offset that is still to come forgets nothing"
    );
    let waiting = call(&telegram, "getWebhookInfo", json!({})).await;
    assert_eq!((&waiting["result"]["pending_update_count"], &waiting["result"]["url"]), (&json!(2), &json!("")));
    assert_eq!(updates(json!({"offset": -1})).await, all[2..], "all but the last one are forgotten");
    assert!(updates(json!({"offset": all[2] + 1})).await.is_empty());
    assert!(telegram.journal(3).iter().all(|record| record.state == State::Delivered));

    // Only what was asked for, from then on.
    assert!(updates(json!({"allowed_updates": ["callback_query"]})).await.is_empty());
    telegram.enqueue(MASTER_TOKEN, chat.text_update("3"));
    telegram.enqueue(MASTER_TOKEN, chat.tap_update("x"));
    let tap = updates(json!({})).await;
    assert_eq!(tap.len(), 1);
    telegram.let_pass(Duration::from_secs(151));
    assert!(updates(json!({})).await.is_empty(), "a tap is too old by then");
    assert_eq!(telegram.update(1001, tap[0]).expect("an update").state, State::Dropped);

    // In a hurry, the same offset again is told one.
    assert!(updates(json!({"allowed_updates": []})).await.is_empty());
    for number in 0..2 {
        telegram.enqueue(MASTER_TOKEN, chat.text_update(&number.to_string()));
    }
    assert_eq!(updates(json!({})).await.len(), 2);
    assert_eq!(ids(&call(&telegram, "getUpdates", json!({})).await).len(), 1);
}

#[tokio::test]
async fn one_call_for_updates_waits_and_none_while_there_is_a_webhook() {
    let (telegram, chat) = bot().await;
    telegram.stop_clock();
    let refused = call(&telegram, "getUpdates", json!({})).await;
    assert_eq!(refused["error_code"], 409);
    assert!(refused["description"].as_str().is_some_and(|said| said.starts_with("Conflict: can't use getUpdates")));
    assert_eq!(call(&telegram, "deleteWebhook", json!({})).await["ok"], true);
    // What was delivered to a webhook before waits now until it is asked for.
    telegram.enqueue(MASTER_TOKEN, chat.text_update("0"));

    let first = ids(&call(&telegram, "getUpdates", json!({"timeout": 50})).await);
    let ask = |params: Value| {
        let telegram = telegram.clone();
        tokio::spawn(async move { call(&telegram, "getUpdates", params).await })
    };
    let waits = ask(json!({"offset": first[0] + 1, "timeout": 3}));
    eventually(|| telegram.bots()[0].waiting == 0).await;
    telegram.enqueue(MASTER_TOKEN, chat.text_update("1"));
    assert_eq!(ids(&waits.await.expect("no panic")), [first[0] + 1], "as soon as there is something");

    // Nothing comes: the wait ends.
    let waits = ask(json!({"offset": first[0] + 2, "timeout": 3}));
    eventually(|| telegram.is_asked(MASTER_TOKEN)).await;
    telegram.let_pass(Duration::from_secs(3));
    assert!(ids(&waits.await.expect("no panic")).is_empty());

    // Who begins to wait ends the wait of another; so does a webhook.
    let elder = ask(json!({"offset": first[0] + 2, "timeout": 50}));
    eventually(|| telegram.is_asked(MASTER_TOKEN)).await;
    let younger = ask(json!({"offset": first[0] + 2, "timeout": 50}));
    let ended = elder.await.expect("no panic");
    let said = ended["description"].as_str().expect("words");
    assert!(said.starts_with("Conflict: terminated by other getUpdates request"), "{said}");
    assert_eq!(call(&telegram, "setWebhook", json!({"url": "http://127.0.0.1:1/"})).await["ok"], true);
    let ended = younger.await.expect("no panic");
    assert_eq!(ended["description"], "Conflict: terminated by setWebhook request");
    // And then updates are delivered.
    telegram.enqueue(MASTER_TOKEN, chat.text_update("2"));
    eventually(|| !telegram.journal(1)[0].attempts.is_empty()).await;
}
