//! The dispatchers' bot, which so far only says that it is coming.

use super::update::Update;
use crate::app::App;
use crate::bots::render::{self, texts};
use crate::store;
use crate::telegram::Notice;

/// Handles an update to the end.
///
/// # Errors
/// None yet.
pub async fn on_update(app: &App, update: Update) -> Result<(), store::Error> {
    if let Some(query) = update.callback_query {
        let notice = Notice { text: texts::ADMIN_NOT_YET.to_owned(), alert: true };
        super::log_failure(app, "answerCallbackQuery", &app.admin_bot.answer(&query.id, Some(&notice)).await);
    } else if let Some(message) = update.message.filter(|message| message.chat.id > 0) {
        let screen = render::plain(texts::ADMIN_NOT_YET.to_owned());
        super::log_failure(app, "sendMessage", &app.admin_bot.send(message.chat.id, screen).await);
    }
    Ok(())
}
