//! A person's chat, as tests and the page use it.

use std::borrow::Borrow;
use std::time::Instant;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::journal::Answer;
use super::keyboard::{ReplyKey, deep_link};
use super::model::{Message, Model, bot_id, username};
use super::{Button, Delivery, Telegram};
use crate::model::init_data;

/// A person's private chat with a bot: what a thumb can do there, and what the eye sees.
#[derive(Clone)]
pub struct Chat {
    pub(super) telegram: Telegram,
    pub(super) token: String,
    pub(super) person: i64,
}

/// A tap and what came back.
#[derive(Clone, Debug)]
pub struct Tap {
    /// The update, to be delivered again.
    pub update: Value,
    /// What became of its delivery.
    pub delivery: Delivery,
    /// How the bot answered the callback, in order.
    pub answers: Vec<Answer>,
}

impl Tap {
    /// The text of the answer; empty if there was none or it had none.
    #[must_use]
    pub fn notice(&self) -> &str {
        self.answers.first().and_then(|answer| answer.text.as_deref()).unwrap_or_default()
    }
}

impl Chat {
    /// Opens the chat: from now on the bot can write.
    pub fn open(&self) {
        self.telegram.change(|model| model.conversation(&self.token, self.person).open = true);
    }

    /// Blocks the bot, or lets it write again; so does writing to it.
    pub fn block_bot(&self, blocked: bool) {
        self.telegram.change(|model| model.conversation(&self.token, self.person).blocked = blocked);
    }

    /// From now on a program may act for this person, while nobody [touches](Self::touch) the phone.
    pub fn simulate(&self) {
        self.telegram.change(|model| model.conversation(&self.token, self.person).simulated = true);
    }

    /// Somebody plays this person.
    pub fn touch(&self) {
        let now = Some(Instant::now());
        self.telegram.change(|model| model.conversation(&self.token, self.person).touched = now);
    }

    /// Whether a program may act for this person: nobody plays them, and they have not blocked the bot.
    #[must_use]
    pub fn may_be_simulated(&self) -> bool {
        self.telegram.change(|model| {
            let chat = model.conversation(&self.token, self.person);
            chat.lives() == Some(true) && !chat.blocked
        })
    }

    /// Puts an update of this person's into the queue as a simulated one, and waits until nothing of theirs is left there.
    pub async fn enqueue_simulated(&self, update: Value) {
        let bot = bot_id(&self.token);
        self.telegram.change(|model| {
            let record = update["update_id"].as_i64().and_then(|id| model.journal.update(bot, id));
            record.map(|record| record.simulated = true)
        });
        self.telegram.enqueue(&self.token, update);
        self.telegram.idle(bot, self.person).await;
    }

    /// The update of writing `text`, not delivered yet.
    #[must_use]
    pub fn text_update(&self, text: &str) -> Value {
        self.telegram.change(|model| model.text_update(&self.token, self.person, text))
    }

    /// The update of changing an own message, the original's date and a new one in it; not delivered yet.
    ///
    /// # Panics
    /// When the person has no such message.
    #[must_use]
    pub fn edit_update(&self, message: i32, text: &str) -> Value {
        self.edit(message, text).expect("a message of this person's own")
    }

    /// The same, if there is such a message.
    #[must_use]
    pub fn edit(&self, message: i32, text: &str) -> Option<Value> {
        self.telegram.change(|model| model.edit_update(&self.token, self.person, message, text))
    }

    /// The update of forwarding what somebody else wrote, not delivered yet.
    #[must_use]
    pub fn forwarded_update(&self, text: &str) -> Value {
        self.telegram.change(|model| model.forwarded_update(&self.token, self.person, text))
    }

    /// The update of a message without words, such as `{"pinned_message": {…}}`, not delivered yet.
    #[must_use]
    pub fn service_update(&self, fields: impl Borrow<Value>) -> Value {
        self.telegram.change(|model| model.wordless_update(&self.token, self.person, fields.borrow()))
    }

    /// The updates of sending photos together, not delivered yet.
    #[must_use]
    pub fn album_update(&self, group: &str, count: usize) -> Vec<Value> {
        self.telegram.change(|model| model.album_update(&self.token, self.person, group, count))
    }

    /// The update of following a link that starts this bot, not delivered yet.
    ///
    /// # Panics
    /// When the link is another bot's, or none.
    #[must_use]
    pub fn follow_update(&self, link: &str) -> Value {
        let (bot, code) = deep_link(link).unwrap_or_else(|| panic!("no link: {link}"));
        assert_eq!(bot, username(&self.token), "another bot's link");
        self.text_update(&format!("/start {code}"))
    }

    /// Follows a link that starts this bot.
    pub async fn follow(&self, link: &str) -> Delivery {
        let update = self.follow_update(link);
        self.telegram.deliver(&self.token, &update).await
    }

    /// The update of sharing a contact, of `user` if the phone book knows one; not delivered yet.
    #[must_use]
    pub fn contact_update(&self, user: Option<i64>, phone: &str) -> Value {
        self.telegram.change(|model| model.contact_update(&self.token, self.person, user, phone))
    }

    /// Presses the key under the field that shares the own contact: the phone is made of the person's id.
    ///
    /// # Panics
    /// When there is no such key: a client would have no such button.
    pub async fn share_contact(&self) -> Delivery {
        assert!(self.keyboard().iter().flatten().any(|key| key.contact), "no key shares a contact");
        let update = self.own_contact_update();
        self.telegram.deliver(&self.token, &update).await
    }

    /// The update of sharing the own contact, not delivered yet.
    #[must_use]
    pub fn own_contact_update(&self) -> Value {
        self.contact_update(Some(self.person), &own_phone(self.person))
    }

    /// The token of the chat's bot.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The address at which a page opens inside Telegram, with word of who opens it; `None`: no button of the chat opens that page.
    /// <https://core.telegram.org/bots/webapps#initializing-mini-apps>
    #[must_use]
    pub fn open_page(&self, page: &str) -> Option<String> {
        let opens = |button: &Button| button.web_app.as_deref() == Some(page);
        let (is_there, name) = self.telegram.change(|model| {
            let chat = model.conversation(&self.token, self.person);
            let offered = chat.messages.iter().flat_map(|message| message.buttons.iter().flatten());
            let is_there = offered.chain(&chat.menu_button).any(opens);
            (is_there, model.people.get(&self.person).cloned().unwrap_or_default())
        });
        let user = json!({"id": self.person, "first_name": name, "language_code": "ru"}).to_string();
        let made = Timestamp::now().as_second().to_string();
        let data = init_data::signed(&[("query_id", "AAF"), ("user", &user), ("auth_date", &made)], &self.token);
        let fragment = form_urlencoded::Serializer::new(String::new())
            .append_pair("tgWebAppData", &data)
            .append_pair("tgWebAppVersion", "10.3")
            .append_pair("tgWebAppPlatform", "web")
            .finish();
        is_there.then(|| format!("{page}#{fragment}"))
    }

    /// The keyboard under the field; no rows if there is none.
    #[must_use]
    pub fn keyboard(&self) -> Vec<Vec<ReplyKey>> {
        let keyboard = |model: &mut Model| model.conversation(&self.token, self.person).keyboard.clone();
        self.telegram.change(keyboard).map(|keyboard| keyboard.rows).unwrap_or_default()
    }

    /// The bot's commands in this chat, without slashes.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        let commands = self.telegram.change(|model| model.conversation(&self.token, self.person).commands.clone());
        commands.into_iter().map(|command| command.command).collect()
    }

    /// Writes `text`.
    pub async fn say(&self, text: &str) -> Delivery {
        let update = self.text_update(text);
        self.telegram.deliver(&self.token, &update).await
    }

    /// The update of tapping a button with this `callback_data`, there or not, on the bot's last message.
    #[must_use]
    pub fn tap_update(&self, data: &str) -> Value {
        self.telegram.change(|model| model.tap_update(&self.token, self.person, data, None))
    }

    /// The update of tapping a button under a certain message, not delivered yet.
    #[must_use]
    pub fn tap_update_on(&self, message: i32, data: &str) -> Value {
        self.telegram.change(|model| model.tap_update(&self.token, self.person, data, Some(message)))
    }

    /// Taps a button with this `callback_data`, there or not, on the bot's last message.
    pub async fn tap(&self, data: &str) -> Tap {
        let update = self.tap_update(data);
        self.deliver(update).await
    }

    /// Taps the first button of the bot's last message whose text has `label` in it.
    ///
    /// # Panics
    /// When there is no such button: a person could not tap it either. When it sends nothing: the bot would not hear of it.
    pub async fn press(&self, label: &str) -> Tap {
        let buttons = self.buttons();
        let button = buttons.iter().find(|button| button.text.contains(label));
        let button = button.unwrap_or_else(|| panic!("no button «{label}» among {buttons:?}"));
        assert!(!button.data.is_empty(), "{button:?} sends nothing");
        self.tap(&button.data).await
    }

    /// Delivers a tap's update, again or for the first time.
    pub async fn deliver(&self, update: Value) -> Tap {
        let delivery = self.telegram.deliver(&self.token, &update).await;
        let query = update["callback_query"]["id"].as_str().unwrap_or_default();
        let answers = self.telegram.change(|model| model.journal.callback(query).map(|record| record.answers.clone()));
        let answers = answers.unwrap_or_default();
        Tap { update, delivery, answers }
    }

    /// All messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.telegram.change(|model| model.conversation(&self.token, self.person).messages.clone())
    }

    /// The bot's last `count` messages, oldest first.
    #[must_use]
    pub fn latest(&self, count: usize) -> Vec<Message> {
        self.telegram.change(|model| {
            let messages = &model.conversation(&self.token, self.person).messages;
            let mut latest: Vec<_> =
                messages.iter().rev().filter(|message| message.from_bot).take(count).cloned().collect();
            latest.reverse();
            latest
        })
    }

    /// What the bot's last message shows; empty if there is none.
    #[must_use]
    pub fn screen(&self) -> String {
        self.last().map(|message| message.text).unwrap_or_default()
    }

    /// The buttons of the bot's last message.
    #[must_use]
    pub fn buttons(&self) -> Vec<Button> {
        self.last().map(|message| message.buttons.concat()).unwrap_or_default()
    }

    fn last(&self) -> Option<Message> {
        self.messages().into_iter().rfind(|message| message.from_bot)
    }
}

/// A person's phone, as Telegram tells it: digits alone.
fn own_phone(person: i64) -> String {
    format!("7999{:07}", person.unsigned_abs() % 10_000_000)
}
