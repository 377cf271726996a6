//! What Telegram knows of a bot, for whoever looks whether everything is well. Nothing is changed and nobody is told.

use std::time::Instant;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::DATE;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Bot, Error};
use crate::model::TelegramUserId;
use crate::model::doctor::clocks::Reading;
use crate::model::doctor::finding::Unread;
use crate::model::doctor::webhook::{Me, Webhook};

/// How much of what Telegram says of a failure is repeated, in characters.
const WORDS: usize = 120;

/// `getWebhookInfo`. Not frankenstein's type, which fails over a kind of update that is newer than itself.
/// <https://core.telegram.org/bots/api#webhookinfo>
#[derive(Debug, Deserialize)]
pub struct WebhookInfo {
    /// Where updates are delivered; empty: nowhere.
    pub url: String,
    /// How many updates wait.
    pub pending_update_count: u32,
    /// When a delivery failed last, in seconds since 1970.
    pub last_error_date: Option<i64>,
    /// Why it did.
    pub last_error_message: Option<String>,
    /// How many deliveries there are at once, at most.
    pub max_connections: Option<u64>,
    /// The kinds of update that are delivered.
    pub allowed_updates: Option<Vec<String>>,
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused { .. } => Self::Refused(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl Bot {
    /// Whom Telegram knows by the token.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn me(&self) -> Result<Me, Error> {
        #[derive(Deserialize)]
        struct User {
            id: i64,
            username: String,
        }
        let User { id, username } = self.call("getMe", &serde_json::json!({})).await?;
        Ok(Me { id, username })
    }

    /// What Telegram knows about the webhook.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn webhook_info(&self) -> Result<WebhookInfo, Error> {
        self.call("getWebhookInfo", &serde_json::json!({})).await
    }

    /// Where Telegram delivers, and how that goes, without what may be secret in the address.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn webhook(&self) -> Result<Webhook, Error> {
        let info = self.webhook_info().await?;
        let url = reqwest::Url::parse(&info.url).ok();
        let words = |message: String| message.chars().take(WORDS).collect();
        Ok(Webhook {
            // What is no address is at least no empty one.
            origin: (!info.url.is_empty())
                .then(|| url.as_ref().map_or("?".to_owned(), |url| url.origin().ascii_serialization())),
            path: url.map(|url| url.path().to_owned()).unwrap_or_default(),
            waiting: u64::from(info.pending_update_count),
            last_error: info.last_error_date.zip(info.last_error_message.map(words)),
            max_connections: info.max_connections,
            kinds: info.allowed_updates,
        })
    }

    /// Whether a person has ever opened the bot.
    ///
    /// # Errors
    /// When Telegram refuses or does not answer.
    pub async fn is_opened_by(&self, person: TelegramUserId) -> Result<bool, Error> {
        match self.call::<_, IgnoredAny>("getChat", &serde_json::json!({"chat_id": person.0})).await {
            Ok(_) => Ok(true),
            Err(Error::Unreachable(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Telegram's clock, as each of its answers shows it.
    ///
    /// # Errors
    /// When Telegram does not answer, or without a date.
    pub async fn clock(&self) -> Result<Reading, Error> {
        let (begun, before) = (Instant::now(), Timestamp::now());
        let asked = self.client.get(format!("{}/getMe", self.base)).send().await;
        let answer = asked.map_err(|error| Error::NoAnswer(super::no_answer::why(&error)))?;
        let took = begun.elapsed();
        let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
        let there = date.ok_or_else(|| Error::NoAnswer("an answer without a date".to_owned()))?;
        Ok(Reading::taken(there.as_millisecond(), before.as_millisecond(), took).rounded())
    }
}
