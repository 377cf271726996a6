//! What the local Telegram knows: bots, people, chats, updates, and the faults it was told to have.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::buttons::Button;
use super::faults::{Fault, Faults, NextCalls};
use super::html::Span;
use super::journal::{Answer, Journal, Record, State};
use super::keyboard::{Command, ReplyKeyboard};
use super::polls::Polls;
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
    /// Whose, by the public part of its token.
    pub bot: i64,
    /// The method.
    pub method: String,
    /// Its parameters.
    pub params: Value,
    /// The HTTP status it was answered with; 0 for none.
    pub status: u16,
    /// Why it was refused, in Telegram's words.
    pub refusal: Option<String>,
    /// When it arrived.
    pub at: Instant,
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
    /// When its person changed it last, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edited: Option<f64>,
    /// It came without a sound.
    pub silent: bool,
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
        Self {
            id,
            from_bot,
            text,
            spans,
            html,
            buttons,
            edits: 0,
            sent: time::wall_clock(),
            edited: None,
            silent: false,
        }
    }
}

/// A private chat.
#[derive(Default)]
pub(super) struct Conversation {
    /// The person has written: the bot may.
    pub(super) open: bool,
    pub(super) blocked: bool,
    /// The last ones, oldest first.
    pub(super) messages: Vec<Message>,
    last_id: i32,
    /// What is under the field that the person writes in.
    pub(super) keyboard: Option<ReplyKeyboard>,
    /// The bot's commands in this chat.
    pub(super) commands: Vec<Command>,
    /// The button beside the field, if it opens a page.
    pub(super) menu_button: Option<Button>,
    /// A program acts for the person while nobody plays them.
    pub(super) simulated: bool,
    /// When somebody last played the person.
    pub(super) touched: Option<Instant>,
}

/// How long after somebody touched a phone its person is left alone.
const PLAYED: Duration = Duration::from_mins(2);

impl Conversation {
    /// The number of a new message: greater than all before, whether they are still there or not.
    pub(super) fn next_id(&mut self) -> i32 {
        self.last_id = self.last_id.max(*FIRST - 1) + 1;
        self.last_id
    }

    /// Whether a program acts for the person now; `None`: it never does.
    pub(super) fn lives(&self) -> Option<bool> {
        self.simulated.then(|| self.touched.is_none_or(|touched| touched.elapsed() > PLAYED))
    }

    /// Puts a message at the end; those of long ago are forgotten.
    pub(super) fn add(&mut self, message: Message) {
        if self.messages.len() == KEPT {
            self.messages.remove(0);
        }
        self.messages.push(message);
    }
}

pub(super) struct Bot {
    pub(super) name: String,
    pub(super) webhook: Option<Webhook>,
    /// The kinds of update that the bot asked for; `None`: all of ours.
    pub(super) allowed_updates: Option<Vec<String>>,
    update_id: i64,
    pub(super) chats: BTreeMap<i64, Conversation>,
    /// When the last delivery failed, in seconds since 1970, and why.
    pub(super) last_error: Option<(i64, String)>,
    /// What `getWebhookInfo` is to say besides, or instead; nothing unless it is an object.
    pub(super) info: Value,
    /// Its calls for its updates.
    pub(super) polls: Polls,
}

impl Bot {
    /// The id of the newest update.
    pub(super) fn last_update(&self) -> i64 {
        self.update_id
    }
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
/// How many messages of a chat are kept.
const KEPT: usize = 500;

#[derive(Default)]
pub(super) struct Model {
    pub(super) time: Time,
    pub(super) bots: BTreeMap<String, Bot>,
    pub(super) people: BTreeMap<i64, String>,
    pub(super) journal: Journal,
    pub(super) queues: HashMap<Lane, VecDeque<Value>>,
    /// The queues at which somebody is at work.
    pub(super) attended: HashSet<Lane>,
    pub(super) faults: Faults,
    pub(super) next_calls: NextCalls,
    pub(super) hanging: usize,
    pub(super) calls: VecDeque<Call>,
    /// Who hears of every call.
    pub(super) observer: Option<mpsc::UnboundedSender<Call>>,
    /// The clock that messages are dated by.
    pub(super) dates: Clock,
    /// By how many seconds the date of every answer is off.
    pub(super) date_off: i64,
}

impl Model {
    pub(super) fn add_bot(&mut self, token: &str, name: &str, webhook: Option<Webhook>) {
        let bot = Bot {
            name: name.to_owned(),
            webhook,
            allowed_updates: None,
            update_id: (*FIRST).into(),
            chats: BTreeMap::new(),
            last_error: None,
            info: Value::Null,
            polls: Polls::default(),
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
        self.queues_of(token).map(VecDeque::len).sum()
    }

    /// The queues of a bot.
    pub(super) fn queues_of<'a>(&'a self, token: &'a str) -> impl Iterator<Item = &'a VecDeque<Value>> {
        self.queues.iter().filter(move |(lane, _)| lane.token == token).map(|(_, queue)| queue)
    }

    /// Takes an update out of its queue.
    pub(super) fn remove_queued(&mut self, token: &str, update_id: i64) {
        for (_, queue) in self.queues.iter_mut().filter(|(lane, _)| lane.token == token) {
            queue.retain(|queued| queued["update_id"].as_i64() != Some(update_id));
        }
    }

    /// Notes which kinds of update a bot asks for. Without the parameter they stay as they were; with none in it they are those
    /// that everybody gets.
    pub(super) fn allow(&mut self, token: &str, params: &Value) {
        if let Some(kinds) = params["allowed_updates"].as_array() {
            let kinds = kinds.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect::<Vec<_>>();
            self.bot(token).allowed_updates = Some(kinds).filter(|kinds| !kinds.is_empty());
        }
    }

    /// The chat a bot may write to.
    pub(super) fn reachable(&mut self, token: &str, person: i64) -> Result<&mut Conversation, (u16, &'static str)> {
        match self.bot(token).chats.get_mut(&person) {
            Some(chat) if chat.blocked => Err((403, "Forbidden: bot was blocked by the user")),
            Some(chat) if chat.open => Ok(chat),
            _ => Err((400, "Bad Request: chat not found")),
        }
    }

    pub(super) fn remember(&mut self, call: Call) {
        if let Some(observer) = &self.observer {
            // Who has stopped listening needs nothing.
            drop(observer.send(call.clone()));
        }
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

    /// Notes a new update; its id.
    pub(super) fn record(
        &mut self,
        token: &str,
        person: i64,
        what: &str,
        data: Option<&str>,
        message: Option<i32>,
    ) -> i64 {
        let bot = self.bot(token);
        bot.update_id += 1;
        let update_id = bot.update_id;
        self.journal.add(Record {
            update_id,
            bot: bot_id(token),
            person,
            simulated: false,
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

    /// Whether a bot has asked for updates of this kind.
    pub(super) fn wants(&self, token: &str, update: &Value) -> bool {
        let Some(kinds) = self.bots.get(token).and_then(|bot| bot.allowed_updates.as_ref()) else { return true };
        kinds.iter().any(|kind| update[kind].is_object())
    }

    pub(super) fn user(&self, person: i64) -> Value {
        let name = self.people.get(&person).map_or("Кто-то", String::as_str);
        json!({"id": person, "is_bot": false, "first_name": name, "language_code": "ru"})
    }
}

/// The public part of a bot's token.
#[must_use]
pub fn bot_id(token: &str) -> i64 {
    token.split(':').next().and_then(|id| id.parse().ok()).unwrap_or_default()
}

pub(super) fn bot_json(token: &str, name: &str) -> Value {
    json!({"id": bot_id(token), "is_bot": true, "first_name": name, "username": username(token)})
}

/// The bot's name in links, for ever the same.
pub(super) fn username(token: &str) -> String {
    format!("orders_{}_bot", bot_id(token))
}

pub(super) fn private_chat(person: &Value) -> Value {
    json!({"id": person["id"], "first_name": person["first_name"], "type": "private"})
}

pub(super) fn message_json(message: &Message, from: &Value, chat: &Value) -> Value {
    let mut json = json!({
        "message_id": message.id, "from": from, "chat": chat, "date": time::seconds(message.sent), "text": message.text,
    });
    if let Some(edited) = message.edited {
        json["edit_date"] = json!(time::seconds(edited));
    }
    if !message.buttons.is_empty() {
        let rows: Vec<Vec<Value>> = message.buttons.iter().map(|row| row.iter().map(Button::json).collect()).collect();
        json["reply_markup"] = json!({"inline_keyboard": rows});
    }
    json
}
