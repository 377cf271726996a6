//! The local Telegram and its page alone, for a handler that was started elsewhere: by `cargo lambda watch`, as
//! `field-service serve` with or without `--poll`, from another checkout.

use tokio::net::TcpListener;

use super::page::{Page, World};
use super::telegram::{Telegram, Webhook, bot_id};
use crate::config::{self, Lookup};
use crate::model::BotName;
use crate::store::{Clock, Connection, Statement, Store, TlsError, statement};

/// It could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A variable is missing or malformed.
    #[error(transparent)]
    Config(#[from] config::Error),
    /// The database's TLS could not be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// No port.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Starts it on `listener`, with both bots' tokens from the environment, as the handler has them, and delivers to
/// `webhook_url(bot)` with the bot's secret from there; `None`: the handler asks. If `DATABASE_URL` is set, the page shows what is in there, masters and orders made on
/// the page are written there, and the phones are those of the masters there, if there are any; else they are strangers'.
///
/// # Errors
/// See [`Error`].
pub async fn start(
    lookup: Lookup<'_>,
    listener: TcpListener,
    handler: &str,
    webhook_url: impl Fn(BotName) -> Option<String>,
) -> Result<Page, Error> {
    let telegram = Telegram::start().await?;
    for (bot, name) in [(BotName::Master, "Заявки"), (BotName::Admin, "Диспетчерская")] {
        let webhook = match webhook_url(bot) {
            Some(url) => Some(Webhook { url, secret: Some(config::webhook_secret(lookup, bot)?.reveal().to_owned()) }),
            None => None,
        };
        telegram.add_bot(config::bot_token(lookup, bot)?.reveal(), name, webhook);
    }
    let token = config::bot_token(lookup, BotName::Master)?;
    let database = match lookup("DATABASE_URL").filter(|url| !url.is_empty()) {
        Some(_) => Some(Store::new(&config::Database::from_env(lookup)?, 2, Clock::default())?),
        None => None,
    };
    for (person, name) in people(database.as_ref()).await {
        drop(telegram.chat(token.reveal(), person, &name));
    }
    let world =
        World { telegram, master_bot: bot_id(token.reveal()), handler: handler.to_owned(), database, proxy: None };
    Ok(Page::start(listener, world)?)
}

/// The first masters, or three people whom nobody knows.
async fn people(database: Option<&Store>) -> Vec<(i64, String)> {
    const FIRST: Statement =
        statement!("sim.people", [], "SELECT telegram_user_id, full_name FROM masters ORDER BY id LIMIT 12");
    if let Some(store) = database {
        match store.run(async |connection: Connection| connection.fetch(&FIRST, &[]).await).await {
            Ok(masters) if !masters.is_empty() => {
                return masters
                    .iter()
                    .map(|master| (master.get("telegram_user_id"), master.get("full_name")))
                    .collect();
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the masters could not be read; the page will show when they can"),
        }
    }
    [(5001, "Андрей"), (5002, "Борис"), (5003, "Виктор")].map(|(id, name)| (id, name.to_owned())).into()
}
