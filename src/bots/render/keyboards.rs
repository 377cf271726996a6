//! Rows of buttons, each with its typed callback.

use frankenstein::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::texts;
use crate::bots::callback::{Callback, Own};
use crate::model::dialog::Profile;
use crate::model::facts::Standing;
use crate::model::notification::Notification;
use crate::model::order::{ActiveList, OrderStatus};
use crate::model::{OfferList, OrderId};

fn markup(inline_keyboard: Vec<Vec<InlineKeyboardButton>>) -> InlineKeyboardMarkup {
    InlineKeyboardMarkup { inline_keyboard, force_reply: None }
}

fn button(text: impl Into<String>, callback: Callback) -> InlineKeyboardButton {
    InlineKeyboardButton::builder().text(text).callback_data(callback.to_string()).build()
}

/// No buttons.
pub(super) fn none() -> InlineKeyboardMarkup {
    markup(Vec::new())
}

/// The two lists and the shift.
pub(super) fn menu(profile: &Profile) -> InlineKeyboardMarkup {
    let shift = if profile.on_shift { texts::BUTTON_LEAVE_SHIFT } else { texts::BUTTON_COME_ON_SHIFT };
    markup(vec![
        vec![button(texts::BUTTON_NEW, Callback::List { page: 1 })],
        vec![button(texts::button_active(profile.active_orders), Callback::Active { page: 1 })],
        vec![button(shift, Callback::Shift { on: !profile.on_shift })],
    ])
}

/// The two lists.
pub(super) fn to_lists() -> InlineKeyboardMarkup {
    markup(vec![
        vec![button(texts::BUTTON_ACTIVE, Callback::Active { page: 1 })],
        vec![button(texts::BUTTON_NEW, Callback::List { page: 1 })],
    ])
}

/// The way to an own order, and the menu.
pub(super) fn to_own_order(order: OrderId) -> InlineKeyboardMarkup {
    markup(vec![vec![button(texts::button_own(order), Callback::Own(Own::Card, order))], vec![to_menu()]])
}

fn to_menu() -> InlineKeyboardButton {
    button(texts::BUTTON_MENU, Callback::Menu)
}

/// ◀ ▶ where there is such a page; nothing when there is only one.
fn turns(page: i64, pages: i64, to: impl Fn(i64) -> Callback) -> Option<Vec<InlineKeyboardButton>> {
    let back = (page > 1).then(|| button("◀", to(page - 1)));
    let on = (page < pages).then(|| button("▶", to(page + 1)));
    let turns: Vec<_> = back.into_iter().chain(on).collect();
    (!turns.is_empty()).then_some(turns)
}

/// A button for each own order, ◀ ▶ where there is such a page.
pub(super) fn active_list(list: &ActiveList) -> InlineKeyboardMarkup {
    let mut rows: Vec<_> = list
        .lines
        .iter()
        .map(|line| vec![button(texts::button_order(&line.card), Callback::Own(Own::Card, line.card.id))])
        .collect();
    rows.extend(turns(list.page, list.pages(), |page| Callback::Active { page }));
    rows.push(vec![button(texts::BUTTON_REFRESH, Callback::Active { page: list.page }), to_menu()]);
    markup(rows)
}

/// What comes next for an own order.
pub(super) fn active_card(order: OrderId, status: OrderStatus) -> InlineKeyboardMarkup {
    let own = |text, own| vec![button(text, Callback::Own(own, order))];
    let mut rows = match status {
        OrderStatus::Assigned => vec![own(texts::BUTTON_EN_ROUTE, Own::EnRoute)],
        OrderStatus::EnRoute => vec![own(texts::BUTTON_ON_SITE, Own::OnSite)],
        OrderStatus::Working => vec![own(texts::BUTTON_DONE, Own::AskDone)],
        OrderStatus::Payment => {
            vec![own(texts::BUTTON_AMOUNT, Own::AskDone), own(texts::BUTTON_NOT_DONE, Own::NotDone)]
        }
        _ => Vec::new(),
    };
    if status.can_be_given_back() {
        rows.push(own(texts::BUTTON_RETURN, Own::AskReturn));
    }
    rows.push(vec![button(texts::BUTTON_BACK_TO_ACTIVE, Callback::Active { page: 1 })]);
    markup(rows)
}

/// Yes, or back to the card.
pub(super) fn confirm_done(order: OrderId) -> InlineKeyboardMarkup {
    markup(vec![
        vec![button(texts::BUTTON_DONE_YES, Callback::Own(Own::Done, order))],
        vec![button(texts::BUTTON_DONE_NO, Callback::Own(Own::Card, order))],
    ])
}

/// Not done after all.
pub(super) fn ask_amount(order: OrderId) -> InlineKeyboardMarkup {
    markup(vec![
        vec![button(texts::BUTTON_NOT_DONE, Callback::Own(Own::NotDone, order))],
        vec![button(texts::BUTTON_BACK_TO_ACTIVE, Callback::Active { page: 1 })],
    ])
}

/// Keep the order.
pub(super) fn ask_return_reason(order: OrderId) -> InlineKeyboardMarkup {
    markup(vec![vec![button(texts::BUTTON_KEEP, Callback::Own(Own::Keep, order))]])
}

/// What can be done about a message that nobody has asked for.
pub(super) fn notification(notification: &Notification) -> InlineKeyboardMarkup {
    match notification {
        Notification::Offer { card, .. } => markup(vec![
            vec![button(texts::BUTTON_ACCEPT, Callback::Accept { order: card.id, page: 1 })],
            vec![button(texts::BUTTON_DECLINE, Callback::AskDecline { order: card.id, page: 1 })],
        ]),
        Notification::OfferEnded { order, standing: Standing::Yours, .. } => to_own_order(*order),
        Notification::OfferEnded { .. } => markup(vec![vec![button(texts::BUTTON_NEW, Callback::List { page: 1 })]]),
        Notification::Assigned(own) | Notification::OwnOrder(own) => to_own_order(own.card.id),
        Notification::Canceled { .. } => to_lists(),
        Notification::List(list) => offer_list(list, None),
        // The dispatchers' bot has no buttons yet.
        Notification::Returned { .. } | Notification::Escalated { .. } | Notification::Unreachable { .. } => none(),
    }
}

/// A button for each offer, ◀ ▶ where there is such a page, «🔄 Обновить» always; first the order that `own` says is
/// the master's, if any.
pub(super) fn offer_list(list: &OfferList, own: Option<OrderId>) -> InlineKeyboardMarkup {
    let mut rows: Vec<_> =
        own.into_iter().map(|order| vec![button(texts::button_own(order), Callback::Own(Own::Card, order))]).collect();
    rows.extend(list.lines.iter().map(|line| {
        let order = line.card.id;
        vec![button(texts::button_order(&line.card), Callback::Card { order, page: list.page })]
    }));
    rows.extend(turns(list.page, list.pages(), |page| Callback::List { page }));
    rows.push(vec![button(texts::BUTTON_REFRESH, Callback::List { page: list.page }), to_menu()]);
    markup(rows)
}

/// Take, decline, back.
pub(super) fn offer_card(order: OrderId, page: i64) -> InlineKeyboardMarkup {
    markup(vec![
        vec![button(texts::BUTTON_ACCEPT, Callback::Accept { order, page })],
        vec![button(texts::BUTTON_DECLINE, Callback::AskDecline { order, page })],
        vec![button(texts::BUTTON_BACK_TO_LIST, Callback::List { page })],
    ])
}

/// Yes, or back to the card.
pub(super) fn confirm_decline(order: OrderId, page: i64) -> InlineKeyboardMarkup {
    markup(vec![
        vec![button(texts::BUTTON_DECLINE_YES, Callback::Decline { order, page })],
        vec![button(texts::BUTTON_DECLINE_NO, Callback::Card { order, page })],
    ])
}
