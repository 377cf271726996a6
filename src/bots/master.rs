//! The masters' bot: from an update to an answer and a screen.

mod confirmed;
mod newcomer;
mod offers;
mod reply;
mod why;
mod work;
mod written;

pub(super) use reply::Answer;

use super::callback::Callback;
use super::render::texts;
use super::update::{CallbackQuery, Message, Update};
use super::{Bots, Failed, Handled, Response};
use crate::model::{BotName, MasterRef, Origin, UpdateKey};
use crate::store;
use reply::{Fallback, Reply};

/// Handles an update; `None`: it is of a kind that is not handled.
///
/// # Errors
/// When the database failed, before anything was answered.
pub(super) async fn handle(bots: &Bots, update: Update) -> Result<Option<Answer>, Failed> {
    match update {
        Update { callback_query: Some(query), .. } => on_callback(bots, query).await.map(Some),
        Update { message: Some(message), .. } => on_message(bots, message, false).await,
        Update { edited_message: Some(message), .. } => on_message(bots, message, true).await,
        Update { update_id, .. } => {
            tracing::info!(update_id, "an update of a kind that is not handled");
            bots.metrics.count("update", "IGNORED");
            Ok(None)
        }
    }
}

async fn on_callback(bots: &Bots, query: CallbackQuery) -> Result<Answer, Failed> {
    let CallbackQuery { id, from, message, data } = query;
    let user = from.id();
    // Nothing is shown in any chat but the user's own.
    let message = message.filter(|message| message.chat.is_private_to(user)).map(|message| message.message_id);
    let origin = Origin { update: UpdateKey::callback(BotName::Master, &id), message, written: None };
    let by = By { bots, master: MasterRef::Telegram(user), origin: &origin };
    let answer = |reply| Answer { user, query: Some(id), message, reply };
    let callback = data.as_deref().and_then(Callback::parse);
    let replied = match by.tapped(callback).await {
        Ok(None) => by.newcomer_tapped(user, callback).await,
        replied => replied,
    };
    match replied {
        // It was no master who tapped.
        Ok(reply) => Ok(answer(reply.unwrap_or_else(|| Reply::alert(texts::stranger(user))))),
        // Somebody holds what the tap needs, be it a whole table.
        Err(error) if error.is_timed_out() => {
            tracing::warn!(%error, "a lock or a statement took too long");
            bots.metrics.count("master", "BUSY");
            Ok(answer(Reply::notice_or_menu(texts::BUSY)))
        }
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => Err(Failed {
            error,
            handled: Handled(Some(Response::Master(answer(Reply::notice_or_menu(texts::BROKEN))))),
        }),
    }
}

/// Handles a message, or what it is after an edit.
async fn on_message(bots: &Bots, message: Message, edited: bool) -> Result<Option<Answer>, Failed> {
    let from = message.from.as_ref().map(super::update::User::id).filter(|user| message.chat.is_private_to(*user));
    // A place that moves is edited all the time, and says nothing.
    let says_nothing = message.is_service() || edited && message.text.is_none();
    let Some(user) = from.filter(|_| !says_nothing) else { return Ok(None) };
    let (chat, id) = (message.chat.id, message.message_id);
    let update = match message.edit_date.filter(|_| edited) {
        Some(at) => UpdateKey::edit(BotName::Master, chat, id, at),
        None => UpdateKey::message(BotName::Master, chat, id),
    };
    let origin = Origin { update, message: None, written: message.written() };
    let by = By { bots, master: MasterRef::Telegram(user), origin: &origin };
    let answer = |reply| Answer { user, query: None, message: None, reply };
    let handled = match if edited { by.on_edit(&message).await } else { by.on_text(&message).await } {
        Ok(None) if !edited => by.newcomer_written(user, &message).await,
        handled => handled,
    };
    match handled {
        Ok(Some(reply)) => Ok(Some(answer(reply))),
        Ok(None) if edited || !bots.strangers.may_be_answered(BotName::Master, user, id) => Ok(None),
        Ok(None) => Ok(Some(answer(Reply::to_stranger(texts::stranger(user))))),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            let reply = Reply::screen(super::render::plain(texts::BROKEN.to_owned()), Fallback::Menu);
            Err(Failed { error, handled: Handled(Some(Response::Master(answer(reply)))) })
        }
    }
}

/// Who asks, and where.
#[derive(Clone, Copy)]
struct By<'a> {
    bots: &'a Bots,
    master: MasterRef,
    origin: &'a Origin,
}

impl By<'_> {
    /// The reply to a tap; `None`: no master tapped.
    async fn tapped(self, callback: Option<Callback>) -> Result<Option<Reply>, store::Error> {
        match callback {
            // A button of the way in is tapped by whoever is a master by now.
            Some(Callback::Menu | Callback::Onboard(_)) => self.menu().await,
            Some(Callback::List { page }) => self.list(page).await,
            Some(Callback::Card { order, page }) => self.card(order, page).await,
            Some(Callback::Accept { order, page }) => self.accept(order, page).await,
            Some(Callback::AskDecline { order, page }) => self.ask_decline(order, page).await,
            Some(Callback::Decline { order, page }) => self.decline(order, page).await,
            Some(Callback::Active { page }) => self.active(page).await,
            Some(Callback::Own(own, order)) => self.own(own, order).await,
            Some(Callback::Close { order, amount }) => self.close(order, amount).await,
            Some(Callback::Correct { order, amount }) => self.correct(order, amount).await,
            Some(Callback::GiveBack { order, message }) => self.give_back(order, message).await,
            Some(Callback::Why(order)) => self.why(order).await,
            Some(Callback::Shift { on }) => self.shift(on).await,
            None => Ok(self.list(1).await?.map(|reply| reply.with_alert(texts::UNKNOWN_BUTTON))),
        }
    }
}
