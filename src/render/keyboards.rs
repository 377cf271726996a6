//! Rows of buttons, each with its typed callback.

use frankenstein::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::texts;
use crate::dispatch::{OfferList, OrderId};
use crate::webhook::callback::Callback;

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

/// The menu's buttons.
pub(super) fn menu() -> InlineKeyboardMarkup {
    markup(vec![vec![button(texts::BUTTON_NEW, Callback::List { page: 1 })]])
}

/// A button for each offer, ◀ ▶ where there is such a page, «🔄 Обновить» always; first the order that `own` says is
/// the master's, if any.
pub(super) fn offer_list(list: &OfferList, own: Option<OrderId>) -> InlineKeyboardMarkup {
    let mut rows: Vec<_> = own
        .into_iter()
        .map(|order| vec![button(texts::button_own(order), Callback::Card { order, page: list.page })])
        .collect();
    rows.extend(list.lines.iter().map(|line| {
        let order = line.card.id;
        vec![button(texts::button_offer(&line.card), Callback::Card { order, page: list.page })]
    }));
    let mut turns = Vec::new();
    if list.page > 1 {
        turns.push(button("◀", Callback::List { page: list.page - 1 }));
    }
    if list.page < list.pages() {
        turns.push(button("▶", Callback::List { page: list.page + 1 }));
    }
    if !turns.is_empty() {
        rows.push(turns);
    }
    rows.push(vec![
        button(texts::BUTTON_REFRESH, Callback::List { page: list.page }),
        button(texts::BUTTON_MENU, Callback::Menu),
    ]);
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
