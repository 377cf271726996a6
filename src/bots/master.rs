//! The masters' bot: from an update to an answer and a screen.
//!
//! After every tap the callback is answered, the screen is shown, and whoever else is concerned is told; all go out
//! together, and none waits for another or stops it.

use tokio::join;

use super::callback::Callback;
use super::update::{ButtonMessage, CallbackQuery, Message, Update};
use reply::{Instead, Reply};
mod reply;
mod work;
use super::delivery;
use crate::app::App;
use crate::bots::render::{self, Screen, texts};
use crate::dispatch::Answered;
use crate::dispatch::accept::{self, AcceptOutcome};
use crate::dispatch::decline::{self, DeclineOutcome};
use crate::dispatch::view::{self, ViewOutcome};
use crate::model::{OfferList, OrderId, Tap, TelegramUserId};
use crate::store;
use crate::telegram::{self, Notice};

/// Handles an update to the end: when this returns, nothing is left to do.
///
/// # Errors
/// When the database failed, before anything was answered.
pub async fn on_update(app: &App, update: Update) -> Result<(), store::Error> {
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

async fn on_callback(app: &App, query: CallbackQuery) -> Result<(), store::Error> {
    let user = query.from.id();
    // Nothing is shown in any chat but the user's own.
    let message = query.message.filter(|message| message.chat.is_private_to(user));
    let by = Tap { user, query: Some(query.id.clone()), message: message.map(|message| message.message_id) };
    let reply = match reply(app, &by, query.data.as_deref().and_then(Callback::parse)).await {
        Ok(reply) => reply.unwrap_or_else(|| Reply::alert(texts::stranger(user), None)),
        Err(error) if error.is_transient() => return Err(error),
        Err(error) => {
            let notice = Notice { text: texts::BROKEN.to_owned(), alert: true };
            answer(app, &query.id, Some(&notice)).await;
            return Err(error);
        }
    };
    join!(
        answer(app, &query.id, reply.notice.as_ref()),
        show(app, user, message, reply.screen, reply.instead),
        tell_others(app, reply.told),
    );
    Ok(())
}

/// `None`: it was no master who tapped.
async fn reply(app: &App, by: &Tap, callback: Option<Callback>) -> Result<Option<Reply>, store::Error> {
    match callback {
        Some(Callback::Menu) => work::menu(app, by).await,
        Some(Callback::List { page }) => list(app, by, page, None).await,
        Some(Callback::Card { order, page }) => card(app, by, order, page).await,
        Some(Callback::Accept { order, page }) => accept(app, by, order, page).await,
        Some(Callback::AskDecline { order, page }) => ask_decline(app, by, order, page).await,
        Some(Callback::Decline { order, page }) => decline(app, by, order, page).await,
        Some(Callback::Active { page }) => work::active(app, by, page).await,
        Some(Callback::Own(own, order)) => work::own(app, by, own, order).await,
        Some(Callback::Shift { on }) => work::shift(app, by, on).await,
        None => list(app, by, 1, Some(texts::UNKNOWN_BUTTON)).await,
    }
}

async fn list(app: &App, by: &Tap, page: i64, alert: Option<&str>) -> Result<Option<Reply>, store::Error> {
    let Some(list) = store::offers::page(&app.store, by, page).await? else { return Ok(None) };
    leave_question(app, by, Some(&list)).await;
    let screen = render::offer_list(&list);
    let reply = match alert {
        Some(alert) => Reply::alert(alert, Some(screen)),
        None => Reply::screen(screen),
    };
    Ok(Some(Reply { instead: Some(Instead::List), ..reply }))
}

async fn card(app: &App, by: &Tap, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
    let Some(viewed) = view::view(&app.store, order, by, page).await? else { return Ok(None) };
    leave_question(app, by, viewed.fresh.as_ref()).await;
    Ok(Some(match viewed.outcome {
        ViewOutcome::Offered { card, expires } => Reply::screen(render::offer_card(&card, expires, page)),
        outcome => not_offered(&outcome, viewed.fresh.as_ref()),
    }))
}

async fn ask_decline(app: &App, by: &Tap, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
    let Some(viewed) = view::view(&app.store, order, by, page).await? else { return Ok(None) };
    leave_question(app, by, viewed.fresh.as_ref()).await;
    Ok(Some(match viewed.outcome {
        ViewOutcome::Offered { .. } => Reply::screen(render::confirm_decline(order, page)),
        outcome => not_offered(&outcome, viewed.fresh.as_ref()),
    }))
}

/// A master who turns to offers is not waited for with a reason for giving an order back.
async fn leave_question(app: &App, by: &Tap, list: Option<&OfferList>) {
    if list.is_some_and(|list| list.reason_is_awaited) {
        work::go_elsewhere(app, by).await;
    }
}

/// The own order, or why there is no card, above the list.
fn not_offered(outcome: &ViewOutcome, list: Option<&OfferList>) -> Reply {
    let (screen, instead) = match outcome {
        ViewOutcome::Yours(own) => (Some(render::own_order(own, list)), Instead::Own(own.card.id)),
        _ => (list.map(render::offer_list), Instead::List),
    };
    let reply = match texts::view(outcome) {
        Some(alert) => Reply::alert(alert, screen),
        None => Reply { screen, ..Reply::default() },
    };
    Reply { instead: Some(instead), ..reply }
}

async fn accept(app: &App, by: &Tap, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
    let Some(Answered { outcome, fresh, told, .. }) = accept::accept(&app.store, order, by, page).await? else {
        return Ok(None);
    };
    app.metrics.count("offer_accept", outcome.name());
    let list = fresh.as_ref();
    leave_question(app, by, list).await;
    let (screen, instead) = match &outcome {
        AcceptOutcome::Assigned(own) | AcceptOutcome::AlreadyYours(own) => {
            (Some(render::own_order(own, list)), Instead::Own(order))
        }
        _ => (list.map(render::offer_list), Instead::List),
    };
    Ok(Some(Reply {
        instead: Some(instead),
        told: told.then_some(order),
        ..Reply::alert(texts::accept(&outcome), screen)
    }))
}

async fn decline(app: &App, by: &Tap, order: OrderId, page: i64) -> Result<Option<Reply>, store::Error> {
    let Some(Answered { outcome, fresh, told, .. }) = decline::decline(&app.store, order, by, page).await? else {
        return Ok(None);
    };
    app.metrics.count("offer_decline", outcome.name());
    let list = fresh.as_ref();
    leave_question(app, by, list).await;
    let (screen, instead) = match &outcome {
        DeclineOutcome::AlreadyYours(own) => (Some(render::own_order(own, list)), Instead::Own(order)),
        _ => (list.map(render::offer_list), Instead::List),
    };
    Ok(Some(Reply {
        instead: Some(instead),
        told: told.then_some(order),
        ..Reply::alert(texts::decline(&outcome), screen)
    }))
}

async fn on_message(app: &App, message: Message) -> Result<(), store::Error> {
    let Some(from) = message.from else { return Ok(()) };
    let user = from.id();
    if !message.chat.is_private_to(user) {
        return Ok(());
    }
    let Reply { screen, told, .. } = match work::answer(app, user, &message).await? {
        Some(reply) => reply,
        None => Reply::screen(render::plain(texts::stranger(user))),
    };
    join!(show(app, user, None, screen, None), tell_others(app, told));
    Ok(())
}

/// Tells whoever else an order concerns, if anybody.
async fn tell_others(app: &App, told: Option<OrderId>) {
    if let Some(order) = told {
        delivery::send_own(app, order).await;
    }
}

/// Stops the button's spinner, and shows the notice if there is one.
async fn answer(app: &App, query: &str, notice: Option<&Notice>) {
    super::log_failure(app, "answerCallbackQuery", &app.master_bot.answer(query, notice).await);
}

/// Shows a screen in the message that was tapped, else in a new one. If it could not be shown, the outbox shows `instead`.
async fn show(
    app: &App,
    user: TelegramUserId,
    message: Option<ButtonMessage>,
    screen: Option<Screen>,
    instead: Option<Instead>,
) {
    let Some(screen) = screen else { return };
    let (method, shown) = match message {
        Some(message) => ("editMessageText", app.master_bot.show(message.chat.id, message.message_id, screen).await),
        None => ("sendMessage", app.master_bot.send(user.0, screen).await.map(drop)),
    };
    super::log_failure(app, method, &shown);
    let (Err(error), Some(instead)) = (shown, instead) else { return };
    let own = match instead {
        Instead::Own(order) => Some(order),
        Instead::List => None,
    };
    let message = message.map(|message| message.message_id);
    let seconds = if let telegram::Error::RetryAfter(seconds) = error { seconds } else { 1 };
    if let Err(error) = store::outbox::note_screen(&app.store, user, own, message, seconds).await {
        tracing::error!(%error, "a screen could not be shown: the next tap shows it");
    }
}
