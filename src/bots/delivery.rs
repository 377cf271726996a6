//! Sends what the outbox holds: each row rendered, sent, and finished.
//!
//! Several senders may be at work at once, and each may die at any moment. What Telegram puts off is put back, never
//! waited for. What became of a message is kept until the database has it: while its sender lives, it is not sent twice.

mod state;

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join_all;

use super::render::{self, Screen};
use super::{Bots, dispatcher};
use crate::dispatch::deliver::{self, Because, Claimed, Failure, Finish, Recorded};
use crate::model::OrderId;
use crate::model::facts::Standing;
use crate::model::notification::Notification;
use crate::store;
use crate::telegram::{Bot, Error};
pub use state::State;
use state::{Attempt, Edited};

/// How often a message that is late takes a new slot; then it is sent, lest a slow database let nothing through.
const SLOTS: u32 = 3;

/// Sends what can be sent now, of one order or of all; how many messages that were.
///
/// # Errors
/// When the database failed.
pub async fn pass(bots: &Bots, order: Option<OrderId>) -> Result<usize, store::Error> {
    // A tap waits for nothing that the delivery job does anyway; and what cannot be recorded keeps nothing else from being sent.
    if (order.is_none() || !bots.delivery.is_recorded_by_a_job())
        && let Err(error) = record_kept(bots).await
    {
        if error.is_loss() {
            return Err(error);
        }
        tracing::debug!(%error, "results of messages are still kept");
    }
    let rows = deliver::claim(&bots.store, order).await?;
    Ok(join_all(rows.into_iter().map(|row| attempt(bots, row))).await.len())
}

/// Sends what an update has caused about an order, as far as that is possible at once; the delivery job sends the rest.
pub async fn deliver_order(bots: &Bots, order: OrderId) {
    if let Err(error) = pass(bots, Some(order)).await {
        tracing::warn!(%error, "messages about order={order} are left to the delivery job");
    }
}

/// Sends a row when its slot begins, and records the result, now or when the database is back.
pub async fn attempt(bots: &Bots, row: Claimed) {
    if !(waits_for_slot(bots, &row).await && is_not_overtaken(bots, &row).await) {
        bots.metrics.count("outbox", "RELEASED");
        return deliver::release(&bots.store, &row.lease).await;
    }
    let screen = match &row.notification {
        Some(Notification::Staff(place)) => match dispatcher::shown_later(bots, row.user, *place).await {
            Ok(screen) => screen,
            Err(error) => {
                bots.metrics.count("outbox", "RELEASED");
                if !error.is_transient() {
                    return deliver::put_off(&bots.store, &row.lease, &error).await;
                }
                tracing::warn!(%error, "row {} of the outbox is given back", row.lease.row);
                return deliver::release(&bots.store, &row.lease).await;
            }
        },
        notification => notification.as_ref().map(render::notification),
    };
    let sent = send(bots.telegram.of(row.bot), &row, screen.as_ref()).await;
    if matches!(sent, Err(Error::RetryAfter(_))) {
        bots.delivery.wait(row.bot);
    }
    let finish = match &sent {
        Ok(finish) => finish.clone(),
        Err(error) => deliver::after(failure(error), &row),
    };
    let edited = Edited::by(&row, &finish);
    let attempt = Arc::new(Attempt { row, finish, edited });
    match deliver::finish(&bots.store, &attempt.row, &attempt.finish).await {
        Ok(recorded) => {
            log(bots, &attempt, recorded, sent.as_ref().err());
            show_what_is_covered(bots, &attempt, recorded).await;
        }
        Err(error) => {
            log(bots, &attempt, Recorded::default(), sent.as_ref().err());
            not_recorded(bots, attempt, &error);
        }
    }
}

/// Waits for the row's slot. `false`: it must not be sent now, because Telegram has asked the bot to wait since it was
/// claimed, or its lease is about to end. A clock that stands is not waited for.
async fn waits_for_slot(bots: &Bots, row: &Claimed) -> bool {
    let may = || !row.lease.is_ending() && !bots.delivery.has_waited_since(row.bot, row.lease.since);
    // Nothing is sent.
    if row.notification.is_none() || bots.store.now().is_some() {
        return may();
    }
    let mut slot = row.lease.slot;
    for _ in 0..SLOTS {
        tokio::time::sleep_until(slot.begins.into()).await;
        if !may() {
            return false;
        }
        if Instant::now() <= slot.ends {
            return true;
        }
        slot = match deliver::take_slot(&bots.store, row.bot).await {
            Ok(slot) => slot,
            Err(error) => {
                tracing::warn!(%error, "row {} of the outbox has lost its slot", row.lease.row);
                return false;
            }
        };
    }
    tokio::time::sleep_until(slot.begins.into()).await;
    may()
}

/// Whether what is to be shown in a message may be: the master has not tapped there since the row was claimed, and been shown
/// something newer. The end of an offer is edited all the same, unless the message is to be deleted: what it covers is shown
/// again.
async fn is_not_overtaken(bots: &Bots, row: &Claimed) -> bool {
    let Some(message) = row.message else { return true };
    match &row.notification {
        None => return true,
        Some(Notification::OfferEnded { .. }) if !row.deletable => return true,
        Some(_) => {}
    }
    deliver::may_show(&bots.store, row, message).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "row {} of the outbox is given back", row.lease.row);
        false
    })
}

fn not_recorded(bots: &Bots, attempt: Arc<Attempt>, error: &store::Error) {
    let row = attempt.row.lease.row;
    if !error.is_transient() {
        tracing::error!(%error, row, "row {row} of the outbox could not be finished, and will be tried again");
        return;
    }
    tracing::warn!(%error, row, "row {row} of the outbox is finished later");
    if let Some(lost) = bots.delivery.keep(attempt) {
        let row = lost.row.lease.row;
        tracing::error!(row, "row {row} of the outbox was attempted, and will be again: too many results are kept");
    }
}

/// Records what could not be recorded before, unless somebody else is at it.
///
/// # Errors
/// When the database failed again; what is left is kept.
pub async fn record_kept(bots: &Bots) -> Result<(), store::Error> {
    let Some(_turn) = bots.delivery.record() else { return Ok(()) };
    let mut failed = None;
    for attempt in bots.delivery.kept() {
        match deliver::finish(&bots.store, &attempt.row, &attempt.finish).await {
            Ok(recorded) => {
                let first = bots.delivery.forget(&attempt);
                log_refusal(&attempt, recorded);
                if first {
                    show_what_is_covered(bots, &attempt, recorded).await;
                }
            }
            // The others would fail alike.
            Err(error) if error.is_loss() => return Err(error),
            Err(error) if error.is_transient() => failed = Some(error),
            Err(error) => {
                bots.delivery.forget(&attempt);
                let row = attempt.row.lease.row;
                tracing::error!(%error, row, "row {row} of the outbox could not be finished, and will be tried again");
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

fn log(bots: &Bots, attempt: &Attempt, recorded: Recorded, error: Option<&Error>) {
    let Attempt { row, finish, .. } = attempt;
    let (id, user, attempt_number) = (row.lease.row, row.user, row.attempt);
    let why = error.map(|error| format!(": {error}")).unwrap_or_default();
    let word = match finish {
        _ if recorded.refuses_everybody.is_some() => {
            tracing::warn!(row = id, "outbox LATER: row={id} telegram_user={user} everybody is refused{why}");
            "LATER"
        }
        _ if recorded.person_is_held => {
            tracing::warn!(
                row = id,
                "outbox LATER: row={id} telegram_user={user} somebody holds the person's row{why}"
            );
            "LATER"
        }
        Finish::Sent { .. } => {
            tracing::info!(row = id, "outbox SENT: row={id} telegram_user={user}");
            "SENT"
        }
        Finish::Later { seconds, .. } => {
            let attempt = attempt_number;
            tracing::warn!(row = id, attempt, "outbox LATER: row={id} telegram_user={user} wait={seconds}s{why}");
            "LATER"
        }
        Finish::Dropped(Because::Overtaken) => {
            tracing::info!(row = id, "outbox OVERTAKEN: row={id}");
            "OVERTAKEN"
        }
        Finish::Dropped(because) => {
            let (because, attempt) = (because.as_str(), attempt_number);
            tracing::warn!(row = id, attempt, because, "outbox DROPPED: row={id} telegram_user={user} {because}{why}");
            "DROPPED"
        }
    };
    bots.metrics.count("outbox", word);
    log_refusal(attempt, recorded);
}

/// Said once, until a message is delivered again.
fn log_refusal(attempt: &Attempt, recorded: Recorded) {
    if let Some(refusal) = recorded.refuses_everybody.filter(|refusal| refusal.begins) {
        let (people, bot) = (refusal.people, attempt.row.bot.as_word());
        tracing::error!(
            people,
            bot,
            "Telegram cannot reach {people} different people in a row, and nobody in between: look at the token of the \
             {bot} bot and at TELEGRAM_API_URL. Nobody is marked as unreachable, and messages wait"
        );
    }
}

/// While a card was being edited or deleted its master may have tapped on it, and been shown something else there.
async fn show_what_is_covered(bots: &Bots, attempt: &Attempt, recorded: Recorded) {
    let Some(Edited { message, order, offer }) = attempt.edited else { return };
    if offer.is_none() && !recorded.taken_over {
        return;
    }
    if let Err(error) = bots.show_what_is_covered(attempt.row.user, message, order, offer).await {
        tracing::warn!(%error, "what an edit may have covered cannot be shown again");
    }
}

/// `screen`: what the row says; `None`: nothing any more.
async fn send(bot: &Bot, row: &Claimed, screen: Option<&Screen>) -> Result<Finish, Error> {
    const OVERTAKEN: Finish = Finish::Dropped(Because::Overtaken);
    const SENT: Finish = Finish::Sent { card: None };
    let (Some(notification), Some(screen)) = (&row.notification, screen) else { return Ok(OVERTAKEN) };
    let (chat, text, keyboard) = (row.user.0, &screen.text, &screen.keyboard);
    match (notification, row.message) {
        // The order says something else since its card was sent, or the card could not be shown.
        (Notification::Offer { .. } | Notification::OfferCard { .. }, Some(message)) => {
            let new = bot.show(chat, message, text, keyboard).await?;
            Ok(Finish::Sent { card: new.or(Some(message)) })
        }
        // Shown nowhere: the message has become something else.
        (Notification::OfferEnded { .. }, None) => Ok(OVERTAKEN),
        (Notification::OfferEnded { standing: Standing::Expired | Standing::Withdrawn, .. }, Some(message))
            if row.deletable =>
        {
            delete(bot, chat, message, screen).await.map(|()| SENT)
        }
        // Who has deleted it is not told again.
        (Notification::Call(_) | Notification::Together(_), Some(message)) => {
            bot.edit(chat, message, text, keyboard).await.map(|()| SENT)
        }
        (_, Some(message)) => bot.show(chat, message, text, keyboard).await.map(|_| SENT),
        (
            Notification::Offer { .. }
            | Notification::OfferCard { .. }
            | Notification::Call(_)
            | Notification::Together(_),
            None,
        ) => bot.send(chat, text, keyboard).await.map(|card| Finish::Sent { card }),
        (_, None) => bot.send(chat, text, keyboard).await.map(|_| SENT),
    }
}

/// Takes a card out of the chat that nobody has answered, rather than let such cards pile up. Where Telegram does not delete
/// it any more, it says what has become of it.
async fn delete(bot: &Bot, chat: i64, message: i32, instead: &Screen) -> Result<(), Error> {
    match bot.delete(chat, message).await {
        Err(Error::MessageGone(_) | Error::Refused { code: 400, .. }) => {
            match bot.edit(chat, message, &instead.text, &instead.keyboard).await {
                // It was gone already.
                Err(Error::MessageGone(_)) => Ok(()),
                edited => edited,
            }
        }
        deleted => deleted,
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::RetryAfter(seconds) => Failure::RetryAfter(*seconds),
        Error::Unreachable(_) => Failure::Unreachable,
        Error::MessageGone(_) | Error::StaleQuery | Error::Refused { code: 400, .. } => Failure::Refused,
        // A refusal of anything but the message, such as a token that was revoked, is mended by an operator.
        Error::NoAnswer(_) | Error::Refused { .. } => Failure::Passing,
    }
}
