//! A thin sender: frankenstein's parameter types, one HTTP request, a typed outcome.
//!
//! frankenstein's own client is not used: it retries nothing, waits up to 500 s, shows the token in `Debug`, and
//! reports a non-JSON answer by quoting it whole, a client's phone included. Here every call has a deadline, and no
//! token, text or answer gets into an error.

use std::fmt;
use std::time::Duration;

use frankenstein::ParseMode;
use frankenstein::methods::{
    AnswerCallbackQueryParams, DeleteWebhookParams, EditMessageTextParams, SendMessageParams, SetWebhookParams,
};
use frankenstein::response::{ErrorResponse, MethodResponse};
use frankenstein::types::{AllowedUpdate, ChatId};
use frankenstein::updates::WebhookInfo;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::config::{BotName, Token, WebhookSecret};
use crate::render::Screen;

/// Telegram answers within tens of milliseconds; whatever takes longer is not waited for while a person taps.
const CALL: Duration = Duration::from_secs(4);
const CONNECT: Duration = Duration::from_secs(2);

/// Longest text of an answer to a callback, in characters.
/// <https://core.telegram.org/bots/api#answercallbackquery>
pub const ALERT_LIMIT: usize = 200;

/// A failed call, sorted by what it means for what was to be shown.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Too many requests; not before this many seconds.
    #[error("Telegram asks to wait {0} s")]
    RetryAfter(u16),
    /// The person blocked the bot or never started it.
    #[error("the user cannot be reached: {0}")]
    Unreachable(String),
    /// The message to edit is gone or too old: a new one must be sent.
    #[error("the message cannot be edited: {0}")]
    MessageGone(String),
    /// The callback was answered too late, or is not known. Harmless.
    #[error("the callback is too old")]
    StaleQuery,
    /// Telegram refused; the same call would be refused again.
    #[error("Telegram refused ({code}): {description}")]
    Refused {
        /// The HTTP status.
        code: u64,
        /// Telegram's description.
        description: String,
    },
    /// Telegram could not be reached or did not answer in words; the call may have had its effect.
    #[error("Telegram did not answer: {0}")]
    NoAnswer(String),
}

/// The HTTP client for both bots.
///
/// # Panics
/// Never: the configuration is constant.
#[must_use]
pub fn http_client() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(crate::tls::publicly_trusting())
        .timeout(CALL)
        .connect_timeout(CONNECT)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
        .expect("a client from constant settings")
}

/// One of the two bots.
#[derive(Clone)]
pub struct Bot {
    client: reqwest::Client,
    name: BotName,
    /// With the token: not to be shown.
    base: String,
}

impl fmt::Debug for Bot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bot({})", self.name.as_str())
    }
}

impl Bot {
    /// A bot at the Bot API that `api_url` points to.
    #[must_use]
    pub fn new(client: reqwest::Client, api_url: &str, name: BotName, token: &Token) -> Self {
        Self { client, name, base: format!("{api_url}/bot{}", token.reveal()) }
    }

    /// Which bot this is.
    #[must_use]
    pub fn name(&self) -> BotName {
        self.name
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

    /// Sends a screen as a new message.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer; in the latter case the message may have been sent.
    pub async fn send(&self, chat: i64, screen: Screen) -> Result<(), Error> {
        let params = SendMessageParams::builder()
            .chat_id(ChatId::Integer(chat))
            .text(screen.text)
            .parse_mode(ParseMode::Html)
            .reply_markup(frankenstein::types::ReplyMarkup::InlineKeyboardMarkup(screen.keyboard))
            .build();
        self.call::<_, IgnoredAny>("sendMessage", &params).await.map(drop)
    }

    /// Turns a message into a screen. That it shows the screen already is a success.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn edit(&self, chat: i64, message: i32, screen: &Screen) -> Result<(), Error> {
        let params = EditMessageTextParams::builder()
            .chat_id(ChatId::Integer(chat))
            .message_id(message)
            .text(screen.text.clone())
            .parse_mode(ParseMode::Html)
            .reply_markup(screen.keyboard.clone())
            .build();
        match self.call::<_, IgnoredAny>("editMessageText", &params).await {
            Err(Error::Refused { description, .. }) if description.contains("message is not modified") => Ok(()),
            result => result.map(drop),
        }
    }

    /// Shows a screen in place of a message, or as a new message if that one is gone.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn show(&self, chat: i64, message: i32, screen: Screen) -> Result<(), Error> {
        match self.edit(chat, message, &screen).await {
            Err(Error::MessageGone(_)) => self.send(chat, screen).await,
            result => result,
        }
    }

    /// Registers the webhook: the URL, the secret, the kinds of update that are handled, the connection limit.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn set_webhook(&self, url: &str, secret: &WebhookSecret, max_connections: u32) -> Result<(), Error> {
        let params = SetWebhookParams::builder()
            .url(url)
            .secret_token(secret.reveal())
            .max_connections(max_connections)
            .allowed_updates(vec![AllowedUpdate::Message, AllowedUpdate::CallbackQuery])
            .build();
        self.call::<_, bool>("setWebhook", &params).await.map(drop)
    }

    /// What Telegram knows about the webhook.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn webhook_info(&self) -> Result<WebhookInfo, Error> {
        self.call("getWebhookInfo", &serde_json::json!({})).await
    }

    /// Removes the webhook; waiting updates stay with Telegram for 24 hours.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn delete_webhook(&self) -> Result<(), Error> {
        let params = DeleteWebhookParams { drop_pending_updates: Some(false) };
        self.call::<_, bool>("deleteWebhook", &params).await.map(drop)
    }

    async fn call<P: Serialize + Sync, T: DeserializeOwned>(&self, method: &str, params: &P) -> Result<T, Error> {
        let body = serde_json::to_vec(params).expect("parameters are plain data");
        match self.post(method, body.clone()).await {
            // Not sent at all: the connection was refused, or a kept-alive one turned out to be closed, as all are
            // after a Lambda was frozen.
            Err(error) if error.is_connect() || (error.is_request() && !error.is_timeout()) => {
                self.post(method, body).await
            }
            result => result,
        }
        .map_err(|error| Error::NoAnswer(describe(&error)))
        .and_then(|(status, body)| read(status, &body))
    }

    async fn post(&self, method: &str, body: Vec<u8>) -> Result<(reqwest::StatusCode, Vec<u8>), reqwest::Error> {
        let request = self.client.post(format!("{}/{method}", self.base));
        let response = request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body).send().await?;
        Ok((response.status(), response.bytes().await?.to_vec()))
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

fn read<T: DeserializeOwned>(status: reqwest::StatusCode, body: &[u8]) -> Result<T, Error> {
    if status.is_success() {
        return serde_json::from_slice::<MethodResponse<T>>(body)
            .map(|response| response.result)
            .map_err(|_| Error::NoAnswer("an answer that is not the Bot API's".to_owned()));
    }
    let Ok(error) = serde_json::from_slice::<ErrorResponse>(body) else {
        return Err(Error::NoAnswer(format!("HTTP {}", status.as_u16())));
    };
    let retry_after = error.parameters.and_then(|parameters| parameters.retry_after);
    let description = error.description;
    let says = |part: &str| description.contains(part);
    Err(match error.error_code {
        429 => Error::RetryAfter(retry_after.unwrap_or(1)),
        403 => Error::Unreachable(description),
        400 if says("query is too old") || says("query ID is invalid") => Error::StaleQuery,
        400 if says("message can't be edited") || says("message to edit not found") => Error::MessageGone(description),
        400 if says("chat not found") => Error::Unreachable(description),
        code @ 500.. => Error::NoAnswer(format!("HTTP {code}")),
        code => Error::Refused { code, description },
    })
}

/// The error and its causes, without the URL, which has the token in it.
fn describe(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "timed out".to_owned();
    }
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    cause.map_or_else(|| "the request failed".to_owned(), ToString::to_string)
}

/// At most `limit` characters as Telegram counts them (UTF-16 code units), the last one an ellipsis if something was
/// cut.
pub(crate) fn cut(text: &str, limit: usize) -> String {
    let mut units = 0;
    let mut fits = 0;
    for (index, character) in text.char_indices() {
        units += character.len_utf16();
        if units > limit {
            return format!("{}…", &text[..fits]);
        }
        if units < limit {
            fits = index + character.len_utf8();
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn what_is_too_long_is_cut_to_the_limit() {
        assert_eq!(cut("заявка", 6), "заявка");
        assert_eq!(cut("заявка", 5), "заяв…");
        assert_eq!(cut("🔧🔧🔧", 6), "🔧🔧🔧");
        assert_eq!(cut("🔧🔧🔧", 5), "🔧🔧…");
        assert_eq!(cut("🔧🔧🔧", 4), "🔧…");
        assert_eq!(cut("", 1), "");
    }
}
