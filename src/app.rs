//! The one composition root: everything a handler needs, made once per process.

use crate::config::{self, Lookup, WebhookSecret};
use crate::metrics::Metrics;
use crate::model::BotName;
use crate::store::{Clock, Store};
use crate::telegram::{self, Bot};

/// What handlers work with. Cheap to share, stateless between requests.
pub struct App {
    /// The database.
    pub store: Store,
    /// The technicians' bot.
    pub master_bot: Bot,
    /// The dispatchers' bot.
    pub admin_bot: Bot,
    /// The counters.
    pub metrics: Metrics,
    /// `None` in a program that serves no webhook.
    secrets: Option<Secrets>,
}

struct Secrets {
    master: WebhookSecret,
    admin: WebhookSecret,
}

/// The program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The database's TLS could not be set up.
    #[error(transparent)]
    Database(#[from] crate::store::TlsError),
}

impl App {
    /// Builds everything from the environment, with at most `connections` to the database. Connects to nothing.
    ///
    /// # Errors
    /// When a variable is missing or malformed, or the CA file cannot be read.
    pub fn from_env(lookup: Lookup, connections: usize, clock: Clock) -> Result<Self, Error> {
        let app = Self::without_webhook(lookup, connections, clock)?;
        let secrets = Secrets {
            master: config::webhook_secret(lookup, BotName::Master)?,
            admin: config::webhook_secret(lookup, BotName::Admin)?,
        };
        Ok(Self { secrets: Some(secrets), ..app })
    }

    /// The same for a program that serves no webhook, and needs no secrets for it.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn without_webhook(lookup: Lookup, connections: usize, clock: Clock) -> Result<Self, Error> {
        let database = config::Database::from_env(lookup)?;
        let api_url = config::telegram_api_url(lookup)?;
        let client = telegram::http_client(&api_url);
        let bot = |name| -> Result<Bot, config::Error> {
            Ok(Bot::new(client.clone(), &api_url, &config::bot_token(lookup, name)?))
        };
        Ok(Self {
            master_bot: bot(BotName::Master)?,
            admin_bot: bot(BotName::Admin)?,
            secrets: None,
            metrics: Metrics::default(),
            store: Store::new(&database, connections, clock)?,
        })
    }

    /// Whether this is the secret that Telegram repeats to us for this bot.
    #[must_use]
    pub fn is_secret(&self, bot: BotName, presented: &[u8]) -> bool {
        self.secrets.as_ref().is_some_and(|secrets| match bot {
            BotName::Master => secrets.master.matches(presented),
            BotName::Admin => secrets.admin.matches(presented),
        })
    }
}
