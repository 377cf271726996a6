//! Sends what the outbox holds: each row rendered, sent, and finished.
//!
//! Several senders may be at work at once, and each may die at any moment. What Telegram puts off is put back, never
//! waited for.

use std::time::Duration;

use futures_util::future::join_all;

use super::Bots;
use super::render;
use crate::dispatch::deliver::{self, Because, Claimed, Failure, Finish};
use crate::dispatch::view;
use crate::model::facts::Standing;
use crate::model::notification::Notification;
use crate::model::{MasterRef, OrderId};
use crate::store;
use crate::telegram::{Bot, Error};

/// Sends what can be sent now, of one order or of all; how many rows that were.
///
/// # Errors
/// When the database failed.
pub async fn pass(bots: &Bots, order: Option<OrderId>) -> Result<usize, store::Error> {
    let rows = deliver::claim(&bots.store, order).await?;
    Ok(join_all(rows.into_iter().map(|row| attempt(bots, row, &[]))).await.len())
}

/// Sends what an update has caused about an order, as far as that is possible at once; the delivery job sends the rest.
pub(super) async fn deliver_order(bots: &Bots, order: OrderId) {
    if let Err(error) = pass(bots, Some(order)).await {
        tracing::warn!(%error, "messages about order={order} are left to the delivery job");
    }
}

/// Attempts to send a row, and records the result. `backoff`: the waits before recording it once more; if the lease ends
/// first, the message is sent twice.
pub async fn attempt(bots: &Bots, row: Claimed, backoff: &[Duration]) {
    let sent = send(bots.telegram.of(row.bot), &row).await;
    let finish = match &sent {
        Ok(finish) => finish.clone(),
        Err(error) => deliver::after(failure(error), &row),
    };
    log(bots, &row, &finish, sent.as_ref().err());
    // Not when the order is now theirs: they have its card.
    let edited = matches!(
        (&row.notification, &finish),
        (Some(Notification::OfferEnded { standing, .. }), Finish::Sent { .. }) if *standing != Standing::Yours
    );
    let mut backoff = backoff.iter();
    loop {
        match (deliver::finish(&bots.store, &row, &finish).await, backoff.next()) {
            (Ok(taken_over), _) => {
                if taken_over && edited {
                    show_list_again(bots, &row).await;
                }
                return;
            }
            (Err(error), Some(wait)) if error.is_transient() => {
                tracing::warn!(%error, "row {} of the outbox is finished later", row.lease.row);
                tokio::time::sleep(*wait).await;
            }
            (Err(error), _) => {
                tracing::error!(%error, "row {} of the outbox could not be finished, and will be tried again", row.lease.row);
                return;
            }
        }
    }
}

fn log(bots: &Bots, row: &Claimed, finish: &Finish, error: Option<&Error>) {
    let (id, user, attempt) = (row.lease.row, row.user, row.attempt);
    let why = error.map(|error| format!(": {error}")).unwrap_or_default();
    let word = match finish {
        Finish::Sent { .. } => {
            tracing::info!(row = id, "outbox SENT: row={id} telegram_user={user}");
            "SENT"
        }
        Finish::Later { seconds, .. } => {
            tracing::warn!(row = id, attempt, "outbox LATER: row={id} telegram_user={user} wait={seconds}s{why}");
            "LATER"
        }
        Finish::Dropped(Because::Overtaken) => {
            tracing::info!(row = id, "outbox OVERTAKEN: row={id}");
            "OVERTAKEN"
        }
        Finish::Dropped(because) => {
            let because = because.as_str();
            tracing::warn!(row = id, attempt, because, "outbox DROPPED: row={id} telegram_user={user} {because}{why}");
            "DROPPED"
        }
    };
    bots.metrics.count("outbox", word);
}

/// While a card was being edited its master tapped on it, and was shown the list there: shows it again, lest the edit
/// came last.
async fn show_list_again(bots: &Bots, row: &Claimed) {
    let Some(message) = row.message else { return };
    match view::offers(&bots.store, MasterRef::Telegram(row.user), None, 1).await {
        Ok(Some(list)) => {
            let screen = render::offer_list(&list);
            let edited = bots.telegram.master.edit(row.user.0, message, &screen.text, &screen.keyboard).await;
            if let Err(error) = edited {
                tracing::warn!(%error, "a list that an edit covered could not be shown again");
            }
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a list that an edit covered could not be read"),
    }
}

async fn send(bot: &Bot, row: &Claimed) -> Result<Finish, Error> {
    const OVERTAKEN: Finish = Finish::Dropped(Because::Overtaken);
    const SENT: Finish = Finish::Sent { card: None };
    let Some(notification) = &row.notification else { return Ok(OVERTAKEN) };
    let screen = render::notification(notification);
    let (chat, text, keyboard) = (row.user.0, &screen.text, &screen.keyboard);
    match (notification, row.message) {
        (Notification::Offer { .. }, _) => bot.send(chat, text, keyboard).await.map(|card| Finish::Sent { card }),
        // Shown nowhere: the message has become something else.
        (Notification::OfferEnded { .. }, None) => Ok(OVERTAKEN),
        (_, Some(message)) => bot.show(chat, message, text, keyboard).await.map(|()| SENT),
        (_, None) => bot.send(chat, text, keyboard).await.map(|_| SENT),
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
