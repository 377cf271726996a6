//! Updates that are asked for: for a machine that Telegram cannot reach, without a domain, a certificate or an open port.
//!
//! They go to the very handler that the webhook has, once the sender is known, so what an update does and what is logged of it
//! does not depend on how it came. What is answered with 200 is taken; with 503 it is tried again, and what comes after it in its
//! queue waits, as with the webhook. `backlog` says what Telegram is told of that.
//!
//! One process asks for a bot's updates: two would each get some of them. The database says who may
//! (`store::pollers`), and Telegram ends the call of whoever asks beside it.

mod backlog;
mod bot;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::future::{BoxFuture, join};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::liveness::Liveness;
use crate::logging::printable;
use crate::metrics::Metrics;
use crate::model::BotName;
use crate::store::{self, Store, pollers};
use crate::telegram::{self, Telegram};
use bot::Poller;

/// Handles an update. `Err`: it is to be tried again, not before so long.
pub type Handler = Arc<dyn Fn(BotName, Bytes) -> BoxFuture<'static, Result<(), Duration>> + Send + Sync>;

/// How long one that has just been killed may still seem to be there, and one's own session that was lost.
const GRACE: Duration = Duration::from_secs(2);
/// How often it is tried to become the one who asks.
const TRY: Duration = Duration::from_millis(500);
/// The same while the database or Telegram is away, and after another process has become the one who asks.
const TRY_LATER: Duration = Duration::from_secs(3);
/// How long updates under way are waited for at the end, as by a server.
const DRAIN: Duration = Duration::from_secs(26);

/// Nobody's updates are asked for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is one who asks already.
    #[error(
        "another process already fetches these bots' updates, with this database; two would each get some of them: stop \
         the other `serve --poll`, or `init`, first"
    )]
    AskedAlready,
    /// Updates are delivered elsewhere.
    #[error(
        "{}: Telegram delivers updates either to a webhook or by getUpdates. To fetch them with getUpdates, delete the webhook \
         with `serve --poll --replace-webhook`; to keep the webhook, run `serve` without --poll", named(.0)
    )]
    HasWebhook(Vec<(BotName, String)>),
    /// Telegram does not know the bot.
    #[error("the {} bot: {error}", .bot.as_str())]
    Refused {
        /// Which bot.
        bot: BotName,
        /// What Telegram says.
        error: telegram::Error,
    },
}

fn named(webhooks: &[(BotName, String)]) -> String {
    let each = webhooks.iter().map(|(bot, url)| format!("the {} bot has the webhook {}", bot.as_str(), printable(url)));
    each.collect::<Vec<_>>().join(", ")
}

/// Who asks for both bots' updates.
pub struct Pollers {
    store: Store,
    telegram: Telegram,
    /// Each with its Telegram id.
    bots: [(BotName, i64); 2],
    handler: Handler,
    liveness: Arc<Liveness>,
    metrics: Arc<Metrics>,
}

impl Pollers {
    /// Prepares it; nothing is asked yet. `bots`: each with its Telegram id.
    #[must_use]
    pub fn new(
        store: Store,
        telegram: Telegram,
        bots: [(BotName, i64); 2],
        handler: Handler,
        liveness: Arc<Liveness>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { store, telegram, bots, handler, liveness, metrics }
    }

    /// Asks for updates and has them handled until `stop` is ready, then finishes what is under way. A webhook that is there at
    /// the beginning is removed only if `replace_webhook`. While the database or Telegram is away it waits.
    ///
    /// # Errors
    /// When it may not begin. See [`Error`].
    pub async fn run(self, replace_webhook: bool, stop: impl Future<Output = ()>) -> Result<(), Error> {
        let (stopping, stopped) = watch::channel(false);
        let poller = |(bot, _)| {
            let counted = (Arc::clone(&self.liveness), Arc::clone(&self.metrics));
            Poller::new(bot, self.telegram.of(bot).clone(), Arc::clone(&self.handler), counted, stopped.clone())
        };
        let [master, admin] = self.bots.map(poller);
        let mut stop = std::pin::pin!(stop);
        let mut has_begun = false;
        let held = loop {
            let begin = async {
                let held = self.hold(has_begun).await?;
                if !has_begun {
                    self.see_to_webhooks(replace_webhook).await?;
                }
                Ok(held)
            };
            let held = tokio::select! {
                held = begin => held?,
                // What has begun before the lock was lost is finished all the same.
                () = &mut stop => break None,
            };
            has_begun = true;
            tracing::info!("fetching both bots' updates with getUpdates");
            tokio::select! {
                never = master.ask_for_ever() => match never {},
                never = admin.ask_for_ever() => match never {},
                error = lost(&held) => tracing::error!(%error, "no updates are fetched: the database is not reachable"),
                () = &mut stop => break Some(held),
            }
            // Its session ends here, before it is tried again: it would be the other one that is found.
            drop(held);
        };
        stopping.send_replace(true);
        let (deadline, holds_lock) = (Instant::now() + DRAIN, held.is_some());
        join(master.finish(deadline, holds_lock), admin.finish(deadline, holds_lock)).await;
        // Until here nobody else was to ask.
        drop(held);
        Ok(())
    }

    /// Becomes the one who asks. At first whoever finds another one gives up; later, when the lock was lost, it waits.
    async fn hold(&self, has_begun: bool) -> Result<pollers::Held, Error> {
        let bots = self.bots.map(|(_, id)| id);
        let mut found_another = None;
        loop {
            let pause = match self.store.hold_bots(&bots).await {
                Ok(Some(held)) => return Ok(held),
                Ok(None) if found_another.get_or_insert_with(Instant::now).elapsed() <= GRACE => TRY,
                Ok(None) if has_begun => {
                    tracing::error!(
                        "another process holds these bots' updates, or for 30 s the connection that was lost does; waiting"
                    );
                    TRY_LATER
                }
                Ok(None) => return Err(Error::AskedAlready),
                Err(error) => {
                    tracing::warn!(%error, "the database is not reachable; no updates are fetched until it is");
                    TRY_LATER
                }
            };
            sleep(pause).await;
        }
    }

    /// Finds out which bots have a webhook, and removes it if that was asked for: of both or of none.
    async fn see_to_webhooks(&self, replace: bool) -> Result<(), Error> {
        let mut webhooks = Vec::new();
        for (bot, _) in self.bots {
            let info = self.until_answered(bot, "getWebhookInfo", || self.telegram.of(bot).webhook_info()).await?;
            webhooks.extend(Some((bot, info.url)).filter(|(_, url)| !url.is_empty()));
        }
        if !replace && !webhooks.is_empty() {
            return Err(Error::HasWebhook(webhooks));
        }
        for (bot, url) in webhooks {
            self.until_answered(bot, "deleteWebhook", || self.telegram.of(bot).delete_webhook()).await?;
            let (bot, url) = (bot.as_str(), printable(&url));
            tracing::warn!(bot, "the {bot} bot's webhook is removed: {url}");
        }
        Ok(())
    }

    /// Calls Telegram until it answers.
    async fn until_answered<T, F>(&self, bot: BotName, method: &str, call: impl Fn() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, telegram::Error>>,
    {
        loop {
            match call().await {
                Ok(answer) => return Ok(answer),
                Err(error @ (telegram::Error::NoAnswer(_) | telegram::Error::RetryAfter(_))) => {
                    words::complain(bot, method, &error, TRY_LATER);
                    sleep(TRY_LATER).await;
                }
                Err(error) => return Err(Error::Refused { bot, error }),
            }
        }
    }
}

/// Ready when it is not certain any more that nobody else asks.
async fn lost(held: &pollers::Held) -> store::Error {
    loop {
        sleep(pollers::CONFIRM).await;
        if let Err(error) = held.confirm().await {
            return error;
        }
    }
}
