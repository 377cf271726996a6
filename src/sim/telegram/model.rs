//! What the local Telegram knows: bots, people, chats, callbacks, and the faults it was told to have.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Where a bot's updates go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The URL.
    pub url: String,
    /// Repeated in `X-Telegram-Bot-Api-Secret-Token`.
    pub secret: Option<String>,
}

/// A failure that a call is to meet.
#[derive(Clone, Debug)]
pub enum Fault {
    /// 429 with `retry_after` in seconds.
    TooManyRequests(u16),
    /// 403: the person blocked the bot.
    Forbidden,
    /// 500 in the Bot API's own JSON.
    ServerError,
    /// 502 with a page of HTML from something in between.
    BadGateway,
    /// No answer until the caller gives up; the call has no effect.
    Hang,
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What it says.
    pub text: String,
    /// What it sends.
    pub data: String,
}

/// A message in a chat.
#[derive(Clone, Debug)]
pub struct Message {
    /// Unique in the chat.
    pub id: i32,
    /// Whether the bot sent it.
    pub from_bot: bool,
    /// What a person reads, without formatting.
    pub text: String,
    /// As it was sent.
    pub html: String,
    /// Rows of buttons.
    pub buttons: Vec<Vec<Button>>,
    /// How often it was edited.
    pub edits: u32,
}

/// How a callback was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What pops up; nothing for a plain end of the spinner.
    pub text: Option<String>,
    /// A dialog rather than a line.
    pub alert: bool,
}

/// What `getWebhookInfo` tells of a webhook that does not keep up.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// Updates that wait to be delivered.
    pub waiting_updates: u32,
    /// When the last delivery failed, in seconds since 1970, and why.
    pub last_error: Option<(i64, String)>,
}

struct Callback {
    tapped: Option<Instant>,
    answers: Vec<Answer>,
}

#[derive(Default)]
struct Conversation {
    open: bool,
    blocked: bool,
    messages: Vec<Message>,
}

struct Bot {
    webhook: Option<Webhook>,
    update_id: i64,
    chats: BTreeMap<i64, Conversation>,
}

/// After this a callback cannot be answered any more.
const CALLBACK_LIFE: Duration = Duration::from_secs(15);

#[derive(Default)]
pub(super) struct Model {
    bots: HashMap<String, Bot>,
    people: HashMap<i64, String>,
    callbacks: HashMap<String, Callback>,
    faults: HashMap<String, VecDeque<Fault>>,
    pub(super) calls: Vec<Call>,
    pub(super) trouble: Trouble,
}

impl Model {
    pub(super) fn add_bot(&mut self, token: &str, webhook: Option<Webhook>) {
        self.bots.insert(token.to_owned(), Bot { webhook, update_id: 1000, chats: BTreeMap::new() });
    }

    pub(super) fn add_person(&mut self, person: i64, name: &str) {
        self.people.insert(person, name.to_owned());
    }

    pub(super) fn knows_bot(&self, token: &str) -> bool {
        self.bots.contains_key(token)
    }

    pub(super) fn webhook(&self, token: &str) -> Option<Webhook> {
        self.bots.get(token)?.webhook.clone()
    }

    pub(super) fn set_webhook(&mut self, token: &str, webhook: Option<Webhook>) {
        self.bot(token).webhook = webhook;
    }

    pub(super) fn fail_next(&mut self, method: &str, times: usize, fault: Fault) {
        self.faults.entry(method.to_owned()).or_default().extend(std::iter::repeat_n(fault, times));
    }

    pub(super) fn next_fault(&mut self, method: &str) -> Option<Fault> {
        self.faults.get_mut(method)?.pop_front()
    }

    pub(super) fn let_callbacks_grow_stale(&mut self) {
        for callback in self.callbacks.values_mut() {
            callback.tapped = None;
        }
    }

    pub(super) fn open_chat(&mut self, token: &str, person: i64) {
        self.conversation(token, person).open = true;
    }

    pub(super) fn block_bot(&mut self, token: &str, person: i64) {
        self.conversation(token, person).blocked = true;
    }

    pub(super) fn messages(&self, token: &str, person: i64) -> Vec<Message> {
        let chat = self.bots.get(token).and_then(|bot| bot.chats.get(&person));
        chat.map(|chat| chat.messages.clone()).unwrap_or_default()
    }

    /// The chat a bot may write to.
    pub(super) fn reachable(&mut self, token: &str, person: i64) -> Result<&mut Vec<Message>, (u16, &'static str)> {
        let chat = self.conversation(token, person);
        match (chat.open, chat.blocked) {
            (_, true) => Err((403, "Forbidden: bot was blocked by the user")),
            (false, _) => Err((400, "Bad Request: chat not found")),
            (true, false) => Ok(&mut chat.messages),
        }
    }

    pub(super) fn answer(&mut self, query: &str, answer: Answer) -> Result<(), (u16, &'static str)> {
        let callback = self
            .callbacks
            .get_mut(query)
            .filter(|callback| callback.tapped.is_some_and(|tapped| tapped.elapsed() < CALLBACK_LIFE));
        let callback = callback
            .ok_or((400, "Bad Request: query is too old and response timeout expired or query ID is invalid"))?;
        callback.answers.push(answer);
        Ok(())
    }

    pub(super) fn answers(&self, query: &str) -> Vec<Answer> {
        self.callbacks.get(query).map(|callback| callback.answers.clone()).unwrap_or_default()
    }

    pub(super) fn text_update(&mut self, token: &str, person: i64, text: &str) -> Value {
        let from = self.user(person);
        let chat = self.conversation(token, person);
        chat.open = true;
        let id = next_id(&chat.messages);
        chat.messages.push(Message {
            id,
            from_bot: false,
            text: text.to_owned(),
            html: text.to_owned(),
            buttons: Vec::new(),
            edits: 0,
        });
        let mut message = json!({
            "message_id": id, "from": from, "chat": private_chat(&from), "date": 1_770_000_000, "text": text,
        });
        if text.starts_with('/') {
            message["entities"] = json!([{"offset": 0, "length": text.len(), "type": "bot_command"}]);
        }
        json!({"update_id": self.next_update(token), "message": message})
    }

    pub(super) fn tap_update(&mut self, token: &str, person: i64, data: &str) -> Value {
        let from = self.user(person);
        let update_id = self.next_update(token);
        let bot = json!({"id": bot_id(token), "is_bot": true, "first_name": "Заявки", "username": "orders_bot"});
        let chat = self.conversation(token, person);
        chat.open = true;
        let mut query = json!({
            "id": format!("{person}{update_id}"), "from": from, "chat_instance": "-42", "data": data,
        });
        if let Some(message) = chat.messages.iter().rfind(|message| message.from_bot) {
            query["message"] = message_json(message, &bot, &private_chat(&from));
        }
        let id = query["id"].as_str().unwrap_or_default().to_owned();
        self.callbacks.insert(id, Callback { tapped: Some(Instant::now()), answers: Vec::new() });
        json!({"update_id": update_id, "callback_query": query})
    }

    fn bot(&mut self, token: &str) -> &mut Bot {
        self.bots.get_mut(token).expect("a bot that was added")
    }

    fn conversation(&mut self, token: &str, person: i64) -> &mut Conversation {
        self.bot(token).chats.entry(person).or_default()
    }

    fn next_update(&mut self, token: &str) -> i64 {
        let bot = self.bot(token);
        bot.update_id += 1;
        bot.update_id
    }

    fn user(&self, person: i64) -> Value {
        let name = self.people.get(&person).map_or("Кто-то", String::as_str);
        json!({"id": person, "is_bot": false, "first_name": name, "language_code": "ru"})
    }
}

pub(super) fn next_id(messages: &[Message]) -> i32 {
    messages.last().map_or(1, |message| message.id + 1)
}

pub(super) fn bot_id(token: &str) -> i64 {
    token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default()
}

pub(super) fn private_chat(person: &Value) -> Value {
    json!({"id": person["id"], "first_name": person["first_name"], "type": "private"})
}

pub(super) fn message_json(message: &Message, from: &Value, chat: &Value) -> Value {
    let rows: Vec<Vec<Value>> = message
        .buttons
        .iter()
        .map(|row| row.iter().map(|button| json!({"text": button.text, "callback_data": button.data})).collect())
        .collect();
    json!({
        "message_id": message.id, "from": from, "chat": chat, "date": 1_770_000_000, "text": message.text,
        "reply_markup": {"inline_keyboard": rows},
    })
}
