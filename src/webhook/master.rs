//! The masters' bot: from an update to an answer and a screen.
//!
//! After every tap the callback is answered and the screen is shown; the two go out together, and neither waits for
//! the other or stops it.

use tokio::join;

use super::callback::Callback;
use super::update::{ButtonMessage, CallbackQuery, Message, Update};
use crate::app::App;
use crate::db;
use crate::dispatch::accept::{self, AcceptOutcome};
use crate::dispatch::decline::{self, DeclineOutcome};
use crate::dispatch::view::{self, ViewOutcome};
use crate::dispatch::{OrderId, TelegramUserId};
use crate::render::{self, Screen, texts};
use crate::telegram::{self, Notice};

/// Handles an update to the end: when this returns, nothing is left to do.
///
/// # Errors
/// When the database failed, before anything was answered.
pub async fn on_update(app: &App, update: Update) -> Result<(), db::Error> {
    match update {
        Update { callback_query: Some(query), .. } => on_callback(app, query).await,
        Update { message: Some(message), .. } => on_message(app, message).await,
        Update { update_id, .. } => {
            tracing::info!(update_id, "an update of a kind that is not handled");
            app.metrics.count("update", "IGNORED");
            Ok(())
        }
    }
}

/// What the person gets to see.
struct Reply {
    notice: Option<Notice>,
    screen: Option<Screen>,
}

impl Reply {
    fn screen(screen: Screen) -> Self {
        Self { notice: None, screen: Some(screen) }
    }

    fn alert(text: impl Into<String>, screen: Option<Screen>) -> Self {
        Self { notice: Some(Notice { text: text.into(), alert: true }), screen }
    }

    fn stranger(user: TelegramUserId) -> Self {
        Self::alert(texts::stranger(user), None)
    }
}

async fn on_callback(app: &App, query: CallbackQuery) -> Result<(), db::Error> {
    let user = query.from.id();
    let reply = match reply(app, user, query.data.as_deref().and_then(Callback::parse)).await {
        Ok(reply) => reply.unwrap_or_else(|| Reply::stranger(user)),
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => {
            let notice = Notice { text: texts::BROKEN.to_owned(), alert: true };
            answer(app, &query.id, Some(&notice)).await;
            return Err(error);
        }
    };
    join!(answer(app, &query.id, reply.notice.as_ref()), show(app, user, query.message, reply.screen));
    Ok(())
}

/// `None`: no master is behind `user`.
async fn reply(app: &App, user: TelegramUserId, callback: Option<Callback>) -> Result<Option<Reply>, db::Error> {
    match callback {
        Some(Callback::Menu) => {
            Ok(db::masters::name(&app.db, user).await?.map(|name| Reply::screen(render::menu(&name))))
        }
        Some(Callback::List { page }) => list(app, user, page, None).await,
        Some(Callback::Card { order, page }) => card(app, user, order, page).await,
        Some(Callback::Accept { order, page }) => accept(app, user, order, page).await,
        Some(Callback::AskDecline { order, page }) => ask_decline(app, user, order, page).await,
        Some(Callback::Decline { order, page }) => decline(app, user, order, page).await,
        Some(Callback::NotYet) => list(app, user, 1, Some(texts::NOT_YET)).await,
        None => list(app, user, 1, Some(texts::UNKNOWN_BUTTON)).await,
    }
}

async fn list(app: &App, user: TelegramUserId, page: i64, notice: Option<&str>) -> Result<Option<Reply>, db::Error> {
    let list = db::offers::page(&app.db, user, page).await?;
    Ok(list.map(|list| Reply {
        notice: notice.map(|text| Notice { text: text.to_owned(), alert: true }),
        screen: Some(render::offer_list(&list)),
    }))
}

async fn card(app: &App, user: TelegramUserId, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    let Some(viewed) = view::view(&app.db, order, user, page).await? else { return Ok(None) };
    let notice = texts::view(&viewed.outcome);
    let screen = match viewed.outcome {
        ViewOutcome::Offered { card, expires } => render::offer_card(&card, expires, page),
        ViewOutcome::Yours(own) => render::own_order_and_list(&own, &viewed.list),
        _ => render::offer_list(&viewed.list),
    };
    Ok(Some(Reply { notice: notice.map(|text| Notice { text: text.to_owned(), alert: true }), screen: Some(screen) }))
}

async fn ask_decline(app: &App, user: TelegramUserId, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    let Some(viewed) = view::view(&app.db, order, user, page).await? else { return Ok(None) };
    if let ViewOutcome::Offered { .. } = viewed.outcome {
        return Ok(Some(Reply::screen(render::confirm_decline(order, page))));
    }
    card(app, user, order, page).await
}

async fn accept(app: &App, user: TelegramUserId, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    let Some(accepted) = accept::accept(&app.db, order, user, page).await? else { return Ok(None) };
    app.metrics.count("offer_accept", accepted.outcome.name());
    let text = texts::accept(&accepted.outcome);
    let screen = match &accepted.outcome {
        AcceptOutcome::Assigned(own) | AcceptOutcome::AlreadyYours(own) => {
            render::own_order_and_list(own, &accepted.list)
        }
        _ => render::offer_list(&accepted.list),
    };
    Ok(Some(Reply::alert(text, Some(screen))))
}

async fn decline(app: &App, user: TelegramUserId, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    let Some(declined) = decline::decline(&app.db, order, user, page).await? else { return Ok(None) };
    app.metrics.count("offer_decline", declined.outcome.name());
    let text = texts::decline(&declined.outcome);
    let screen = match &declined.outcome {
        DeclineOutcome::AlreadyYours(own) => render::own_order_and_list(own, &declined.list),
        _ => render::offer_list(&declined.list),
    };
    Ok(Some(Reply::alert(text, Some(screen))))
}

async fn on_message(app: &App, message: Message) -> Result<(), db::Error> {
    let Some(from) = message.from else { return Ok(()) };
    let user = from.id();
    if !message.chat.is_private_to(user) {
        return Ok(());
    }
    let screen = match db::masters::name(&app.db, user).await? {
        Some(name) => render::menu(&name),
        None => render::plain(texts::stranger(user)),
    };
    log_failure(app, "sendMessage", app.master_bot.send(message.chat.id, screen).await);
    Ok(())
}

async fn answer(app: &App, query: &str, notice: Option<&Notice>) {
    log_failure(app, "answerCallbackQuery", app.master_bot.answer(query, notice).await);
}

/// Shows a screen in the message that was tapped, if that is in the user's own chat, else in a new message there.
async fn show(app: &App, user: TelegramUserId, message: Option<ButtonMessage>, screen: Option<Screen>) {
    let Some(screen) = screen else { return };
    let shown = match message {
        Some(message) if message.chat.is_private_to(user) => {
            app.master_bot.show(message.chat.id, message.message_id, screen).await
        }
        _ => app.master_bot.send(user.0, screen).await,
    };
    log_failure(app, "editMessageText", shown);
}

/// A call that failed after the commit costs the person a look at the list, not the order: the next tap shows it.
fn log_failure(app: &App, method: &str, result: Result<(), telegram::Error>) {
    match result {
        Ok(()) => {}
        Err(telegram::Error::StaleQuery) => {
            tracing::info!(method, "the callback was too old to be answered");
            app.metrics.count("telegram", "STALE");
        }
        Err(error) => {
            tracing::warn!(method, %error, "a call to Telegram failed");
            app.metrics.count("telegram", "FAILED");
        }
    }
}
