//! The reply to an update, and sending it.

use std::time::Duration;

use tokio::join;

use super::super::render::Screen;
use super::super::{Bots, delivery};
use crate::dispatch::{shift, view};
use crate::model::{BotName, MasterId, OrderId, TelegramUserId};
use crate::telegram::{self, Notice};

/// What the calls of one screen may take: what they did not take is then still enqueued in time.
const CALLS: Duration = Duration::from_secs(5);

/// What is shown later if a screen cannot be shown now.
#[derive(Clone, Copy)]
pub(super) enum Fallback {
    /// The order that the master got, who must not miss it.
    Own(OrderId),
    /// The list of offers: the message may still show one of them as if it could be taken.
    List,
}

/// What the person gets to see, and what else an update has caused.
#[derive(Default)]
pub(super) struct Reply {
    pub(super) notice: Option<Notice>,
    pub(super) screen: Option<Screen>,
    /// What the outbox is to show if the screen cannot be shown now; the next tap shows the rest.
    pub(super) fallback: Option<Fallback>,
    /// The order about which messages to others were enqueued.
    pub(super) enqueued: Option<OrderId>,
    /// The master who can be asked by now, by orders that found nobody.
    pub(super) can_be_asked: Option<MasterId>,
}

impl Reply {
    pub(super) fn screen(screen: Screen) -> Self {
        Self { screen: Some(screen), ..Self::default() }
    }

    /// A dialog over the chat, which has to be closed.
    pub(super) fn alert(text: impl Into<String>, screen: Option<Screen>) -> Self {
        Self { notice: Some(Notice { text: text.into(), alert: true }), screen, ..Self::default() }
    }

    /// A line over the chat, which goes by itself.
    pub(super) fn toast(text: impl Into<String>, screen: Option<Screen>) -> Self {
        Self { notice: Some(Notice { text: text.into(), alert: false }), screen, ..Self::default() }
    }
}

/// A reply, and where it is sent.
pub(in crate::bots) struct Answer {
    /// To whom.
    pub(super) user: TelegramUserId,
    /// The callback to be answered, if it was a tap.
    pub(super) query: Option<String>,
    /// The message of the user's own chat to show the screen in; `None`: a new one.
    pub(super) message: Option<i32>,
    pub(super) reply: Reply,
}

impl Answer {
    pub(in crate::bots) async fn send(self, bots: &Bots) {
        let Self { user, query, message, reply: Reply { notice, screen, fallback, enqueued, can_be_asked } } = self;
        join!(
            bots.answer_callback(BotName::Master, query.as_deref(), notice.as_ref()),
            show(bots, user, message, screen, fallback),
            async {
                if let Some(order) = enqueued {
                    delivery::deliver_order(bots, order).await;
                    // What could not be sent in this moment.
                    bots.enqueued.notify_one();
                }
            },
            async {
                if let Some(master) = can_be_asked {
                    shift::look_again_for(&bots.store, master).await;
                }
            },
        );
    }
}

/// Shows a screen in a message, else in a new one. If it could not be shown, the outbox shows `instead`.
async fn show(
    bots: &Bots,
    user: TelegramUserId,
    message: Option<i32>,
    screen: Option<Screen>,
    fallback: Option<Fallback>,
) {
    let Some(Screen { text, keyboard }) = screen else { return };
    let bot = &bots.telegram.master;
    let (method, shown) = match message {
        Some(message) => {
            // An edit, and a new message where it cannot be edited.
            let shown = tokio::time::timeout(CALLS, bot.show(user.0, message, &text, &keyboard)).await;
            ("editMessageText", shown.unwrap_or_else(|_| Err(telegram::Error::NoAnswer("not in time".to_owned()))))
        }
        None => ("sendMessage", bot.send(user.0, &text, &keyboard).await.map(drop)),
    };
    bots.log_failure(method, &shown);
    let (Err(error), Some(fallback)) = (shown, fallback) else { return };
    let own = match fallback {
        Fallback::Own(order) => Some(order),
        Fallback::List => None,
    };
    let seconds = if let telegram::Error::RetryAfter(seconds) = error { seconds } else { 1 };
    if let Err(error) = view::enqueue(&bots.store, user, own, message, seconds).await {
        tracing::error!(%error, "a screen could not be shown: the next tap shows it");
    }
    bots.enqueued.notify_one();
}
