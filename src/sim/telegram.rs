//! A local Telegram: people, chats and bots in memory, behind the Bot API's real HTTP face, delivering real Update
//! JSON to a real webhook.
//!
//! It refuses what the real one refuses:
//!
//! | rule | source |
//! |---|---|
//! | unknown token: 401; unknown method: 404 | <https://core.telegram.org/bots/api#making-requests> |
//! | a bot cannot write to a person who never wrote to it (400 chat not found) or who blocked it (403), until that person writes again | <https://core.telegram.org/bots/faq> |
//! | text is 1–4096 characters after entities are parsed | <https://core.telegram.org/bots/api#sendmessage> |
//! | HTML with an unknown, unclosed or mismatched tag is refused | <https://core.telegram.org/bots/api#html-style> |
//! | a button has a text and does something; `callback_data` is 1–64 bytes, `copy_text` 1–256 characters, its style is one of three | <https://core.telegram.org/bots/api#inlinekeyboardbutton>, [the real server's parser] |
//! | an edit that changes nothing is refused, so is one of a message that is not there or not the bot's | answers of the live API |
//! | a message is deleted within 48 hours, and its number is not given again | <https://core.telegram.org/bots/api#deletemessage> |
//! | a callback is answered within about 15 s, with at most 200 characters | <https://core.telegram.org/bots/api#answercallbackquery>, answers of the live API |
//! | a webhook's secret is 1–256 of `A-Za-z0-9_-`, its connections 1–100 | <https://core.telegram.org/bots/api#setwebhook> |
//! | a person's callbacks are delivered one after another, a chat's messages too; people do not wait for each other | [the real server's source] |
//! | anything but a 2xx is delivered again: at once, then after 2, 4, 8 s up to 60–120 s, or when `Retry-After` says, an hour at most | [the real server's source] |
//! | an answer is waited for a minute; then the update is delivered again, whether the first run has ended or not | observed of the live server |
//! | a callback is dropped 150 s after the tap, a message after 24 h | [the real server's source], <https://core.telegram.org/bots/api#getting-updates> |
//! | a link starts a bot with 1–64 of `A-Za-z0-9_-`; a key under the field shares the person's own contact | <https://core.telegram.org/bots/features#deep-linking>, <https://core.telegram.org/bots/api#keyboardbutton> |
//! | a command is 1–32 of `a-z0-9_` with a description of 1–256 characters, at most 100 of them | <https://core.telegram.org/bots/api#botcommand> |
//! | only the kinds in `allowed_updates` are delivered | <https://core.telegram.org/bots/api#setwebhook> |
//! | `getUpdates` tells 100 updates at most from `offset` on, forgets those before it, and waits for 50 s at most if there are none | <https://core.telegram.org/bots/api#getupdates> |
//! | it is refused (409) while there is a webhook; who waits is refused when another begins to wait, or a webhook is set | [the real server] |
//! | the same offset again within half a second is told one update, within three seconds it waits | [the real server] |
//! | without a webhook, updates wait until they are asked for | <https://core.telegram.org/bots/api#getting-updates> |
//! | a call in the body of a webhook's answer is carried out, and its result told to nobody | <https://core.telegram.org/bots/api#making-requests-when-getting-updates> |
//!
//! It refuses besides what the real one takes and then shows otherwise than was meant, so that a test sees it:
//!
//! | rule | what the real one does |
//! |---|---|
//! | a `tg-time` has a `unix`, in digits, and a text | it shows the text alone, which stands still; or nothing |
//! | `code`, `pre` and `tg-time` are part of nothing but a quotation and contain nothing; quotations are not nested | it drops a part of the formatting |
//! | a button does one thing only | it takes the first that it looks for |
//!
//! And it lets pass, or does not do, what the real one refuses or does:
//!
//! | rule | source |
//! |---|---|
//! | about 30 messages a second for a bot, one a second in a chat, then 429: only when told to | <https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this> |
//! | a webhook is https, on port 443, 80, 88 or 8443; a Bot API server of one's own takes http too | <https://core.telegram.org/bots/api#setwebhook> |
//! | no more deliveries at once than the webhook's `max_connections` | <https://core.telegram.org/bots/api#setwebhook> |
//! | a message of a bot can be edited for 48 hours if it has no buttons | <https://core.telegram.org/bots/api#updating-messages> |
//! | at most 100 buttons under a message, of which 8 in a row | answers of the live API |
//! | parameters in the query or as a form; `parse_mode` other than HTML; `entities` | <https://core.telegram.org/bots/api#making-requests> |
//! | methods other than getMe, getUpdates, sendMessage, editMessageText, editMessageReplyMarkup, deleteMessage, answerCallbackQuery, getChat, those of a chat's commands and menu button and the webhook's three; chats that are not private; buttons that do something else than send, copy or open an address or a page | <https://core.telegram.org/bots/api#available-methods> |
//! | setWebhook lets the updates that wait begin anew | [the real server's source] |
//! | after 23 hours of 410 the webhook is removed | [the real server's source] |
//! | a second 409 within three seconds comes three seconds later | [the real server] |
//!
//! [the real server]: https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
//! [the real server's parser]: https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/Client.cpp
//! [the real server's source]: https://github.com/tdlib/telegram-bot-api/blob/master/telegram-bot-api/WebhookActor.cpp

mod api;
mod buttons;
mod chat;
mod delivery;
mod faults;
mod html;
mod journal;
mod keyboard;
mod model;
mod polling;
mod polls;
mod time;
mod updates;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde::Serialize;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::store::Clock;
pub use buttons::{Button, Style};
pub use chat::{Chat, Tap};
pub use delivery::Delivery;
pub use faults::{Fault, Faults, Force};
pub use html::{Span, Time as ShownTime};
pub use journal::{Answer, Attempt, MadeCall, Record, State};
pub use keyboard::{Command, ReplyKey, ReplyKeyboard};
use model::Model;
pub use model::{Call, Message, Webhook, bot_id};
pub(super) use time::wall_clock;

/// A running local Telegram. Clones share it; it stops when the last one is dropped and nothing waits to be delivered.
#[derive(Clone)]
pub struct Telegram {
    shared: Arc<Shared>,
    client: reqwest::Client,
    api_url: String,
    _running: Arc<oneshot::Sender<()>>,
}

/// The model, and word of its changes.
#[derive(Default)]
struct Shared {
    model: Mutex<Model>,
    changed: watch::Sender<()>,
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        let result = change(&mut self.model.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
        result
    }
}

/// A bot, as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct BotInfo {
    /// The public part of its token.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// How many updates wait to be delivered to it.
    #[serde(skip)]
    pub waiting: usize,
}

/// A chat, as it looks to its person.
#[derive(Clone, Debug, Serialize)]
pub struct Phone {
    /// The bot, by the public part of its token.
    pub bot: i64,
    /// The bot's name.
    pub bot_name: String,
    /// The person's Telegram id.
    pub person: i64,
    /// The person's name.
    pub name: String,
    /// Whether the person has blocked the bot.
    pub blocked: bool,
    /// Whether a program acts for the person now; missing if it never does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lives: Option<bool>,
    /// The keyboard under the field, if the bot has put one there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keyboard: Option<ReplyKeyboard>,
    /// The bot's commands in this chat.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Command>,
    /// The button beside the field, if it opens a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub menu_button: Option<Button>,
    /// The last messages, oldest first.
    pub messages: Vec<Message>,
}

impl Telegram {
    /// Starts it on a free port of this machine.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared::default());
        let (running, stopped) = oneshot::channel::<()>();
        let face = Arc::clone(&shared);
        tokio::spawn(crate::http::server::run(listener, async move { drop(stopped.await) }, move |request| {
            let face = Arc::clone(&face);
            async move { api::respond(&face, request).await }
        }));
        let client = crate::telegram::http_client(&api_url);
        Ok(Self { shared, client, api_url, _running: Arc::new(running) })
    }

    /// Dates what people write by a clock that stands, as statements of a test go by it.
    pub fn date_by(&self, clock: Clock) {
        self.shared.change(|model| model.dates = clock);
    }

    /// What `TELEGRAM_API_URL` is to be.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// Answers a call to the Bot API that came in at another address.
    pub async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        api::respond(&self.shared, request).await
    }

    /// Adds a bot. Its webhook may be set here or by `setWebhook`.
    pub fn add_bot(&self, token: &str, name: &str, webhook: Option<Webhook>) {
        self.change(|model| model.add_bot(token, name, webhook));
    }

    /// Every bot, the one with the lowest token first.
    #[must_use]
    pub fn bots(&self) -> Vec<BotInfo> {
        self.read(|model| {
            let info = |(token, bot): (&String, &model::Bot)| BotInfo {
                id: model::bot_id(token),
                name: bot.name.clone(),
                waiting: model.waiting(token),
            };
            model.bots.iter().map(info).collect()
        })
    }

    /// The token of the bot with this id.
    #[must_use]
    pub fn token(&self, bot: i64) -> Option<String> {
        self.read(|model| model.bots.keys().find(|token| model::bot_id(token) == bot).cloned())
    }

    /// The private chat of a person with a bot; the person has not written yet, so the bot cannot.
    ///
    /// # Panics
    /// When there is no such bot.
    #[must_use]
    pub fn chat(&self, token: &str, person: i64, name: &str) -> Chat {
        self.change(|model| {
            model.people.insert(person, name.to_owned());
            model.conversation(token, person);
        });
        Chat { telegram: self.clone(), token: token.to_owned(), person }
    }

    /// A chat that is there already.
    #[must_use]
    pub fn known_chat(&self, token: &str, person: i64) -> Option<Chat> {
        let known = self.read(|model| model.bots.get(token).is_some_and(|bot| bot.chats.contains_key(&person)));
        known.then(|| Chat { telegram: self.clone(), token: token.to_owned(), person })
    }

    /// The chat that a link opens for a person, and the update of starting its bot with the link's code; `None`: it is no link
    /// that starts one of these bots.
    #[must_use]
    pub fn follow(&self, person: i64, link: &str) -> Option<(Chat, Value)> {
        let (name, code) = keyboard::deep_link(link)?;
        let token = self.read(|model| model.bots.keys().find(|token| model::username(token) == name).cloned())?;
        let known = self.read(|model| model.people.get(&person).cloned()).unwrap_or_default();
        let chat = self.chat(&token, person, &known);
        let update = chat.text_update(&format!("/start {code}"));
        Some((chat, update))
    }

    /// Lets a number of coming calls of a method fail.
    pub fn fail_next(&self, method: &str, times: usize, fault: Fault) {
        self.change(|model| model.next_calls.fail(method, times, fault));
    }

    /// Lets every so manieth call fail from now on, with these faults in turn; none if there are none.
    pub fn fail_every(&self, every: usize, in_turn: Vec<Fault>) {
        self.change(|model| model.next_calls.fail_every(every, in_turn));
    }

    /// How many calls hang at this moment.
    #[must_use]
    pub fn hanging(&self) -> usize {
        self.read(|model| model.hanging)
    }

    /// Which faults queued deliveries meet from now on.
    pub fn set_faults(&self, faults: Faults) {
        self.change(|model| model.faults = faults);
    }

    /// Which faults are in force.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.read(|model| model.faults)
    }

    /// The last calls, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.read(|model| model.calls.iter().cloned().collect())
    }

    /// Every call from now on, as it was answered; one listener hears of them, the last.
    #[must_use]
    pub fn observe(&self) -> mpsc::UnboundedReceiver<Call> {
        let (observer, calls) = mpsc::unbounded_channel();
        self.change(|model| model.observer = Some(observer));
        calls
    }

    /// What became of an update; `None` if it is forgotten.
    #[must_use]
    pub fn update(&self, bot: i64, update_id: i64) -> Option<Record> {
        self.read(|model| model.journal.get(bot, update_id).cloned())
    }

    /// The last `count` updates and what became of them, oldest first.
    #[must_use]
    pub fn journal(&self, count: usize) -> Vec<Record> {
        self.read(|model| model.journal.latest(count).cloned().collect())
    }

    /// The last `count` updates of people whom somebody plays, or of those who are simulated, oldest first.
    #[must_use]
    pub fn latest(&self, count: usize, simulated: bool) -> Vec<Record> {
        self.read(|model| {
            let of_these = model.journal.iter().rev().filter(|record| record.simulated == simulated);
            let mut latest: Vec<_> = of_these.take(count).cloned().collect();
            latest.reverse();
            latest
        })
    }

    /// Every chat, each with its last `count` messages.
    #[must_use]
    pub fn phones(&self, count: usize) -> Vec<Phone> {
        self.read(|model| {
            let chats = model.bots.iter().flat_map(|(token, bot)| bot.chats.iter().map(move |chat| (token, bot, chat)));
            chats
                .map(|(token, bot, (person, chat))| Phone {
                    bot: model::bot_id(token),
                    bot_name: bot.name.clone(),
                    person: *person,
                    name: model.people.get(person).cloned().unwrap_or_default(),
                    blocked: chat.blocked,
                    lives: chat.lives(),
                    keyboard: chat.keyboard.clone(),
                    commands: chat.commands.clone(),
                    menu_button: chat.menu_button.clone(),
                    messages: chat.messages[chat.messages.len().saturating_sub(count)..].to_vec(),
                })
                .collect()
        })
    }

    /// Whether a call for a bot's updates waits for something to tell.
    #[must_use]
    pub fn is_asked(&self, token: &str) -> bool {
        self.read(|model| model.bots.get(token).is_some_and(|bot| bot.polls.waits()))
    }

    /// Stops Telegram's clock: from now on time passes only by [`let_pass`](Self::let_pass).
    pub fn stop_clock(&self) {
        self.change(|model| model.time.stop());
    }

    /// Puts Telegram's clock forward: what waits for that long is delivered, and taps grow old.
    pub fn let_pass(&self, time: Duration) {
        self.change(|model| model.time.pass(time));
    }

    /// Puts Telegram's clock forward to the next attempt that is waited for, if there is one.
    pub fn let_pass_until_next_attempt(&self) {
        self.change(|model| {
            if let Some(due) = model.journal.first_due() {
                model.time.pass(due.saturating_sub(model.time.now()));
            }
        });
    }

    /// Points a bot's webhook elsewhere.
    ///
    /// # Panics
    /// When there is no such bot.
    pub fn set_webhook(&self, token: &str, webhook: Webhook) {
        self.change(|model| {
            let bot = model.bot(token);
            bot.webhook = Some(webhook);
            bot.polls.end();
        });
    }

    /// Takes a bot's webhook away: it asks for its updates itself.
    ///
    /// # Panics
    /// When there is no such bot.
    pub fn delete_webhook(&self, token: &str) {
        self.change(|model| model.bot(token).webhook = None);
    }

    /// Lets `getWebhookInfo` say this besides, or instead.
    ///
    /// # Panics
    /// When there is no such bot.
    pub fn let_webhook_info_say(&self, token: &str, said: Value) {
        self.change(|model| model.bot(token).info = said);
    }

    /// Lets the date of every answer be so many seconds off.
    pub fn put_date_off(&self, seconds: i64) {
        self.change(|model| model.date_off = seconds);
    }

    /// The webhook that a bot has.
    #[must_use]
    pub fn webhook(&self, token: &str) -> Option<Webhook> {
        self.read(|model| model.bots.get(token)?.webhook.clone())
    }

    /// Tells of changes from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.shared.changed.subscribe()
    }

    fn change<T>(&self, change: impl FnOnce(&mut Model) -> T) -> T {
        self.shared.change(change)
    }

    fn read<T>(&self, read: impl FnOnce(&Model) -> T) -> T {
        read(&self.shared.model.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a person reads of Telegram's HTML.
///
/// # Errors
/// Why Telegram refuses it.
pub fn html(html: &str) -> Result<String, String> {
    Ok(html::text_of(&html::parse(html)?))
}
