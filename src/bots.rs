//! The two doors of Telegram: what an update asks for, and what is shown.
//!
//! An update is handled in two steps. [`Bots::handle`] decides and commits: when it fails, nothing was answered, and
//! Telegram may send the update again. [`Handled::send`] then makes the calls to Telegram: whatever fails there, what was
//! committed stands, and what could not be shown is left to the outbox.

pub mod callback;
pub mod delivery;
mod dispatcher;
mod master;
pub mod render;
mod strangers;
pub mod update;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use crate::config::PublicUrl;
use crate::dispatch::view;
use crate::metrics::Metrics;
use crate::model::{BotName, OfferId, OrderId, TelegramUserId};
use crate::store::{self, Store};
use crate::telegram::{self, Notice, Telegram};
use render::Screen;
pub use strangers::Strangers;
use update::Update;

/// What the calls of one screen may take: what they did not take is then still enqueued in time.
const CALLS: Duration = Duration::from_secs(5);

/// What both bots work with. Cheap to clone; nothing is kept between two updates but pooled connections, whom it would be too
/// much to answer again, and what became of messages until the database has it.
#[derive(Clone)]
pub struct Bots {
    /// The database.
    pub store: Store,
    /// The senders.
    pub telegram: Telegram,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Wakes the delivery job of this process, if it has one: messages were enqueued.
    pub enqueued: Arc<Notify>,
    /// Who of those whom nobody knows was answered lately.
    pub strangers: Arc<Strangers>,
    /// What the senders of this process remember.
    pub delivery: Arc<delivery::State>,
    /// Where people reach the dispatchers' page, if anybody is to be led there.
    pub public_url: Option<PublicUrl>,
}

/// An update that was handled: committed, and yet to be answered.
#[must_use = "the person is answered by `send`"]
#[derive(Default)]
pub struct Handled(Option<Response>);

enum Response {
    Master(master::Answer),
    Dispatcher(dispatcher::Answer),
}

/// An update that could not be handled.
pub struct Failed {
    /// Why.
    pub error: store::Error,
    /// The answer to send anyway, as the update is not redelivered.
    pub handled: Handled,
}

/// Why somebody has not been answered, and the outbox does not know of it either: nobody but Telegram knows then that an answer is owed.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// The database failed as what Telegram had not taken was to be left to the outbox.
    #[error(transparent)]
    Outbox(#[from] store::Error),
    /// Telegram did not take it, and whoever has not been let in yet has nothing in the outbox.
    #[error(transparent)]
    Telegram(telegram::Error),
}

impl Unanswered {
    /// For what the outbox cannot show: `Err` if Telegram may take it when the update comes again, `Ok` if it has refused for good.
    fn retry_if_transient(error: telegram::Error) -> Result<(), Self> {
        if error.is_transient() { Err(Self::Telegram(error)) } else { Ok(()) }
    }

    /// Whether it helps to handle the update again.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Outbox(error) => error.is_transient(),
            Self::Telegram(error) => error.is_transient(),
        }
    }
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self { error, handled: Handled::default() }
    }
}

impl Bots {
    /// Decides about an update, and commits.
    ///
    /// # Errors
    /// When the database failed: before anything was answered, and nothing was changed unless the connection was lost
    /// during `COMMIT`. The update may be handled again.
    pub async fn handle(&self, bot: BotName, update: Update) -> Result<Handled, Failed> {
        let answer = match bot {
            BotName::Master => master::handle(self, update).await?.map(Response::Master),
            BotName::Admin => dispatcher::handle(self, update).await?.map(Response::Dispatcher),
        };
        Ok(Handled(answer))
    }

    /// Logs a failed call; the commit stands, and the next tap shows the screen.
    fn log_failure<T>(&self, method: &str, result: &Result<T, telegram::Error>) {
        match result {
            Ok(_) => {}
            Err(telegram::Error::StaleQuery) => {
                tracing::info!(method, "the callback was too old to be answered");
                self.metrics.count("telegram", "STALE");
            }
            Err(error) => {
                tracing::warn!(method, %error, "a call to Telegram failed");
                self.metrics.count("telegram", "FAILED");
            }
        }
    }

    /// Shows a screen in a message of a person's chat, or in a new one if there is none or it cannot be edited: the new one's id.
    async fn show(
        &self,
        bot: BotName,
        user: TelegramUserId,
        message: Option<i32>,
        Screen { text, keyboard }: &Screen,
    ) -> Result<Option<i32>, telegram::Error> {
        let bot = self.telegram.of(bot);
        let (method, shown) = if let Some(message) = message {
            // An edit, and a new message where it cannot be edited.
            let shown = tokio::time::timeout(CALLS, bot.show(user.0, message, text, keyboard)).await;
            let shown = shown.unwrap_or_else(|_| Err(telegram::Error::NoAnswer("not in time".to_owned())));
            ("editMessageText", shown)
        } else {
            ("sendMessage", bot.send(user.0, text, keyboard).await)
        };
        self.log_failure(method, &shown);
        shown
    }

    /// After an edit about an order has come to a message of its master: has the outbox show there what the edit has covered, if
    /// it has. See [`view::show_what_is_covered`].
    async fn show_what_is_covered(
        &self,
        user: TelegramUserId,
        message: i32,
        order: OrderId,
        offer: Option<OfferId>,
    ) -> Result<(), store::Error> {
        if view::show_what_is_covered(&self.store, user, message, order, offer).await? {
            self.enqueued.notify_one();
        }
        Ok(())
    }

    /// Delivers what was enqueued about an order; what cannot be sent in this moment is left to the job.
    async fn deliver(&self, enqueued: Option<OrderId>) {
        if let Some(order) = enqueued {
            delivery::deliver_order(self, order).await;
            self.enqueued.notify_one();
        }
    }

    /// Stops the button's spinner, and shows the notice if there is one.
    async fn answer_callback(
        &self,
        bot: BotName,
        query: Option<&str>,
        notice: Option<&Notice>,
    ) -> Result<(), telegram::Error> {
        let Some(query) = query else { return Ok(()) };
        let answered = self.telegram.of(bot).answer(query, notice).await;
        self.log_failure("answerCallbackQuery", &answered);
        answered
    }
}

/// After how many seconds the outbox is to try what Telegram did not take.
fn pause_after(error: &telegram::Error) -> u64 {
    match error {
        // However long Telegram asks to wait, a day is the most.
        telegram::Error::RetryAfter(seconds) => (*seconds).min(24 * 3600),
        _ => 1,
    }
}

impl Handled {
    /// Sends it: answers the callback and shows the screen; and, apart from that and at the same time, delivers what others are owed
    /// because of it. Neither waits for the other or stops it.
    ///
    /// # Errors
    /// Of the first: see [`Unanswered`].
    pub fn send(self, bots: &Bots) -> (impl Future<Output = Result<(), Unanswered>>, impl Future<Output = ()>) {
        let enqueued = match &self.0 {
            None => None,
            Some(Response::Master(answer)) => answer.enqueued(),
            Some(Response::Dispatcher(answer)) => answer.enqueued(),
        };
        let answered = async move {
            match self.0 {
                None => Ok(()),
                Some(Response::Master(answer)) => answer.send(bots).await,
                Some(Response::Dispatcher(answer)) => answer.send(bots).await,
            }
        };
        (answered, bots.deliver(enqueued))
    }
}
