//! The masters' bot: from an update to an answer and a screen.

mod offers;
mod reply;
mod work;
mod written;

pub(super) use reply::Answer;

use super::callback::Callback;
use super::render::texts;
use super::update::{CallbackQuery, Message, Update};
use super::{Bots, Failed, Handled, Response};
use crate::model::{BotName, MasterRef, Origin, UpdateKey};
use crate::store;
use reply::Reply;

/// Handles an update; `None`: it is of a kind that is not handled.
///
/// # Errors
/// When the database failed, before anything was answered.
pub(super) async fn handle(bots: &Bots, update: Update) -> Result<Option<Answer>, Failed> {
    match update {
        Update { callback_query: Some(query), .. } => on_callback(bots, query).await.map(Some),
        Update { message: Some(message), .. } => on_message(bots, message).await,
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
    match by.tapped(data.as_deref().and_then(Callback::parse)).await {
        // It was no master who tapped.
        Ok(reply) => Ok(answer(reply.unwrap_or_else(|| Reply::alert(texts::stranger(user), None)))),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => {
            Err(Failed { error, handled: Handled(Some(Response::Master(answer(Reply::alert(texts::BROKEN, None))))) })
        }
    }
}

async fn on_message(bots: &Bots, message: Message) -> Result<Option<Answer>, Failed> {
    let Some(user) = message.from.map(super::update::User::id).filter(|user| message.chat.is_private_to(*user)) else {
        return Ok(None);
    };
    let update = UpdateKey::message(BotName::Master, message.chat.id, message.message_id);
    let by = By {
        bots,
        master: MasterRef::Telegram(user),
        origin: &Origin { update, message: None, written: message.written() },
    };
    let reply =
        by.on_text(&message).await?.unwrap_or_else(|| Reply::screen(super::render::plain(texts::stranger(user))));
    Ok(Some(Answer { user, query: None, message: None, reply }))
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
            Some(Callback::Menu) => self.menu().await,
            Some(Callback::List { page }) => self.list(page, None).await,
            Some(Callback::Card { order, page }) => self.card(order, page).await,
            Some(Callback::Accept { order, page }) => self.accept(order, page).await,
            Some(Callback::AskDecline { order, page }) => self.ask_decline(order, page).await,
            Some(Callback::Decline { order, page }) => self.decline(order, page).await,
            Some(Callback::Active { page }) => self.active(page).await,
            Some(Callback::Own(own, order)) => self.own(own, order).await,
            Some(Callback::Shift { on }) => self.shift(on).await,
            None => self.list(1, Some(texts::UNKNOWN_BUTTON)).await,
        }
    }
}
