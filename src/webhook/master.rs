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
use crate::dispatch::{Answered, OfferList, OrderId, Tap, TelegramUserId};
use crate::render::{self, Screen, texts};
use crate::telegram::Notice;

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
    alert: Option<String>,
    screen: Option<Screen>,
}

impl Reply {
    fn screen(screen: Screen) -> Self {
        Self { alert: None, screen: Some(screen) }
    }

    fn alert(text: impl Into<String>, screen: Option<Screen>) -> Self {
        Self { alert: Some(text.into()), screen }
    }
}

async fn on_callback(app: &App, query: CallbackQuery) -> Result<(), db::Error> {
    let user = query.from.id();
    let by = Tap { user, query: Some(query.id.clone()) };
    let reply = match reply(app, &by, query.data.as_deref().and_then(Callback::parse)).await {
        Ok(reply) => reply.unwrap_or_else(|| Reply::alert(texts::stranger(user), None)),
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => {
            answer(app, &query.id, Some(texts::BROKEN.to_owned())).await;
            return Err(error);
        }
    };
    join!(answer(app, &query.id, reply.alert), show(app, user, query.message, reply.screen));
    Ok(())
}

/// `None`: it was no master who tapped.
async fn reply(app: &App, by: &Tap, callback: Option<Callback>) -> Result<Option<Reply>, db::Error> {
    let user = by.user;
    match callback {
        Some(Callback::Menu) => {
            Ok(db::masters::name(&app.db, user).await?.map(|name| Reply::screen(render::menu(&name))))
        }
        Some(Callback::List { page }) => list(app, user, page, None).await,
        Some(Callback::Card { order, page }) => card(app, user, order, page).await,
        Some(Callback::Accept { order, page }) => accept(app, by, order, page).await,
        Some(Callback::AskDecline { order, page }) => ask_decline(app, user, order, page).await,
        Some(Callback::Decline { order, page }) => decline(app, by, order, page).await,
        Some(Callback::NotYet) => list(app, user, 1, Some(texts::NOT_YET)).await,
        None => list(app, user, 1, Some(texts::UNKNOWN_BUTTON)).await,
    }
}

async fn list(app: &App, user: TelegramUserId, page: i64, alert: Option<&str>) -> Result<Option<Reply>, db::Error> {
    let list = db::offers::page(&app.db, user, page).await?;
    Ok(list.map(|list| Reply { alert: alert.map(ToOwned::to_owned), screen: Some(render::offer_list(&list)) }))
}

async fn card(app: &App, user: TelegramUserId, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    Ok(view::view(&app.db, order, user, page).await?.map(|viewed| match viewed.outcome {
        ViewOutcome::Offered { card, expires } => Reply::screen(render::offer_card(&card, expires, page)),
        outcome => not_offered(&outcome, viewed.list.as_ref()),
    }))
}

async fn ask_decline(app: &App, user: TelegramUserId, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    Ok(view::view(&app.db, order, user, page).await?.map(|viewed| match viewed.outcome {
        ViewOutcome::Offered { .. } => Reply::screen(render::confirm_decline(order, page)),
        outcome => not_offered(&outcome, viewed.list.as_ref()),
    }))
}

/// The own order, or why there is no card, above the list.
fn not_offered(outcome: &ViewOutcome, list: Option<&OfferList>) -> Reply {
    let screen = match outcome {
        ViewOutcome::Yours(own) => Some(render::own_order(own, list)),
        _ => list.map(render::offer_list),
    };
    Reply { alert: texts::view(outcome).map(ToOwned::to_owned), screen }
}

async fn accept(app: &App, by: &Tap, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    let Some(Answered { outcome, list, .. }) = accept::accept(&app.db, order, by, page).await? else {
        return Ok(None);
    };
    app.metrics.count("offer_accept", outcome.name());
    let screen = match &outcome {
        AcceptOutcome::Assigned(own) | AcceptOutcome::AlreadyYours(own) => Some(render::own_order(own, list.as_ref())),
        _ => list.as_ref().map(render::offer_list),
    };
    Ok(Some(Reply::alert(texts::accept(&outcome), screen)))
}

async fn decline(app: &App, by: &Tap, order: OrderId, page: i64) -> Result<Option<Reply>, db::Error> {
    let Some(Answered { outcome, list, .. }) = decline::decline(&app.db, order, by, page).await? else {
        return Ok(None);
    };
    app.metrics.count("offer_decline", outcome.name());
    let screen = match &outcome {
        DeclineOutcome::AlreadyYours(own) => Some(render::own_order(own, list.as_ref())),
        _ => list.as_ref().map(render::offer_list),
    };
    Ok(Some(Reply::alert(texts::decline(&outcome), screen)))
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
    super::log_failure(app, "sendMessage", app.master_bot.send(message.chat.id, screen).await);
    Ok(())
}

/// Stops the button's spinner, and shows the alert if there is one.
async fn answer(app: &App, query: &str, alert: Option<String>) {
    let notice = alert.map(|text| Notice { text, alert: true });
    super::log_failure(app, "answerCallbackQuery", app.master_bot.answer(query, notice.as_ref()).await);
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
    super::log_failure(app, "editMessageText", shown);
}
