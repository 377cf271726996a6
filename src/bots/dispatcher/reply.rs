//! The reply to an update of the staff, and sending it.

use tokio::join;

use super::super::render::{Screen, plain, texts};
use super::super::{Bots, Unanswered, pause_after};
use crate::config::PublicUrl;
use crate::dispatch::staff_dialog;
use crate::model::staff::Place;
use crate::model::{BotName, OrderId, TelegramUserId};
use crate::telegram::{self, Notice};

/// What the person gets to see, and what else an update has caused.
#[derive(Default)]
pub(super) struct Reply {
    pub(super) notice: Option<Notice>,
    pub(super) screen: Option<Screen>,
    /// What the outbox is to show if the screen cannot be shown now, or the notice if that is all there is. None for strangers
    /// alone.
    pub(super) place: Option<Place>,
    /// Whether the screen is shown in a new message, whatever was tapped.
    pub(super) apart: bool,
    /// The order about which messages to others were enqueued.
    pub(super) enqueued: Option<OrderId>,
    /// Whether the bot's commands are offered anew: those of somebody who may act, or who may only look.
    pub(super) commands: Option<bool>,
}

/// What there is to say, above the screen of a new message.
pub(super) fn noted(reply: Reply, note: &str) -> Reply {
    Reply { screen: reply.screen.map(|screen| screen.with_note(note)), ..reply }
}

impl Reply {
    pub(super) fn screen(screen: Screen, place: Place) -> Self {
        Self { screen: Some(screen), place: Some(place), ..Self::default() }
    }

    /// Asks the open question.
    pub(super) fn question(screen: Screen) -> Self {
        Self::screen(screen, Place::Question)
    }

    /// To somebody who is nobody of the staff, and is owed nothing more.
    pub(super) fn to_stranger(text: String) -> Self {
        Self { screen: Some(plain(text)), ..Self::default() }
    }

    /// A dialog over the chat, which has to be closed.
    pub(super) fn with_alert(self, text: impl Into<String>) -> Self {
        Self { notice: Some(Notice::alert(text)), ..self }
    }

    /// A line over the chat, which goes by itself.
    pub(super) fn with_toast(self, text: impl Into<String>) -> Self {
        Self { notice: Some(Notice::toast(text)), ..self }
    }

    /// Words over the chat alone.
    pub(super) fn alert(text: impl Into<String>) -> Self {
        Self::default().with_alert(text)
    }

    /// Messages to others were enqueued about an order.
    pub(super) fn with_enqueued(self, order: OrderId) -> Self {
        Self { enqueued: Some(order), ..self }
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
    /// The order about which messages to others were enqueued.
    pub(in crate::bots) fn enqueued(&self) -> Option<OrderId> {
        self.reply.enqueued
    }

    pub(in crate::bots) async fn send(self, bots: &Bots) -> Result<(), Unanswered> {
        let Self { user, query, message, reply } = self;
        let Reply { notice, screen, place, apart, commands, .. } = reply;
        let message = message.filter(|_| !apart);
        // Words over the chat are not seen below it: a message is answered by one.
        let screen = match (&query, screen, &notice) {
            (None, None, Some(notice)) => Some(plain(notice.text.clone())),
            (None, Some(screen), Some(notice)) => Some(screen.with_note(&notice.text)),
            (_, screen, _) => screen,
        };
        let (answered, shown, ()) = join!(
            bots.answer_callback(BotName::Admin, query.as_deref(), notice.as_ref()),
            show(bots, user, message, screen.as_ref(), place),
            async {
                if let Some(acts) = commands {
                    offer_commands(bots, user, acts).await;
                }
            },
        );
        let stands_in = shown?;
        match (answered, screen, notice.as_ref().and_then(Notice::as_alert), place) {
            (Err(_), None, _, Some(place)) => enqueue(bots, user, message, place, 0).await,
            // Nobody has read it, and nobody will: it is said where the screen stands.
            (Err(telegram::Error::StaleQuery), Some(screen), Some(alert), _) if stands_in.is_some() => {
                show(bots, user, stands_in, Some(&screen.with_note(alert)), place).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// Shows a screen in a message, else in a new one. If it could not be shown, the outbox shows `place`. The message in which it
/// stands now.
async fn show(
    bots: &Bots,
    user: TelegramUserId,
    message: Option<i32>,
    screen: Option<&Screen>,
    place: Option<Place>,
) -> Result<Option<i32>, Unanswered> {
    let Some(screen) = screen else { return Ok(None) };
    match (bots.show(BotName::Admin, user, message, screen).await, place) {
        (Err(error), Some(place)) => {
            enqueue(bots, user, message, place, pause_after(&error)).await?;
            Ok(None)
        }
        (Err(error), None) => Unanswered::retry_if_transient(error).map(|()| None),
        (Ok(new), _) => Ok(new.or(message)),
    }
}

/// Offers the bot's commands and, beside the field, the page.
async fn offer_commands(bots: &Bots, user: TelegramUserId, acts: bool) {
    let bot = &bots.telegram.admin;
    let page = bots.public_url.as_ref().and_then(PublicUrl::mini_app);
    let offered = texts::staff::master::commands(acts);
    let beside = async {
        match &page {
            Some(page) => bot.set_menu_button(user.0, Some((texts::staff::page::MENU_BUTTON, page))).await,
            None => Ok(()),
        }
    };
    let (commands, button) = join!(bot.set_commands(user.0, &offered), beside);
    bots.log_failure("setMyCommands", &commands);
    bots.log_failure("setChatMenuButton", &button);
}

/// Leaves a screen that could not be shown to the outbox, which shows `place` as it is then.
async fn enqueue(
    bots: &Bots,
    user: TelegramUserId,
    message: Option<i32>,
    place: Place,
    seconds: u64,
) -> Result<(), Unanswered> {
    staff_dialog::enqueue(&bots.store, user, place, message, seconds).await?;
    bots.enqueued.notify_one();
    Ok(())
}
