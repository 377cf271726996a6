//! Masters at work: the menu and the shift, own orders from the way there to the money, and what masters write.

use super::callback::Own;
use super::reply::Reply;
use super::update::Message;
use crate::app::App;
use crate::db;
use crate::dispatch::close::{self, CloseOutcome};
use crate::dispatch::dialog::{Dialog, Question};
use crate::dispatch::facts::{Facts, Standing};
use crate::dispatch::give_back::{self, GiveBackOutcome};
use crate::dispatch::progress::{self, ProgressOutcome, Step};
use crate::dispatch::{Amount, Answered, OrderId, OrderStatus, Tap, TelegramUserId, shift};
use crate::render::{self, texts};

/// The menu.
pub(super) async fn menu(app: &App, by: &Tap) -> Result<Option<Reply>, db::Error> {
    db::offers::release_card(&app.db, by).await?;
    let profile = db::masters::profile(&app.db, by.user, false).await?;
    Ok(profile.map(|profile| Reply::screen(render::menu(&profile))))
}

/// Comes on shift or leaves, and shows the menu.
pub(super) async fn shift(app: &App, by: &Tap, on: bool) -> Result<Option<Reply>, db::Error> {
    if !shift::set(&app.db, by.user, on).await? {
        return Ok(None);
    }
    app.metrics.count("shift", if on { "ON" } else { "OFF" });
    let menu = menu(app, by).await?;
    Ok(menu.map(|menu| Reply::toast(texts::shift(on), menu.screen)))
}

/// «Мои заявки».
pub(super) async fn active(app: &App, by: &Tap, page: i64) -> Result<Option<Reply>, db::Error> {
    db::offers::release_card(&app.db, by).await?;
    let list = db::orders::active_page(&app.db, by.user, page).await?;
    Ok(list.map(|list| Reply::screen(render::active_list(&list))))
}

/// Whatever is asked about an own order.
pub(super) async fn own(app: &App, by: &Tap, own: Own, order: OrderId) -> Result<Option<Reply>, db::Error> {
    match own {
        Own::EnRoute => step(app, by, order, Step::EnRoute).await,
        Own::OnSite => step(app, by, order, Step::OnSite).await,
        Own::Done => step(app, by, order, Step::Done).await,
        Own::NotDone => {
            let reply = step(app, by, order, Step::NotDone).await?;
            db::dialogs::forget(&app.db, by.user, Question::Amount, order).await?;
            Ok(reply)
        }
        Own::Keep => {
            db::dialogs::forget(&app.db, by.user, Question::ReturnReason, order).await?;
            look(app, by, order, Own::Card).await
        }
        Own::Card | Own::AskDone | Own::AskReturn => look(app, by, order, own).await,
    }
}

/// Shows the order, or asks a question about it.
async fn look(app: &App, by: &Tap, order: OrderId, what: Own) -> Result<Option<Reply>, db::Error> {
    let Some(facts) = db::facts::of(&app.db, order, by).await? else { return Ok(None) };
    let status = facts.order.as_ref().filter(|_| facts.standing() == Standing::Yours).map(|order| order.status);
    let ask = async |question| db::dialogs::ask(&app.db, facts.master.id, question, order).await;
    let question = match (what, status) {
        (Own::AskDone, Some(OrderStatus::Working)) => render::confirm_done(order),
        (Own::AskDone, Some(OrderStatus::Payment)) => {
            ask(Question::Amount).await?;
            render::ask_amount(order)
        }
        (Own::AskReturn, Some(status)) if give_back::possible(status) => {
            ask(Question::ReturnReason).await?;
            render::ask_return_reason(order)
        }
        (Own::AskDone, Some(_)) => return Ok(Some(shown(app, by, facts, Some(texts::OUT_OF_TURN)).await?)),
        (Own::AskReturn, Some(_)) => return Ok(Some(shown(app, by, facts, Some(texts::TOO_LATE_TO_RETURN)).await?)),
        _ => return Ok(Some(shown(app, by, facts, None).await?)),
    };
    db::offers::release_card(&app.db, by).await?;
    Ok(Some(Reply::screen(question)))
}

/// The own order's card; or that it is not the master's, and those that are.
async fn shown(app: &App, by: &Tap, facts: Facts, alert: Option<&str>) -> Result<Reply, db::Error> {
    db::offers::release_card(&app.db, by).await?;
    let yours = facts.standing() == Standing::Yours;
    let (alert, screen) = if let Some(order) = facts.order.filter(|_| yours) {
        (alert, Some(render::active_card(&order.order, order.status)))
    } else {
        let list = db::orders::active_page(&app.db, by.user, 1).await?;
        (alert.or(Some(texts::NOT_YOURS)), list.as_ref().map(render::active_list))
    };
    Ok(match alert {
        Some(alert) => Reply::alert(alert, screen),
        None => Reply { screen, ..Reply::default() },
    })
}

async fn step(app: &App, by: &Tap, order: OrderId, step: Step) -> Result<Option<Reply>, db::Error> {
    let Some(Answered { outcome, fresh, .. }) = progress::progress(&app.db, order, step, by).await? else {
        return Ok(None);
    };
    app.metrics.count("order_progress", outcome.name());
    if outcome == ProgressOutcome::Recorded(Step::Done) {
        db::offers::release_card(&app.db, by).await?;
        return Ok(Some(Reply::screen(render::ask_amount(order))));
    }
    let text = texts::progress(outcome);
    let reply = match fresh {
        Some(facts) => shown(app, by, facts, Some(text)).await?,
        None => Reply::alert(text, None),
    };
    Ok(Some(match (outcome, reply) {
        (ProgressOutcome::Recorded(_), Reply { screen, .. }) => Reply::toast(text, screen),
        (_, reply) => reply,
    }))
}

/// The answer to what somebody wrote; `None`: no master did.
pub(super) async fn answer(app: &App, user: TelegramUserId, message: &Message) -> Result<Option<Reply>, db::Error> {
    let Some(profile) = db::masters::profile(&app.db, user, true).await? else { return Ok(None) };
    let command = message.text.as_deref().is_some_and(|text| text.starts_with('/'));
    // A message that answered it comes again when it is redelivered.
    let asked = |dialog: &Dialog| dialog.answer.is_none_or(|answer| answer == message.message_id);
    let dialog = profile.dialog.filter(|dialog| !command && asked(dialog));
    let by = &Tap { user, query: Some(format!("message {}", message.message_id)), message: None };
    let text = message.text.as_deref().unwrap_or_default();
    Ok(Some(match dialog {
        None => Reply::screen(render::menu(&profile)),
        Some(Dialog { question: Question::Amount, order, .. }) => amount(app, by, order, text, message).await?,
        Some(Dialog { question: Question::ReturnReason, order, .. }) => reason(app, by, order, text, message).await?,
    }))
}

async fn amount(app: &App, by: &Tap, order: OrderId, text: &str, message: &Message) -> Result<Reply, db::Error> {
    let Some(amount) = Amount::parse(texts::without_currency(text)) else {
        return Ok(Reply::screen(render::not_an_amount(order, text)));
    };
    let closed = close::close(&app.db, order, amount, by, message.message_id).await?;
    let outcome = closed.map_or(CloseOutcome::NotYours, |closed| closed.outcome);
    app.metrics.count("order_close", outcome.name());
    Ok(Reply::screen(render::closed(order, outcome)))
}

async fn reason(app: &App, by: &Tap, order: OrderId, text: &str, message: &Message) -> Result<Reply, db::Error> {
    let text = text.trim();
    // PostgreSQL's text cannot hold U+0000.
    if text.is_empty() || text.contains('\0') {
        return Ok(Reply::screen(render::ask_return_reason(order)));
    }
    let reason = render::cut(text, texts::REASON_LIMIT);
    let given = give_back::give_back(&app.db, order, &reason, by, message.message_id).await?;
    let (outcome, told) = given.map_or((GiveBackOutcome::NotYours, false), |given| (given.outcome, given.told));
    app.metrics.count("order_give_back", outcome.name());
    Ok(Reply { told: told.then_some(order), ..Reply::screen(render::given_back(order, outcome)) })
}
