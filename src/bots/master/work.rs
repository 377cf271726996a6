//! Masters at work: the menu and the shift, own orders from the way there to the money, and what masters write.

use super::super::callback::Own;
use super::super::update::Message;
use super::reply::Reply;
use crate::app::App;
use crate::bots::render::{self, Screen, texts};
use crate::dispatch::close::{self, CloseOutcome};
use crate::dispatch::dialog;
use crate::dispatch::give_back::{self, GiveBackOutcome};
use crate::dispatch::progress::{self, ProgressOutcome, Step};
use crate::dispatch::{Answered, shift};
use crate::model::dialog::{Dialog, Question};
use crate::model::facts::{Facts, Standing};
use crate::model::{Amount, OrderId, OrderStatus, Tap, TelegramUserId};
use crate::store;

/// The menu.
pub(super) async fn menu(app: &App, by: &Tap) -> Result<Option<Reply>, store::Error> {
    go_elsewhere(app, by).await;
    let profile = store::masters::profile(&app.store, by.user, None).await?;
    Ok(profile.map(|profile| Reply::screen(render::menu(&profile))))
}

/// Comes on shift or leaves, and shows the menu.
pub(super) async fn shift(app: &App, by: &Tap, on: bool) -> Result<Option<Reply>, store::Error> {
    if !shift::set(&app.store, by, on).await? {
        return Ok(None);
    }
    app.metrics.count("shift", if on { "ON" } else { "OFF" });
    go_elsewhere(app, by).await;
    let profile = store::masters::profile(&app.store, by.user, None).await?;
    // What it is now: the tap may be an old one.
    Ok(profile.map(|profile| Reply::toast(texts::shift(profile.on_shift), Some(render::menu(&profile)))))
}

/// «Мои заявки».
pub(super) async fn active(app: &App, by: &Tap, page: i64) -> Result<Option<Reply>, store::Error> {
    go_elsewhere(app, by).await;
    let list = store::orders::active_page(&app.store, by.user, page).await?;
    Ok(list.map(|list| Reply::screen(render::active_list(&list))))
}

/// Whatever is asked about an own order.
pub(super) async fn own(app: &App, by: &Tap, own: Own, order: OrderId) -> Result<Option<Reply>, store::Error> {
    if own == Own::Keep {
        // Whoever went elsewhere keeps the order.
        store::dialogs::go_elsewhere(&app.store, by).await?;
    } else {
        go_elsewhere(app, by).await;
    }
    match own {
        Own::EnRoute => step(app, by, order, Step::EnRoute).await,
        Own::OnSite => step(app, by, order, Step::OnSite).await,
        Own::Done => step(app, by, order, Step::Done).await,
        Own::NotDone => step(app, by, order, Step::NotDone).await,
        Own::AskDone => ask_done(app, by, order).await,
        Own::AskReturn => ask_return(app, by, order).await,
        Own::Card | Own::Keep => card(app, by, order).await,
    }
}

/// In this message or by this tap the master turns to something else. Whatever else the tap does stands if this fails.
pub(super) async fn go_elsewhere(app: &App, by: &Tap) {
    if let Err(error) = store::dialogs::go_elsewhere(&app.store, by).await {
        tracing::warn!(%error, "a card or a question is left as it was");
    }
}

async fn card(app: &App, by: &Tap, order: OrderId) -> Result<Option<Reply>, store::Error> {
    Ok(match store::facts::of(&app.store, order, by).await? {
        Some(facts) => Some(shown(app, by, facts, None).await),
        None => None,
    })
}

/// Asks whether the work is done, or for the money if it is.
async fn ask_done(app: &App, by: &Tap, order: OrderId) -> Result<Option<Reply>, store::Error> {
    let Some(facts) = store::facts::of(&app.store, order, by).await? else { return Ok(None) };
    let working = facts.order.as_ref().is_some_and(|order| order.status == OrderStatus::Working);
    if working && facts.standing() == Standing::Yours {
        return Ok(Some(Reply::screen(render::confirm_done(order))));
    }
    ask(app, by, facts, Question::Amount, order, texts::OUT_OF_TURN).await.map(Some)
}

async fn ask_return(app: &App, by: &Tap, order: OrderId) -> Result<Option<Reply>, store::Error> {
    let Some(facts) = store::facts::of(&app.store, order, by).await? else { return Ok(None) };
    ask(app, by, facts, Question::ReturnReason, order, texts::TOO_LATE_TO_RETURN).await.map(Some)
}

/// The question; or the order as it is, with why it cannot be asked, unless an old tap asks for what has been left since.
async fn ask(
    app: &App,
    by: &Tap,
    facts: Facts,
    question: Question,
    order: OrderId,
    why_not: &str,
) -> Result<Reply, store::Error> {
    if dialog::ask(&app.store, &facts, question, order, by).await? {
        return Ok(Reply::screen(render::question(question, order)));
    }
    let why_not = (!question.makes_sense(&facts)).then_some(why_not);
    Ok(shown(app, by, facts, why_not).await)
}

/// The own order's card, and the alert if there is one; or that it is not the master's, and those that are.
async fn shown(app: &App, by: &Tap, facts: Facts, alert: Option<&str>) -> Reply {
    let yours = facts.standing() == Standing::Yours;
    if let Some(order) = facts.order.filter(|_| yours) {
        let screen = render::active_card(&order.order, order.status);
        return match alert {
            Some(alert) => Reply::alert(alert, Some(screen)),
            None => Reply::screen(screen),
        };
    }
    let list = store::orders::active_page(&app.store, by.user, 1).await.unwrap_or_else(|error| {
        tracing::error!(%error, "the own orders after a tap could not be read");
        None
    });
    Reply::alert(texts::NOT_YOURS, list.as_ref().map(render::active_list))
}

async fn step(app: &App, by: &Tap, order: OrderId, step: Step) -> Result<Option<Reply>, store::Error> {
    let Some(Answered { outcome, fresh, .. }) = progress::progress(&app.store, order, step, by).await? else {
        return Ok(None);
    };
    app.metrics.count("order_progress", outcome.name());
    if outcome == ProgressOutcome::Recorded(Step::Done) {
        return Ok(Some(Reply::screen(render::question(Question::Amount, order))));
    }
    let text = texts::progress(outcome);
    let reply = match fresh {
        Some(facts) => shown(app, by, facts, Some(text)).await,
        None => Reply::alert(text, None),
    };
    Ok(Some(match outcome {
        ProgressOutcome::Recorded(_) => Reply::toast(text, reply.screen),
        _ => reply,
    }))
}

/// The answer to what somebody wrote; `None`: no master did.
pub(super) async fn answer(app: &App, user: TelegramUserId, message: &Message) -> Result<Option<Reply>, store::Error> {
    let id = message.message_id;
    let text = message.text.as_deref().unwrap_or_default().trim();
    let wrote = Some((id, text.starts_with("/start")));
    let Some(profile) = store::masters::profile(&app.store, user, wrote).await? else { return Ok(None) };
    let by = &Tap { user, query: Some(format!("message {user} {id}")), message: None };
    let asked = profile.dialog.filter(|dialog| dialog.is_answered_by(id));
    let menu = Reply::screen(render::menu(&profile));
    let reply = match asked {
        Some(_) if text.starts_with('/') => None,
        Some(Dialog { question, order, .. }) if is_about_another(message, order) => {
            still_asked(app, by, question, order, render::question(question, order)).await?
        }
        Some(asked) if asked.question == Question::Amount => amount(app, by, asked.order, text, id).await?,
        Some(asked) => reason(app, by, asked.order, text, id).await?,
        None => None,
    };
    if reply.is_none() {
        go_elsewhere(app, by).await;
    }
    Ok(Some(reply.unwrap_or(menu)))
}

/// Whether a message is a reply to words about other orders, such as an earlier question.
fn is_about_another(message: &Message, order: OrderId) -> bool {
    let replied_to = message.reply_to_message.as_ref().and_then(|message| message.text.as_deref());
    let orders = texts::orders_in(replied_to.unwrap_or_default());
    !orders.is_empty() && !orders.contains(&order)
}

/// The screen that says so, if the question still makes sense; else it is left, and `None`.
async fn still_asked(
    app: &App,
    by: &Tap,
    question: Question,
    order: OrderId,
    screen: Screen,
) -> Result<Option<Reply>, store::Error> {
    let facts = store::facts::of(&app.store, order, by).await?;
    if facts.is_some_and(|facts| question.makes_sense(&facts)) {
        return Ok(Some(Reply::screen(screen)));
    }
    store::dialogs::leave(&app.store, by.user, question, order).await?;
    Ok(None)
}

/// `None`: nobody asks for this money any more.
async fn amount(app: &App, by: &Tap, order: OrderId, text: &str, id: i32) -> Result<Option<Reply>, store::Error> {
    let Some(amount) = Amount::parse(texts::without_currency(text)) else {
        return still_asked(app, by, Question::Amount, order, render::not_an_amount(order, text)).await;
    };
    let closed = close::close(&app.store, order, amount, by, id).await?;
    let outcome = closed.map_or(CloseOutcome::NotYours, |closed| closed.outcome);
    app.metrics.count("order_close", outcome.name());
    if !matches!(outcome, CloseOutcome::Closed(_) | CloseOutcome::Busy) {
        store::dialogs::leave(&app.store, by.user, Question::Amount, order).await?;
    }
    Ok(Some(Reply::screen(render::closed(order, outcome))))
}

async fn reason(app: &App, by: &Tap, order: OrderId, text: &str, id: i32) -> Result<Option<Reply>, store::Error> {
    // A picture, say. And PostgreSQL's text cannot hold U+0000.
    if text.is_empty() || text.contains('\0') {
        return Ok(Some(Reply::screen(render::question(Question::ReturnReason, order))));
    }
    let reason = render::cut(text, texts::REASON_LIMIT);
    let given = give_back::give_back(&app.store, order, &reason, by, id).await?;
    let (outcome, told) = given.map_or((GiveBackOutcome::NotYours, false), |given| (given.outcome, given.told));
    app.metrics.count("order_give_back", outcome.name());
    if matches!(outcome, GiveBackOutcome::TooLate | GiveBackOutcome::NotYours) {
        store::dialogs::leave(&app.store, by.user, Question::ReturnReason, order).await?;
    }
    Ok(Some(Reply { told: told.then_some(order), ..Reply::screen(render::given_back(order, outcome)) }))
}
