//! The dispatchers' bot, which so far only says that it is coming; and notes that whoever writes to it can be written to.

use super::render::{self, texts};
use super::update::{CallbackQuery, Message, Update};
use super::{Bots, Failed, Handled};
use crate::dispatch::{dialog, reach};
use crate::model::{BotName, TelegramUserId, UpdateKey};
use crate::telegram::Notice;

/// Where the answer goes.
pub(super) enum Answer {
    Tap(String),
    Message(TelegramUserId),
}

/// Handles an update; `None`: it is of a kind that is not handled.
pub(super) async fn handle(bots: &Bots, update: Update) -> Result<Option<Answer>, Failed> {
    let (user, answer) = match update {
        Update { callback_query: Some(CallbackQuery { id, from, .. }), .. } => (from.id(), Answer::Tap(id)),
        Update { message: Some(message), .. } if !message.is_service() && is_first(bots, &message).await? => {
            match message.from.filter(|from| message.chat.is_private_to(from.id())) {
                Some(from) => (from.id(), Answer::Message(from.id())),
                None => return Ok(None),
            }
        }
        _ => return Ok(None),
    };
    match reach::mark_reachable(&bots.store, user).await {
        Ok(false) if matches!(answer, Answer::Message(_)) && !bots.strangers.may_be_answered(BotName::Admin, user) => {
            Ok(None)
        }
        Ok(_) => Ok(Some(answer)),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(error) => Err(Failed { error, handled: Handled(Some(super::Response::Dispatcher(answer))) }),
    }
}

/// Whether a message is to be answered: of an album, whose photos come one by one, the first is.
async fn is_first(bots: &Bots, message: &Message) -> Result<bool, Failed> {
    let Some(group) = &message.media_group_id else { return Ok(true) };
    let album = UpdateKey::album(BotName::Admin, message.chat.id, group);
    Ok(dialog::is_first_of_album(&bots.store, &album, message.message_id).await?)
}

impl Answer {
    pub(super) async fn send(self, bots: &Bots) {
        match self {
            Self::Tap(query) => {
                let notice = Notice { text: texts::ADMIN_NOT_YET.to_owned(), alert: true };
                bots.answer_callback(BotName::Admin, Some(&query), Some(&notice)).await;
            }
            Self::Message(user) => {
                let screen = render::plain(texts::ADMIN_NOT_YET.to_owned());
                let sent = bots.telegram.admin.send(user.0, &screen.text, &screen.keyboard).await;
                bots.log_failure("sendMessage", &sent);
            }
        }
    }
}
