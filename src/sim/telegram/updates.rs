//! What people do, as updates: writing, changing what was written, forwarding, tapping, and what Telegram says of a chat by
//! itself.
//! <https://core.telegram.org/bots/api#message>

use std::time::Duration;

use serde_json::{Value, json};

use super::html::{Span, utf16_length};
use super::model::{Content, Message, Model, bot_json, message_json, private_chat};
use super::time;

/// What is done with callbacks is of no use later.
const CALLBACK_LIFE: Duration = Duration::from_secs(150);
const MESSAGE_LIFE: Duration = Duration::from_hours(24);

/// How long after it was made an update is delivered, or told to who asks.
pub(super) fn life(update: &Value) -> Duration {
    if update["callback_query"].is_object() { CALLBACK_LIFE } else { MESSAGE_LIFE }
}

impl Model {
    /// Writing `text`.
    pub(super) fn text_update(&mut self, token: &str, person: i64, text: &str) -> Value {
        let (update_id, json) = self.written(token, person, text);
        json!({"update_id": update_id, "message": json})
    }

    /// Sending on what somebody else wrote.
    pub(super) fn forwarded_update(&mut self, token: &str, person: i64, text: &str) -> Value {
        let (update_id, mut json) = self.written(token, person, text);
        let author = json!({"id": person + 1, "is_bot": false, "first_name": "Автор", "language_code": "ru"});
        json["forward_origin"] = json!({"type": "user", "sender_user": author, "date": json["date"]});
        json!({"update_id": update_id, "message": json})
    }

    /// A message without words, with these fields instead.
    pub(super) fn wordless_update(&mut self, token: &str, person: i64, fields: &Value) -> Value {
        let fields = fields.as_object().cloned().unwrap_or_default();
        let seen = fields.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let (update_id, mut json) = self.written(token, person, &seen);
        if let Value::Object(message) = &mut json {
            message.remove("text");
            message.extend(fields);
        }
        json!({"update_id": update_id, "message": json})
    }

    /// Sharing a contact: of `user`, if the phone book knows a Telegram user for it.
    pub(super) fn contact_update(&mut self, token: &str, person: i64, user: Option<i64>, phone: &str) -> Value {
        let name = self.people.get(&user.unwrap_or_default()).map_or("Кто-то", String::as_str);
        let mut contact = json!({"phone_number": phone, "first_name": name});
        if let Some(user) = user {
            contact["user_id"] = json!(user);
        }
        self.wordless_update(token, person, &json!({"contact": contact}))
    }

    /// Several photos at once: as many messages of one group.
    pub(super) fn album_update(&mut self, token: &str, person: i64, group: &str, count: usize) -> Vec<Value> {
        let photo = |number| {
            let file = format!("photo-{group}-{number}");
            json!({
                "media_group_id": group,
                "photo": [{"file_id": file, "file_unique_id": file, "width": 90, "height": 67, "file_size": 1253}],
            })
        };
        (0..count).map(|number| self.wordless_update(token, person, &photo(number))).collect()
    }

    /// Changing an own message to `text`; `None`: there is no such message of this person's.
    pub(super) fn edit_update(&mut self, token: &str, person: i64, message: i32, text: &str) -> Option<Value> {
        let (from, now) = (self.user(person), self.date());
        let messages = &mut self.conversation(token, person).messages;
        let message = messages.iter_mut().find(|known| known.id == message && !known.from_bot)?;
        let content = plain(text);
        (message.html, message.text, message.spans) = (content.html, content.text, content.spans);
        message.edited = Some(now);
        message.edits += 1;
        let mut json = message_json(message, &from, &private_chat(&from));
        name_command(&mut json, text);
        let update_id = self.record(token, person, &format!("✏️ {text}"), None, None);
        Some(json!({"update_id": update_id, "edited_message": json}))
    }

    /// A tap on the message with this id, or on the bot's last one.
    pub(super) fn tap_update(&mut self, token: &str, person: i64, data: &str, message: Option<i32>) -> Value {
        let from = self.user(person);
        let bot = bot_json(token, &self.bot(token).name);
        let chat = self.conversation(token, person);
        chat.open = true;
        let tapped = chat
            .messages
            .iter()
            .rfind(|candidate| candidate.from_bot && message.is_none_or(|message| message == candidate.id))
            .cloned();
        let label =
            tapped.iter().flat_map(|message| message.buttons.iter().flatten()).find(|button| button.data == data);
        let label = label.map_or(data, |button| &button.text).to_owned();
        let update_id = self.record(token, person, &label, Some(data), tapped.as_ref().map(|message| message.id));
        let mut query = json!({
            "id": format!("{person}{update_id}"), "from": from, "chat_instance": "-42", "data": data,
        });
        if let Some(message) = tapped {
            query["message"] = message_json(&message, &bot, &private_chat(&from));
        }
        json!({"update_id": update_id, "callback_query": query})
    }

    /// A new message of a person's in the chat: the update's id, and the message as the Bot API tells it.
    fn written(&mut self, token: &str, person: i64, text: &str) -> (i64, Value) {
        let (from, now) = (self.user(person), self.date());
        let update_id = self.record(token, person, text, None, None);
        let chat = self.conversation(token, person);
        // Who writes to a bot that was blocked has restarted it.
        (chat.open, chat.blocked) = (true, false);
        if chat.keyboard.as_ref().is_some_and(|keyboard| keyboard.once) {
            chat.keyboard = None;
        }
        let mut message = Message::new(chat.next_id(), false, plain(text));
        message.sent = now;
        let mut json = message_json(&message, &from, &private_chat(&from));
        name_command(&mut json, text);
        chat.add(message);
        (update_id, json)
    }

    /// What people's messages are dated by, in milliseconds since 1970.
    fn date(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit")]
        self.dates.now().map_or_else(time::wall_clock, |now| now.as_millisecond() as f64)
    }
}

fn plain(text: &str) -> Content {
    Content { html: text.to_owned(), text: text.to_owned(), spans: vec![Span::plain(text)], buttons: Vec::new() }
}

fn name_command(message: &mut Value, text: &str) {
    if text.starts_with('/') {
        let command = text.split_whitespace().next().unwrap_or_default();
        message["entities"] = json!([{"offset": 0, "length": utf16_length(command), "type": "bot_command"}]);
    }
}
