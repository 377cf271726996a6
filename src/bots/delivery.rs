//! Tells people what the outbox holds for them.
//!
//! Several senders may be at work at once, and each may die at any moment: a row is leased, told, and finished. What
//! Telegram puts off is put back, never waited for.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use tokio::task::JoinSet;

use crate::app::App;
use crate::bots::render;
use crate::model::BotName;
use crate::model::facts::Standing;
use crate::model::notification::Notification;
use crate::model::{OrderId, Tap};
use crate::store;
use crate::store::outbox::{Claimed, Finish};
use crate::telegram::{Bot, Error};

/// How soon a row that was written is looked for.
const EVERY: Duration = Duration::from_millis(200);
/// The pause after the database failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long messages that are under way at the end are waited for: as long as calls to Telegram take.
const DRAIN: Duration = Duration::from_secs(9);
/// Not even Telegram is believed that it needs longer, in seconds.
const LONGEST: u64 = 24 * 3600;
/// Waits before what became of a message is noted once more: a database that restarts is back by then, and the message is
/// not sent again.
const NOTE_AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// What has waited for a day is tried so often, and then no more.
const ATTEMPTS: i32 = 10;

/// Goes on sending until `stop` is ready, and finishes what is under way then.
pub async fn run(app: &Arc<App>, stop: impl Future<Output = ()>) {
    let mut under_way = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let claimed = AssertUnwindSafe(store::outbox::claim(&app.store, None)).catch_unwind();
        let pause = match tokio::select! { claimed = claimed => claimed, () = &mut stop => break } {
            Ok(Ok(rows)) => {
                for row in rows {
                    let app = Arc::clone(app);
                    under_way.spawn(async move { tell(&app, row, &NOTE_AGAIN).await });
                }
                EVERY
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "the outbox could not be read; trying again");
                app.metrics.count("outbox", "FAILED");
                AFTER_FAILURE
            }
            Err(_) => {
                // The panic hook has said where.
                tracing::error!("a panic while reading the outbox; trying again");
                app.metrics.count("outbox", "PANIC");
                AFTER_FAILURE
            }
        };
        // One that panicked has said so; its row is told again when its lease ends.
        while under_way.try_join_next().is_some() {}
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = &mut stop => break,
        }
    }
    let rest = async { while under_way.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, rest).await.is_err() {
        tracing::warn!("stopped with messages under way; they are sent again");
    }
}

/// Sends what can be sent now, of one order or of all; how many rows that were.
///
/// # Errors
/// When the database failed.
pub async fn pass(app: &App, order: Option<OrderId>) -> Result<usize, store::Error> {
    let rows = store::outbox::claim(&app.store, order).await?;
    Ok(join_all(rows.into_iter().map(|row| tell(app, row, &[]))).await.len())
}

/// Sends what a tap has caused about an order, as far as that is possible at once; the tick sends the rest. Takes no
/// longer than a call to Telegram does.
pub async fn send_own(app: &App, order: OrderId) {
    if let Err(error) = pass(app, Some(order)).await {
        tracing::warn!(%error, "the outbox is left to the tick");
    }
}

/// One attempt, and a note of what became of it; should that fail, once more after each of these waits.
pub async fn tell(app: &App, row: Claimed, waits: &[Duration]) {
    let result = say(bot(app, row.bot), &row).await;
    let because;
    let finish = match result {
        Ok(finish) => finish,
        Err(error) => {
            because = error.to_string();
            after(&error, &row, &because)
        }
    };
    // Whose the order is now has been shown that, or finds it under the button.
    let edited = matches!(
        (&row.notification, &finish),
        (Some(Notification::OfferEnded { standing, .. }), Finish::Sent { .. }) if *standing != Standing::Yours
    );
    let (word, id, user, attempt) = (finish.name(), row.id, row.user, row.attempt);
    match &finish {
        Finish::Sent { .. } => tracing::info!("outbox {word}: row={id} telegram_user={user}"),
        Finish::Later { seconds } => {
            tracing::warn!("outbox {word}: row={id} telegram_user={user} attempt={attempt} wait={seconds}s");
        }
        Finish::Dropped { because: OVERTAKEN, .. } => tracing::info!("outbox {OVERTAKEN}: row={id}"),
        Finish::Dropped { because, .. } => tracing::warn!("outbox {word}: row={id} telegram_user={user}: {because}"),
    }
    app.metrics.count("outbox", word);
    let mut waits = waits.iter();
    loop {
        match (store::outbox::finish(&app.store, &row, finish).await, waits.next()) {
            (Ok(taken_over), _) => {
                if taken_over && edited {
                    uncover(app, &row).await;
                }
                return;
            }
            (Err(error), Some(wait)) if error.is_transient() => {
                tracing::warn!(%error, "row {id} of the outbox is finished later");
                tokio::time::sleep(*wait).await;
            }
            (Err(error), _) => {
                tracing::error!(%error, "row {id} of the outbox could not be finished, and will be tried again");
                return;
            }
        }
    }
}

/// While a card was being edited its master tapped on it, and was shown the list there: shows it again, lest the edit
/// came last.
async fn uncover(app: &App, row: &Claimed) {
    let Some(message) = row.message else { return };
    let by = &Tap { user: row.user, query: None, message: None };
    match store::offers::page(&app.store, by, 1).await {
        Ok(Some(list)) => {
            if let Err(error) = app.master_bot.edit(row.user.0, message, &render::offer_list(&list)).await {
                tracing::warn!(%error, "a list that an edit covered could not be shown again");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a list that an edit covered could not be read"),
    }
}

fn bot(app: &App, name: BotName) -> &Bot {
    match name {
        BotName::Master => &app.master_bot,
        BotName::Admin => &app.admin_bot,
    }
}

/// There was nothing to say any more.
const OVERTAKEN: &str = "OVERTAKEN";

async fn say(bot: &Bot, row: &Claimed) -> Result<Finish<'static>, Error> {
    const DROPPED: Finish = Finish::Dropped { because: OVERTAKEN, unreachable: false };
    const SENT: Finish = Finish::Sent { card: None };
    let Some(notification) = &row.notification else { return Ok(DROPPED) };
    let screen = render::notification(notification);
    let chat = row.user.0;
    match (notification, row.message) {
        (Notification::Offer { .. }, _) => bot.send(chat, screen).await.map(|card| Finish::Sent { card }),
        // Shown nowhere: the message has become something else.
        (Notification::OfferEnded { .. }, None) => Ok(DROPPED),
        (_, Some(message)) => bot.show(chat, message, screen).await.map(|()| SENT),
        (_, None) => bot.send(chat, screen).await.map(|_| SENT),
    }
}

/// What a failure means for the row.
fn after<'a>(error: &Error, row: &Claimed, because: &'a str) -> Finish<'a> {
    let never = Finish::Dropped { because, unreachable: matches!(error, Error::Unreachable(_)) };
    match error {
        Error::Unreachable(_) | Error::MessageGone(_) | Error::StaleQuery | Error::Refused { code: 400, .. } => never,
        _ if row.stale && row.attempt >= ATTEMPTS => never,
        Error::RetryAfter(seconds) => Finish::Later { seconds: (*seconds).min(LONGEST) },
        // A refusal of anything but the message, such as a token that was revoked, is mended by an operator.
        Error::NoAnswer(_) | Error::Refused { .. } => Finish::Later { seconds: backoff(row.attempt) },
    }
}

/// 1, 2, 4… up to 32 seconds after the attempt of that number.
fn backoff(attempt: i32) -> u64 {
    1 << (attempt - 1).clamp(0, 5)
}
