//! A local Telegram: people, chats and bots in memory, behind the Bot API's real HTTP face, delivering real Update
//! JSON to a real webhook.
//!
//! It refuses what the real one refuses:
//!
//! | rule | source |
//! |---|---|
//! | unknown token: 401; unknown method: 404 | <https://core.telegram.org/bots/api#making-requests> |
//! | a bot cannot write to a person who never wrote to it (400 chat not found) or who blocked it (403) | <https://core.telegram.org/bots/faq> |
//! | text is 1–4096 characters after entities are parsed | <https://core.telegram.org/bots/api#sendmessage> |
//! | HTML with an unknown, unclosed or mismatched tag is refused | <https://core.telegram.org/bots/api#html-style> |
//! | `callback_data` is 1–64 bytes, a button has a text | <https://core.telegram.org/bots/api#inlinekeyboardbutton> |
//! | an edit that changes nothing is refused, so is one of a message that is not there | answers of the live API |
//! | a callback is answered within about 15 s, with at most 200 characters | <https://core.telegram.org/bots/api#answercallbackquery>, answers of the live API |
//! | a webhook's secret is 1–256 of `A-Za-z0-9_-`, its connections 1–100 | <https://core.telegram.org/bots/api#setwebhook> |
//!
//! It does not enforce rate limits, the https scheme of a webhook, or the 48 hours after which a message cannot be
//! edited; and it delivers an update once, when told to.

mod api;
mod model;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use model::Model;
pub use model::{Answer, Button, Call, Fault, Message, Trouble, Webhook};

/// A running local Telegram. Clones share it; it stops when the last one is dropped.
#[derive(Clone)]
pub struct Telegram {
    model: Arc<Mutex<Model>>,
    client: reqwest::Client,
    api_url: String,
    _running: Arc<oneshot::Sender<()>>,
}

impl Telegram {
    /// Starts it on a free port of this machine.
    ///
    /// # Errors
    /// When no port can be listened on.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let model = Arc::new(Mutex::new(Model::default()));
        let (running, stopped) = oneshot::channel::<()>();
        tokio::spawn(api::serve(listener, Arc::clone(&model), async move { drop(stopped.await) }));
        let client = crate::telegram::http_client(&api_url);
        Ok(Self { model, client, api_url, _running: Arc::new(running) })
    }

    /// What `TELEGRAM_API_URL` is to be.
    #[must_use]
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// Adds a bot. Its webhook may be set here or by `setWebhook`.
    pub fn add_bot(&self, token: &str, webhook: Option<Webhook>) {
        self.model().add_bot(token, webhook);
    }

    /// The private chat of a person with a bot; the person has not written yet, so the bot cannot.
    #[must_use]
    pub fn chat(&self, token: &str, person: i64, name: &str) -> Chat {
        self.model().add_person(person, name);
        Chat { telegram: self.clone(), token: token.to_owned(), person }
    }

    /// Lets a number of coming calls of a method fail.
    pub fn fail_next(&self, method: &str, times: usize, fault: Fault) {
        self.model().fail_next(method, times, fault);
    }

    /// Every call so far, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.model().calls.clone()
    }

    /// Lets time pass for callbacks: those tapped so far are too old to be answered.
    pub fn let_callbacks_grow_stale(&self) {
        self.model().let_callbacks_grow_stale();
    }

    /// Points a bot's webhook elsewhere.
    pub fn set_webhook(&self, token: &str, webhook: Webhook) {
        self.model().set_webhook(token, Some(webhook));
    }

    /// Sets what `getWebhookInfo` tells of deliveries.
    pub fn report_trouble(&self, trouble: Trouble) {
        self.model().trouble = trouble;
    }

    /// The webhook that a bot has.
    #[must_use]
    pub fn webhook(&self, token: &str) -> Option<Webhook> {
        self.model().webhook(token)
    }

    /// Delivers an update to the bot's webhook, once.
    ///
    /// # Panics
    /// When the bot has no webhook.
    pub async fn deliver(&self, token: &str, update: &Value) -> Delivery {
        let webhook = self.webhook(token).expect("the bot has a webhook");
        let begun = Instant::now();
        let answer = self
            .client
            .post(&webhook.url)
            .timeout(Duration::from_mins(1))
            .header("X-Telegram-Bot-Api-Secret-Token", webhook.secret.unwrap_or_default())
            .header("Content-Type", "application/json")
            .body(update.to_string())
            .send()
            .await;
        Delivery { status: answer.map(|answer| answer.status().as_u16()).ok(), took: begun.elapsed() }
    }

    fn model(&self) -> MutexGuard<'_, Model> {
        lock(&self.model)
    }
}

fn lock(model: &Mutex<Model>) -> MutexGuard<'_, Model> {
    model.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// The webhook's status; `None` if it hung up or did not answer.
    pub status: Option<u16>,
    /// From the first byte sent to the answer.
    pub took: Duration,
}

/// A person's private chat with a bot: what a thumb can do there, and what the eye sees.
#[derive(Clone)]
pub struct Chat {
    telegram: Telegram,
    token: String,
    person: i64,
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
        self.telegram.model().open_chat(&self.token, self.person);
    }

    /// Blocks the bot.
    pub fn block_bot(&self) {
        self.telegram.model().block_bot(&self.token, self.person);
    }

    /// The update of writing `text`, not delivered yet.
    #[must_use]
    pub fn text_update(&self, text: &str) -> Value {
        self.telegram.model().text_update(&self.token, self.person, text)
    }

    /// Writes `text`.
    pub async fn say(&self, text: &str) -> Delivery {
        let update = self.text_update(text);
        self.telegram.deliver(&self.token, &update).await
    }

    /// The update of tapping a button with this `callback_data`, there or not, on the bot's last message.
    #[must_use]
    pub fn tap_update(&self, data: &str) -> Value {
        self.telegram.model().tap_update(&self.token, self.person, data)
    }

    /// Taps a button with this `callback_data`, there or not, on the bot's last message.
    pub async fn tap(&self, data: &str) -> Tap {
        let update = self.tap_update(data);
        self.deliver(update).await
    }

    /// Taps the first button of the bot's last message whose text has `label` in it.
    ///
    /// # Panics
    /// When there is no such button: a person could not tap it either.
    pub async fn press(&self, label: &str) -> Tap {
        let buttons = self.buttons();
        let button = buttons.iter().find(|button| button.text.contains(label));
        let button = button.unwrap_or_else(|| panic!("no button «{label}» among {buttons:?}"));
        self.tap(&button.data).await
    }

    /// Delivers a tap's update, again or for the first time.
    pub async fn deliver(&self, update: Value) -> Tap {
        let delivery = self.telegram.deliver(&self.token, &update).await;
        let query = update["callback_query"]["id"].as_str().unwrap_or_default();
        let answers = self.telegram.model().answers(query);
        Tap { update, delivery, answers }
    }

    /// All messages, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.telegram.model().messages(&self.token, self.person)
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
