//! What the local Telegram knows: bots, people, chats, updates, and the faults it was told to have.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};

use super::faults::{Fault, Faults, NextCalls};
use super::html::Span;
use super::journal::{Answer, Journal, Record, State};
use super::time::{self, Time};
use crate::store::Clock;

/// Where a bot's updates go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The URL.
    pub url: String,
    /// Repeated in `X-Telegram-Bot-Api-Secret-Token`.
    pub secret: Option<String>,
}

/// A call that a bot made.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Its parameters.
    pub params: Value,
    /// The HTTP status it was answered with; 0 for none.
    pub status: u16,
    /// When it arrived.
    pub at: Instant,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Button {
    /// What it says.
    pub text: String,
    /// What it sends.
    pub data: String,
}

/// A message in a chat.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Unique in the chat.
    pub id: i32,
    /// Whether the bot sent it.
    pub from_bot: bool,
    /// What a person reads, without formatting.
    #[serde(skip)]
    pub text: String,
    /// What a person reads, with it.
    pub spans: Vec<Span>,
    /// As it was sent.
    #[serde(skip)]
    pub html: String,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
    /// How often it was edited.
    #[serde(skip)]
    pub edits: u32,
    /// When it was sent, in milliseconds since 1970.
    pub sent: f64,
}

/// What is shown in a message.
pub(super) struct Content {
    pub(super) html: String,
    pub(super) text: String,
    pub(super) spans: Vec<Span>,
    pub(super) buttons: Vec<Vec<Button>>,
}

impl Message {
    pub(super) fn new(id: i32, from_bot: bool, content: Content) -> Self {
        let Content { html, text, spans, buttons } = content;
        Self { id, from_bot, text, spans, html, buttons, edits: 0, sent: time::wall_clock() }
    }
}

/// A private chat.
#[derive(Default)]
pub(super) struct Conversation {
    /// The person has written: the bot may.
    pub(super) open: bool,
    pub(super) blocked: bool,
    pub(super) messages: Vec<Message>,
}

pub(super) struct Bot {
    pub(super) name: String,
    pub(super) webhook: Option<Webhook>,
    update_id: i64,
    pub(super) chats: BTreeMap<i64, Conversation>,
    /// When the last delivery failed, in seconds since 1970, and why.
    pub(super) last_error: Option<(i64, String)>,
}

/// One after another within a queue; queues know nothing of each other. Callbacks queue by person, messages by chat.
/// <https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/WebhookActor.cpp>
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    pub(super) token: String,
    pub(super) person: i64,
    pub(super) callbacks: bool,
}

/// The first number of messages and updates, later in every run: whoever remembers those of the last run takes none for
/// known.
static FIRST: LazyLock<i32> = LazyLock::new(|| {
    const YEAR_2026: u64 = 1_767_225_600;
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    i32::try_from(seconds.saturating_sub(YEAR_2026)).unwrap_or_default().max(1)
});

/// How long after a tap its callback can be answered. The live API's limit, about.
pub(super) const ANSWERABLE: Duration = Duration::from_secs(15);
/// How many calls are remembered.
const REMEMBERED: usize = 10_000;

#[derive(Default)]
pub(super) struct Model {
    pub(super) time: Time,
    pub(super) bots: BTreeMap<String, Bot>,
    pub(super) people: BTreeMap<i64, String>,
    pub(super) journal: Journal,
    pub(super) queues: HashMap<Lane, VecDeque<Value>>,
    pub(super) faults: Faults,
    pub(super) next_calls: NextCalls,
    pub(super) hanging: usize,
    pub(super) calls: VecDeque<Call>,
    /// The clock that messages are dated by.
    pub(super) dates: Clock,
}

impl Model {
    pub(super) fn add_bot(&mut self, token: &str, name: &str, webhook: Option<Webhook>) {
        let bot = Bot {
            name: name.to_owned(),
            webhook,
            update_id: (*FIRST).into(),
            chats: BTreeMap::new(),
            last_error: None,
        };
        self.bots.insert(token.to_owned(), bot);
    }

    pub(super) fn bot(&mut self, token: &str) -> &mut Bot {
        self.bots.get_mut(token).expect("a bot that was added")
    }

    pub(super) fn conversation(&mut self, token: &str, person: i64) -> &mut Conversation {
        self.bot(token).chats.entry(person).or_default()
    }

    /// How many updates wait to be delivered to the bot, the ones under way among them.
    pub(super) fn waiting(&self, token: &str) -> usize {
        self.queues.iter().filter(|(lane, _)| lane.token == token).map(|(_, queue)| queue.len()).sum()
    }

    /// The chat a bot may write to.
    pub(super) fn reachable(&mut self, token: &str, person: i64) -> Result<&mut Vec<Message>, (u16, &'static str)> {
        match self.bot(token).chats.get_mut(&person) {
            Some(chat) if chat.blocked => Err((403, "Forbidden: bot was blocked by the user")),
            Some(chat) if chat.open => Ok(&mut chat.messages),
            _ => Err((400, "Bad Request: chat not found")),
        }
    }

    pub(super) fn remember(&mut self, call: Call) {
        if self.calls.len() == REMEMBERED {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    pub(super) fn answer(&mut self, query: &str, text: Option<String>, alert: bool) -> Result<(), (u16, &'static str)> {
        let now = self.time.now();
        let callback = self.journal.callback(query).filter(|callback| now < callback.born + ANSWERABLE);
        let callback = callback
            .ok_or((400, "Bad Request: query is too old and response timeout expired or query ID is invalid"))?;
        callback.answers.push(Answer { text, alert, at: time::wall_clock() });
        Ok(())
    }

    pub(super) fn text_update(&mut self, token: &str, person: i64, text: &str) -> Value {
        let from = self.user(person);
        let update_id = self.record(token, person, text, None, None);
        let now = self.dates.now();
        let chat = self.conversation(token, person);
        // Who writes to a bot that was blocked has restarted it.
        (chat.open, chat.blocked) = (true, false);
        let content = Content {
            html: text.to_owned(),
            text: text.to_owned(),
            spans: vec![Span::plain(text)],
            buttons: Vec::new(),
        };
        let message = Message::new(next_id(&chat.messages), false, content);
        let mut json = message_json(&message, &from, &private_chat(&from));
        if let Some(now) = now {
            json["date"] = json!(now.as_second());
        }
        if text.starts_with('/') {
            let command = text.split_whitespace().next().unwrap_or_default();
            json["entities"] = json!([{"offset": 0, "length": utf16_length(command), "type": "bot_command"}]);
        }
        chat.messages.push(message);
        json!({"update_id": update_id, "message": json})
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

    /// Notes a new update; its id.
    fn record(&mut self, token: &str, person: i64, what: &str, data: Option<&str>, message: Option<i32>) -> i64 {
        let bot = self.bot(token);
        bot.update_id += 1;
        let update_id = bot.update_id;
        self.journal.add(Record {
            update_id,
            bot: bot_id(token),
            person,
            what: what.to_owned(),
            message,
            data: data.map(ToOwned::to_owned),
            made: time::wall_clock(),
            state: State::Queued,
            attempts: Vec::new(),
            calls: Vec::new(),
            answers: Vec::new(),
            next: None,
            due: None,
            query: data.map(|_| format!("{person}{update_id}")),
            born: self.time.now(),
            calls_meet: None,
        });
        update_id
    }

    /// What the next call of a method meets.
    pub(super) fn call_meets(&mut self, token: &str, method: &str, params: &Value) -> Option<Fault> {
        let standing = (self.faults.calls == super::Force::Standing).then_some(self.faults.answer);
        let meant = self.next_calls.take(method);
        meant.or_else(|| self.journal.concerned(bot_id(token), params)?.calls_meet).or(standing)
    }

    fn user(&self, person: i64) -> Value {
        let name = self.people.get(&person).map_or("Кто-то", String::as_str);
        json!({"id": person, "is_bot": false, "first_name": name, "language_code": "ru"})
    }
}

pub(super) fn next_id(messages: &[Message]) -> i32 {
    messages.last().map_or(*FIRST, |message| message.id + 1)
}

/// The public part of a bot's token.
#[must_use]
pub fn bot_id(token: &str) -> i64 {
    token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default()
}

pub(super) fn bot_json(token: &str, name: &str) -> Value {
    json!({"id": bot_id(token), "is_bot": true, "first_name": name, "username": "orders_bot"})
}

pub(super) fn private_chat(person: &Value) -> Value {
    json!({"id": person["id"], "first_name": person["first_name"], "type": "private"})
}

/// Characters as Telegram counts them.
pub(super) fn utf16_length(text: &str) -> usize {
    text.encode_utf16().count()
}

pub(super) fn message_json(message: &Message, from: &Value, chat: &Value) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
    let date = (message.sent / 1000.0) as i64;
    let mut json = json!({
        "message_id": message.id, "from": from, "chat": chat, "date": date, "text": message.text,
    });
    if !message.buttons.is_empty() {
        let rows: Vec<Vec<Value>> = message
            .buttons
            .iter()
            .map(|row| row.iter().map(|button| json!({"text": button.text, "callback_data": button.data})).collect())
            .collect();
        json["reply_markup"] = json!({"inline_keyboard": rows});
    }
    json
}
