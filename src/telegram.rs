//! A thin sender: frankenstein's parameter types, one HTTP request, a typed outcome.
//!
//! frankenstein's own client is not used: it retries nothing, waits up to 500 s, shows the token in `Debug`, and
//! reports a non-JSON answer by quoting it whole, a client's phone included. Here every call has a deadline, and no
//! token, text or answer gets into an error.

mod look;
mod no_answer;
mod refusal;
mod updates;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use frankenstein::ParseMode;
use frankenstein::methods::{
    AnswerCallbackQueryParams, DeleteMessageParams, DeleteWebhookParams, EditMessageTextParams, SendMessageParams,
    SetWebhookParams,
};
use frankenstein::response::MethodResponse;
use frankenstein::types::{AllowedUpdate, ChatId, InlineKeyboardMarkup, ReplyMarkup};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use tracing::Instrument;

use crate::config::{SharedSecret, Token};
use crate::metrics::Metrics;
use crate::model::BotName;
use crate::model::text::cut;
pub use look::WebhookInfo;
pub use refusal::Refusal;
pub use updates::AT_ONCE;

/// Telegram answers within tens of milliseconds; whatever takes longer is not waited for while a person taps.
const CALL: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(2);

/// How much of an answer is read, in bytes. Telegram's are a few kilobytes.
const ANSWER_LIMIT: usize = 1024 * 1024;

/// The kinds of update that are handled: no others are asked for.
const HANDLED: [AllowedUpdate; 3] =
    [AllowedUpdate::Message, AllowedUpdate::EditedMessage, AllowedUpdate::CallbackQuery];

/// Longest text of an answer to a callback, in characters.
/// <https://core.telegram.org/bots/api#answercallbackquery>
pub const ALERT_LIMIT: usize = 200;

/// A failed call, sorted by what it means for what was to be shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many requests; not before this many seconds.
    #[error("Telegram asks to wait {0} s")]
    RetryAfter(u64),
    /// The person blocked the bot or never started it.
    #[error("the user cannot be reached: {0}")]
    Unreachable(Refusal),
    /// The message to edit or to delete is gone or too old: a new one must be sent.
    #[error("the message cannot be changed: {0}")]
    MessageGone(Refusal),
    /// The callback was answered too late, or is not known. Harmless.
    #[error("the callback is too old")]
    StaleQuery,
    /// Telegram refused; the same call would be refused again.
    #[error("Telegram refused ({code}): {why}")]
    Refused {
        /// The HTTP status.
        code: u64,
        /// Why.
        why: Refusal,
    },
    /// Telegram could not be reached or did not answer in words; the call may have had its effect.
    #[error("Telegram did not answer: {0}")]
    NoAnswer(String),
}

impl Error {
    /// Whether the same call may be taken later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::RetryAfter(_) | Self::NoAnswer(_))
    }

    /// The word in counters.
    #[must_use]
    pub fn counted(&self) -> &'static str {
        match self {
            Self::RetryAfter(_) => "RETRY_AFTER",
            Self::Unreachable(_) => "UNREACHABLE",
            Self::MessageGone(_) => "MESSAGE_GONE",
            Self::StaleQuery => "STALE_QUERY",
            Self::Refused { .. } => "REFUSED",
            Self::NoAnswer(_) => "NO_ANSWER",
        }
    }
}

/// The HTTP client for calls to this address. A proxy that the environment names is used, but never to reach this very
/// machine.
///
/// # Panics
/// Never: the configuration is constant.
#[must_use]
pub fn http_client(url: &str) -> reqwest::Client {
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(crate::tls::publicly_trusting())
        .timeout(CALL)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true);
    let host = reqwest::Url::parse(url).ok().and_then(|url| url.host_str().map(ToOwned::to_owned));
    let here = host.is_some_and(|host| ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str()));
    let client = if here { client.no_proxy() } else { client };
    client.build().expect("a client from constant settings")
}

/// The two bots' senders.
#[derive(Clone, Debug)]
pub struct Telegram {
    /// The technicians' bot.
    pub master: Bot,
    /// The dispatchers' bot.
    pub admin: Bot,
}

impl Telegram {
    /// The sender of that bot.
    #[must_use]
    pub fn of(&self, bot: BotName) -> &Bot {
        match bot {
            BotName::Master => &self.master,
            BotName::Admin => &self.admin,
        }
    }
}

/// One of the two bots.
#[derive(Clone)]
pub struct Bot {
    client: reqwest::Client,
    /// With the token: not to be shown.
    base: String,
    metrics: Arc<Metrics>,
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bot(…)")
    }
}

impl Bot {
    /// A bot at the Bot API that `api_url` points to.
    #[must_use]
    pub fn new(client: reqwest::Client, api_url: &str, token: &Token) -> Self {
        Self { client, base: format!("{api_url}/bot{}", token.reveal()), metrics: Arc::default() }
    }

    /// The same, counting its calls there.
    #[must_use]
    pub fn counting(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Answers a callback: stops the button's spinner and shows `notice`, if there is one.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn answer(&self, callback_query_id: &str, notice: Option<&Notice>) -> Result<(), Error> {
        let text = notice.map(|notice| cut(&notice.text, ALERT_LIMIT));
        let params = AnswerCallbackQueryParams {
            callback_query_id: callback_query_id.to_owned(),
            text,
            show_alert: notice.map(|notice| notice.alert),
            url: None,
            cache_time: None,
        };
        self.call::<_, IgnoredAny>("answerCallbackQuery", &params).await.map(drop)
    }

    /// Sends a new message, text in Telegram's HTML and the buttons under it; the message's id, if Telegram tells it.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer; in the latter case the message may have been sent.
    pub async fn send(&self, chat: i64, text: &str, keyboard: &InlineKeyboardMarkup) -> Result<Option<i32>, Error> {
        let params = SendMessageParams::builder()
            .chat_id(ChatId::Integer(chat))
            .text(text)
            .parse_mode(ParseMode::Html)
            .reply_markup(ReplyMarkup::InlineKeyboardMarkup(keyboard.clone()))
            .build();
        // What was sent must not be sent again because the rest of the answer is not understood.
        let sent: serde_json::Value = self.call("sendMessage", &params).await?;
        Ok(sent["message_id"].as_i64().and_then(|id| id.try_into().ok()))
    }

    /// Sends a new message that puts a key under the field which shares the person's own contact; or, without its label, takes
    /// whatever is there away.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer; in the latter case the message may have been sent.
    pub async fn send_with_key(&self, chat: i64, text: &str, contact: Option<&str>) -> Result<(), Error> {
        // <https://core.telegram.org/bots/api#keyboardbutton>
        let markup = match contact {
            Some(label) => serde_json::json!({
                "keyboard": [[{"text": label, "request_contact": true}]], "resize_keyboard": true, "one_time_keyboard": true,
            }),
            None => serde_json::json!({"remove_keyboard": true}),
        };
        let params = serde_json::json!({"chat_id": chat, "text": text, "parse_mode": "HTML", "reply_markup": markup});
        self.call::<_, IgnoredAny>("sendMessage", &params).await.map(drop)
    }

    /// The bot's name in links: `https://t.me/<name>`.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn username(&self) -> Result<String, Error> {
        #[derive(serde::Deserialize)]
        struct Me {
            username: String,
        }
        self.call::<_, Me>("getMe", &serde_json::json!({})).await.map(|me| me.username)
    }

    /// Offers commands in one chat, each with what it does; none: takes them away.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn set_commands(&self, chat: i64, commands: &[(&str, &str)]) -> Result<(), Error> {
        // <https://core.telegram.org/bots/api#botcommandscopechat>
        let scope = serde_json::json!({"type": "chat", "chat_id": chat});
        if commands.is_empty() {
            return self
                .call::<_, IgnoredAny>("deleteMyCommands", &serde_json::json!({"scope": scope}))
                .await
                .map(drop);
        }
        let named =
            |(command, description): &(&str, &str)| serde_json::json!({"command": command, "description": description});
        let commands: Vec<_> = commands.iter().map(named).collect();
        self.call::<_, IgnoredAny>("setMyCommands", &serde_json::json!({"scope": scope, "commands": commands}))
            .await
            .map(drop)
    }

    /// Lets the button beside the field of one chat open a page; `None`: it lists the commands, as in every chat.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn set_menu_button(&self, chat: i64, page: Option<(&str, &str)>) -> Result<(), Error> {
        // <https://core.telegram.org/bots/api#setchatmenubutton>
        let button = match page {
            Some((text, url)) => serde_json::json!({"type": "web_app", "text": text, "web_app": {"url": url}}),
            None => serde_json::json!({"type": "default"}),
        };
        let params = serde_json::json!({"chat_id": chat, "menu_button": button});
        self.call::<_, IgnoredAny>("setChatMenuButton", &params).await.map(drop)
    }

    /// Changes a message. That it says so already is a success.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn edit(
        &self,
        chat: i64,
        message: i32,
        text: &str,
        keyboard: &InlineKeyboardMarkup,
    ) -> Result<(), Error> {
        let params = EditMessageTextParams::builder()
            .chat_id(ChatId::Integer(chat))
            .message_id(message)
            .text(text)
            .parse_mode(ParseMode::Html)
            .reply_markup(keyboard.clone())
            .build();
        match self.call::<_, IgnoredAny>("editMessageText", &params).await {
            Err(Error::Refused { why: Refusal::NotModified, .. }) => Ok(()),
            result => result.map(drop),
        }
    }

    /// Takes the buttons from a message, whose text stays. That it has none is a success.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn strip(&self, chat: i64, message: i32) -> Result<(), Error> {
        let params = serde_json::json!({"chat_id": chat, "message_id": message});
        match self.call::<_, IgnoredAny>("editMessageReplyMarkup", &params).await {
            Err(Error::Refused { why: Refusal::NotModified, .. }) => Ok(()),
            result => result.map(drop),
        }
    }

    /// Changes a message, or sends a new one if that one is gone; the new one's id.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn show(
        &self,
        chat: i64,
        message: i32,
        text: &str,
        keyboard: &InlineKeyboardMarkup,
    ) -> Result<Option<i32>, Error> {
        match self.edit(chat, message, text, keyboard).await {
            Err(Error::MessageGone(_)) => self.send(chat, text, keyboard).await,
            edited => edited.map(|()| None),
        }
    }

    /// Deletes a message, which Telegram allows for 48 hours.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer. [`Error::MessageGone`]: it is not there, or too old.
    pub async fn delete(&self, chat: i64, message: i32) -> Result<(), Error> {
        let params = DeleteMessageParams { chat_id: ChatId::Integer(chat), message_id: message };
        self.call::<_, IgnoredAny>("deleteMessage", &params).await.map(drop)
    }

    /// Registers the webhook: the URL, the secret, the kinds of update that are handled, the connection limit.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn set_webhook(&self, url: &str, secret: &SharedSecret, max_connections: u32) -> Result<(), Error> {
        let params = SetWebhookParams::builder()
            .url(url)
            .secret_token(secret.reveal())
            .max_connections(max_connections)
            .allowed_updates(HANDLED.to_vec())
            .build();
        self.call::<_, bool>("setWebhook", &params).await.map(drop)
    }

    /// Removes the webhook; waiting updates stay with Telegram for 24 hours.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn delete_webhook(&self) -> Result<(), Error> {
        let params = DeleteWebhookParams { drop_pending_updates: Some(false) };
        self.call::<_, bool>("deleteWebhook", &params).await.map(drop)
    }

    async fn call<P: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: &P,
    ) -> Result<T, Error> {
        // By its method: its address has the token in it, and its parameters are people's.
        let span = tracing::debug_span!("telegram", method);
        let result = self.call_uncounted(method, params).instrument(span).await;
        self.metrics.count_call(method, result.as_ref().map_or_else(Error::counted, |_| "OK"));
        result
    }

    async fn call_uncounted<P: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: &str,
        params: &P,
    ) -> Result<T, Error> {
        let body = serde_json::to_vec(params).expect("parameters are plain data");
        // After a Lambda was frozen, kept-alive connections are closed, which may show only once the call is written.
        // Whether it was carried out is not known then: it is repeated unless that would show a message twice.
        let repeatable = method != "sendMessage";
        match self.post(method, body.clone(), CALL, ANSWER_LIMIT).await {
            Err(error) if error.is_connect() || (repeatable && error.is_request() && !error.is_timeout()) => {
                self.post(method, body, CALL, ANSWER_LIMIT).await
            }
            result => result,
        }
        .map_err(|error| Error::NoAnswer(no_answer::why(&error)))
        .and_then(|(status, body)| read(status, &body))
    }

    /// The answer to a call, if it is there in `time`, and no more than `limit` of it.
    async fn post(
        &self,
        method: &str,
        body: Vec<u8>,
        time: Duration,
        limit: usize,
    ) -> Result<(reqwest::StatusCode, Vec<u8>), reqwest::Error> {
        let request = self.client.post(format!("{}/{method}", self.base)).timeout(time);
        let mut response = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body).send().await?;
        let mut answer = Vec::new();
        // What is longer is not the Bot API's, and is then not understood.
        while answer.len() < limit
            && let Some(chunk) = response.chunk().await?
        {
            answer.extend_from_slice(&chunk);
        }
        Ok((response.status(), answer))
    }
}

/// What pops up over the chat when a callback is answered: plain text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// At most [`ALERT_LIMIT`] characters are shown.
    pub text: String,
    /// A dialog that has to be closed, rather than a line that goes by itself.
    pub alert: bool,
}

impl Notice {
    /// A dialog that has to be closed.
    #[must_use]
    pub fn alert(text: impl Into<String>) -> Self {
        Self { text: text.into(), alert: true }
    }

    /// A line that goes by itself.
    #[must_use]
    pub fn toast(text: impl Into<String>) -> Self {
        Self { text: text.into(), alert: false }
    }

    /// What a dialog says; `None`: it is a line.
    #[must_use]
    pub fn as_alert(&self) -> Option<&str> {
        self.alert.then_some(self.text.as_str())
    }
}

fn read<T: DeserializeOwned>(status: reqwest::StatusCode, body: &[u8]) -> Result<T, Error> {
    if status.is_success() {
        return serde_json::from_slice::<MethodResponse<T>>(body)
            .map(|response| response.result)
            .map_err(|_| Error::NoAnswer("an answer that is not the Bot API's".to_owned()));
    }
    Err(refusal::read(status.as_u16(), body))
}
