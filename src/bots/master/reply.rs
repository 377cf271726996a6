//! The reply to an update, and sending it.

use tokio::join;

use super::super::render::{Screen, plain, texts};
use super::super::{Bots, Unanswered, pause_after};
use crate::dispatch::{dialog, shift, view};
use crate::model::notification::Kind;
use crate::model::{BotName, MasterId, OfferId, OrderId, TelegramUserId};
use crate::telegram::{self, Notice};

/// What the outbox shows if a screen cannot be shown now: what is true of it by then.
#[derive(Clone, Copy)]
pub(super) enum Fallback {
    /// The list of offers.
    List,
    /// The order that the master has just got, with the client.
    Own(OrderId),
    /// The menu.
    Menu,
    /// The own orders.
    Active,
    /// The card of an order.
    Card(OrderId),
    /// What is asked about an order, or is to be confirmed; its card if nothing is.
    Question(OrderId),
}

impl Fallback {
    fn kind(self) -> (Kind, Option<OrderId>) {
        match self {
            Self::List => (Kind::List, None),
            Self::Own(order) => (Kind::OwnOrder, Some(order)),
            Self::Menu => (Kind::Menu, None),
            Self::Active => (Kind::Active, None),
            Self::Card(order) => (Kind::Card, Some(order)),
            Self::Question(order) => (Kind::Question, Some(order)),
        }
    }
}

/// What the person gets to see, and what else an update has caused.
#[derive(Default)]
pub(super) struct Reply {
    pub(super) notice: Option<Notice>,
    pub(super) screen: Option<Screen>,
    /// What the outbox is to show if the screen cannot be shown now. None for strangers alone.
    pub(super) fallback: Option<Fallback>,
    /// What the outbox is to show if the notice is all there is, and Telegram does not take that.
    pub(super) otherwise: Option<Fallback>,
    /// The live offer that the screen is about, with its order: its message is to be known when the offer ends.
    pub(super) offer: Option<(OrderId, OfferId)>,
    /// The question that the screen asks anew, in a message of its own: about which order, and the message that asked it
    /// before, whose buttons have been answered.
    pub(super) asks: Option<(OrderId, Option<i32>)>,
    /// Whether the bot's commands are offered.
    pub(super) commands: bool,
    /// The order about which messages to others were enqueued.
    pub(super) enqueued: Option<OrderId>,
    /// The master who can be asked by now, by orders that found nobody.
    pub(super) can_be_asked: Option<MasterId>,
    /// A message before the screen that changes what is under the field.
    pub(super) under: Option<UnderTheField>,
}

/// A message with which a key appears under the field, or goes.
pub(super) struct UnderTheField {
    pub(super) text: String,
    /// What is on the key that shares the own contact; `None`: whatever is there goes.
    pub(super) key: Option<&'static str>,
}

impl Reply {
    pub(super) fn screen(screen: Screen, fallback: Fallback) -> Self {
        Self { screen: Some(screen), fallback: Some(fallback), ..Self::default() }
    }

    /// About a live offer.
    pub(super) fn offered(screen: Screen, order: OrderId, offer: OfferId) -> Self {
        Self { offer: Some((order, offer)), ..Self::screen(screen, Fallback::Card(order)) }
    }

    /// To somebody who is no master, and is owed nothing more.
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

    /// Words over the chat of a master, who sees the menu if they are not taken.
    pub(super) fn notice_or_menu(text: &str) -> Self {
        Self { otherwise: Some(Fallback::Menu), ..Self::alert(text) }
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
        let Reply { notice, screen, fallback, otherwise, offer, asks, can_be_asked, under, commands, .. } = reply;
        let (answered, shown, (), ()) = join!(
            bots.answer_callback(BotName::Master, query.as_deref(), notice.as_ref()),
            async {
                if let Some(UnderTheField { text, key }) = under {
                    let sent = bots.telegram.master.send_with_key(user.0, &text, key).await;
                    bots.log_failure("sendMessage", &sent);
                    // It is the question itself.
                    if let (Err(error), None, None) = (sent, &screen, fallback) {
                        return Unanswered::retry_if_transient(error).map(|()| None);
                    }
                }
                show(bots, user, message, Shown { screen: screen.as_ref(), fallback, offer, asks }).await
            },
            async {
                if let Some(master) = can_be_asked {
                    shift::recheck_orders_for(&bots.store, master).await;
                }
            },
            async {
                if commands {
                    let offered = bots.telegram.master.set_commands(user.0, &texts::why::COMMANDS).await;
                    bots.log_failure("setMyCommands", &offered);
                }
            },
        );
        let stands_in = shown?;
        match (answered, otherwise, notice.as_ref().and_then(Notice::as_alert)) {
            (Err(_), Some(fallback), _) => enqueue(bots, user, message, fallback, 0).await,
            // Nobody has read it, and nobody will: it is said where the screen stands.
            (Err(telegram::Error::StaleQuery), None, Some(alert)) if stands_in.is_some() => {
                let screen = screen.map(|screen| screen.with_note(alert));
                let shown = Shown { screen: screen.as_ref(), fallback, offer, asks: None };
                show(bots, user, stands_in, shown).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// What of a [`Reply`] is shown, and what is noted of it then.
struct Shown<'a> {
    screen: Option<&'a Screen>,
    fallback: Option<Fallback>,
    offer: Option<(OrderId, OfferId)>,
    asks: Option<(OrderId, Option<i32>)>,
}

/// Shows a screen in a message, else in a new one. If it could not be shown, the outbox shows `fallback`. The message in
/// which it stands now.
async fn show(
    bots: &Bots,
    user: TelegramUserId,
    message: Option<i32>,
    shown: Shown<'_>,
) -> Result<Option<i32>, Unanswered> {
    let Shown { screen, fallback, offer, asks } = shown;
    let Some(screen) = screen else {
        // It could not be read.
        if let Some(fallback) = fallback {
            enqueue(bots, user, message, fallback, 0).await?;
        }
        return Ok(None);
    };
    let new = match (bots.show(BotName::Master, user, message, screen).await, fallback) {
        (Ok(new), _) => new,
        (Err(error), Some(fallback)) => {
            enqueue(bots, user, message, fallback, pause_after(&error)).await?;
            return Ok(None);
        }
        (Err(error), None) => return Unanswered::retry_if_transient(error).map(|()| None),
    };
    if let (Some(new), Some((order, before))) = (new, asks) {
        join!(dialog::note_message(&bots.store, user, order, new), strip(bots, user, before));
    }
    if let Some((order, offer)) = offer {
        match (new, message) {
            (Some(new), gone) => view::note_card(&bots.store, user, offer, new, gone).await?,
            (None, Some(message)) => bots.show_what_is_covered(user, message, order, Some(offer)).await?,
            (None, None) => {}
        }
    }
    Ok(new.or(message))
}

/// Takes the buttons from a question that has been answered.
async fn strip(bots: &Bots, user: TelegramUserId, message: Option<i32>) {
    if let Some(message) = message {
        bots.log_failure("editMessageReplyMarkup", &bots.telegram.master.strip(user.0, message).await);
    }
}

async fn enqueue(
    bots: &Bots,
    user: TelegramUserId,
    message: Option<i32>,
    fallback: Fallback,
    seconds: u64,
) -> Result<(), Unanswered> {
    view::enqueue(&bots.store, user, fallback.kind(), message, seconds).await?;
    bots.enqueued.notify_one();
    Ok(())
}
