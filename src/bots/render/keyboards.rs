//! Rows of buttons, each with its typed callback.
//!
//! Where a screen replaces another, an impatient finger may hit it a second time: nothing that acts is where, counted from
//! above or from below, there was a button that acted or that asked whether to act. `tests/it/keyboards.rs` walks all pairs.

use frankenstein::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use super::buttons::{Row, bad, button, copy, good, markup, pager, row};
use super::texts;
use crate::bots::callback::{Callback, Own};
use crate::model::dialog::Profile;
use crate::model::facts::{Standing, SumOf};
use crate::model::notification::Notification;
use crate::model::order::{ActiveList, OrderStatus, OwnOrder};
use crate::model::{Amount, OfferList, OrderId};

/// Explains why an order went to somebody else.
pub(super) fn why(order: OrderId) -> Row {
    row(texts::why::button_why(order), Callback::Why(order))
}

/// No buttons.
pub(super) fn none() -> InlineKeyboardMarkup {
    markup(Vec::new())
}

/// The two lists and the shift. «Обновить» and the change of shift change places with it.
pub(super) fn menu(profile: &Profile) -> InlineKeyboardMarkup {
    let refresh = row(texts::BUTTON_REFRESH, Callback::Menu);
    let mut rows = vec![
        row(texts::BUTTON_NEW, Callback::List { page: 1 }),
        row(texts::button_active(profile.active_orders), Callback::Active { page: 1 }),
    ];
    if profile.barred.is_some() {
        rows.push(refresh);
        return markup(rows);
    }
    rows.extend(if profile.on_shift {
        [row(texts::BUTTON_LEAVE_SHIFT, Callback::Shift { on: false }), refresh]
    } else {
        [refresh, row(texts::BUTTON_COME_ON_SHIFT, Callback::Shift { on: true })]
    });
    markup(rows)
}

/// The two lists; and the correction of a sum, as long as it is possible.
pub(super) fn to_lists(correct: Option<OrderId>) -> InlineKeyboardMarkup {
    let mut rows = vec![
        row(texts::BUTTON_ACTIVE, Callback::Active { page: 1 }),
        row(texts::BUTTON_NEW, Callback::List { page: 1 }),
    ];
    rows.extend(correct.map(|order| row(texts::BUTTON_CORRECT, Callback::Own(Own::AskCorrection, order))));
    markup(rows)
}

/// The two lists, and the card of an order that is being offered.
pub(super) fn to_offered(order: OrderId) -> InlineKeyboardMarkup {
    let mut lists = to_lists(None);
    lists.inline_keyboard.push(row(texts::why::button_offered(order), Callback::Card { order, page: 1 }));
    lists
}

/// The two lists, and the card of an own order.
pub(super) fn to_active(order: OrderId) -> InlineKeyboardMarkup {
    let mut lists = to_lists(None);
    lists.inline_keyboard.push(row(texts::button_own(order), Callback::Own(Own::Card, order)));
    lists
}

/// The way to an own order, and the menu.
pub(super) fn to_own_order(own: &OwnOrder) -> InlineKeyboardMarkup {
    let order = own.card.id;
    let mut rows = vec![vec![to_menu()], row(texts::button_own(order), Callback::Own(Own::Card, order))];
    rows.extend(copies(own));
    markup(rows)
}

fn to_menu() -> InlineKeyboardButton {
    button(texts::BUTTON_MENU, Callback::Menu)
}

/// Copies the client's phone and the address.
fn copies(own: &OwnOrder) -> Option<Row> {
    let phone = copy(texts::BUTTON_COPY_PHONE, &texts::telephone_to_copy(&own.client.phone));
    let address = copy(texts::BUTTON_COPY_ADDRESS, &texts::address_to_copy(&own.card));
    let row: Row = phone.into_iter().chain(address).collect();
    (!row.is_empty()).then_some(row)
}

/// «🔄 Обновить» and the way to the menu: above the list, where a card has what acts.
fn head(refresh: Callback) -> Row {
    vec![button(texts::BUTTON_REFRESH, refresh), to_menu()]
}

/// A button for each own order, ◀ ▶ where there is such a page.
pub(super) fn active_list(list: &ActiveList) -> InlineKeyboardMarkup {
    let mut rows = vec![head(Callback::Active { page: list.page })];
    rows.extend(
        list.lines.iter().map(|line| row(texts::button_order(&line.card), Callback::Own(Own::Card, line.card.id))),
    );
    rows.extend(pager(list.page, list.pages(), |page| Callback::Active { page }));
    markup(rows)
}

/// What comes next for an own order, first.
pub(super) fn active_card(own: &OwnOrder, status: OrderStatus) -> InlineKeyboardMarkup {
    let order = own.card.id;
    let mut rows: Vec<Row> = next_step(order, status).into_iter().collect();
    rows.extend(status.can_be_given_back().then(|| give_back(order)));
    rows.push(row(texts::BUTTON_BACK_TO_ACTIVE, Callback::Active { page: 1 }));
    rows.extend(copies(own));
    markup(rows)
}

/// The same after a step, with the next step in another place.
pub(super) fn card_after_step(own: &OwnOrder, status: OrderStatus) -> InlineKeyboardMarkup {
    if !matches!(status, OrderStatus::Assigned | OrderStatus::EnRoute) {
        // What comes next asks first.
        return active_card(own, status);
    }
    let order = own.card.id;
    let mut rows: Vec<Row> = copies(own).into_iter().collect();
    rows.push(row(texts::BUTTON_BACK_TO_ACTIVE, Callback::Active { page: 1 }));
    rows.extend(next_step(order, status));
    rows.extend(status.can_be_given_back().then(|| give_back(order)));
    markup(rows)
}

fn next_step(order: OrderId, status: OrderStatus) -> Option<Row> {
    let (text, own) = match status {
        OrderStatus::Assigned => (texts::BUTTON_EN_ROUTE, Own::EnRoute),
        OrderStatus::EnRoute => (texts::BUTTON_ON_SITE, Own::OnSite),
        OrderStatus::Working => (texts::BUTTON_DONE, Own::AskDone),
        OrderStatus::Payment => (texts::BUTTON_AMOUNT, Own::AskDone),
        _ => return None,
    };
    Some(vec![good(text, Callback::Own(own, order))])
}

fn give_back(order: OrderId) -> Row {
    row(texts::BUTTON_RETURN, Callback::Own(Own::AskReturn, order))
}

/// Back to the card, or yes.
pub(super) fn confirm_done(order: OrderId) -> InlineKeyboardMarkup {
    markup(vec![
        row(texts::BUTTON_DONE_NO, Callback::Own(Own::Card, order)),
        vec![good(texts::BUTTON_DONE_YES, Callback::Own(Own::Done, order))],
        row(texts::BUTTON_BACK_TO_ACTIVE, Callback::Active { page: 1 }),
    ])
}

/// Not now, or not done after all; nothing, of a free visit, which is not where a button was that led here.
pub(super) fn ask_sum(order: OrderId, sum: SumOf) -> InlineKeyboardMarkup {
    let mut rows = vec![
        row(texts::button_to_order(order), Callback::Own(Own::Card, order)),
        row(texts::BUTTON_BACK_TO_ACTIVE, Callback::Active { page: 1 }),
    ];
    if sum == SumOf::Correction {
        return markup(rows);
    }
    let nothing = Amount::from_kopecks(0).filter(|_| sum == SumOf::FreeVisit);
    rows.extend(nothing.map(|amount| vec![good(texts::BUTTON_FREE, Callback::Close { order, amount })]));
    rows.push(row(texts::BUTTON_NOT_DONE, Callback::Own(Own::NotDone, order)));
    rows.push(vec![to_menu()]);
    markup(rows)
}

/// Close it, or say another sum.
pub(super) fn confirm_amount(order: OrderId, amount: Amount) -> InlineKeyboardMarkup {
    markup(vec![
        vec![good(texts::BUTTON_CLOSE_YES, Callback::Close { order, amount })],
        row(texts::BUTTON_ANOTHER_AMOUNT, Callback::Own(Own::AskDone, order)),
    ])
}

/// Correct it, or say another sum.
pub(super) fn confirm_correction(order: OrderId, amount: Amount) -> InlineKeyboardMarkup {
    markup(vec![
        vec![good(texts::BUTTON_CORRECT_YES, Callback::Correct { order, amount })],
        row(texts::BUTTON_ANOTHER_AMOUNT, Callback::Own(Own::AskCorrection, order)),
    ])
}

/// Keep the order.
pub(super) fn ask_return_reason(order: OrderId) -> InlineKeyboardMarkup {
    markup(vec![
        row(texts::BUTTON_BACK_TO_ACTIVE, Callback::Active { page: 1 }),
        row(texts::BUTTON_KEEP, Callback::Own(Own::Keep, order)),
    ])
}

/// Give it back, keep it, or say another reason.
pub(super) fn confirm_return(order: OrderId, message: i32) -> InlineKeyboardMarkup {
    markup(vec![
        vec![bad(texts::BUTTON_RETURN_YES, Callback::GiveBack { order, message })],
        row(texts::BUTTON_KEEP, Callback::Own(Own::Keep, order)),
        row(texts::BUTTON_ANOTHER_REASON, Callback::Own(Own::AskReturn, order)),
    ])
}

/// What can be done about a message that nobody has asked for.
pub(super) fn notification(notification: &Notification) -> InlineKeyboardMarkup {
    match notification {
        Notification::Offer { card, .. } => markup(vec![
            vec![good(texts::BUTTON_ACCEPT, Callback::Accept { order: card.id, page: 1 })],
            vec![bad(texts::BUTTON_DECLINE, Callback::AskDecline { order: card.id, page: 1 })],
        ]),
        Notification::OfferEnded { order, standing: Standing::Yours, .. } => markup(vec![
            row(texts::BUTTON_ACTIVE, Callback::Active { page: 1 }),
            row(texts::button_own(*order), Callback::Own(Own::Card, *order)),
        ]),
        Notification::OfferEnded {
            order, standing: Standing::Taken | Standing::Expired | Standing::Withdrawn, ..
        } => markup(vec![row(texts::BUTTON_NEW, Callback::List { page: 1 }), why(*order)]),
        Notification::OfferEnded { .. } => markup(vec![row(texts::BUTTON_NEW, Callback::List { page: 1 })]),
        Notification::Assigned(own) | Notification::Changed { order: own, .. } => to_own_order(own),
        Notification::Canceled { .. } => to_lists(None),
        // Screens bring their own.
        _ => none(),
    }
}

/// A button for each offer, ◀ ▶ where there is such a page; last the order that has just become the master's, if any, with what
/// comes next: not where «Взять» was.
pub(super) fn offer_list(list: &OfferList, own: Option<&OwnOrder>) -> InlineKeyboardMarkup {
    let mut rows = vec![head(Callback::List { page: list.page })];
    rows.extend(own.and_then(copies));
    rows.extend(list.lines.iter().map(|line| {
        let order = line.card.id;
        row(texts::button_order(&line.card), Callback::Card { order, page: list.page })
    }));
    rows.extend(pager(list.page, list.pages(), |page| Callback::List { page }));
    if let Some(own) = own {
        let order = own.card.id;
        rows.push(row(texts::button_own(order), Callback::Own(Own::Card, order)));
        if own.status == OrderStatus::Assigned {
            rows.push(vec![good(texts::BUTTON_EN_ROUTE, Callback::Own(Own::EnRoute, order))]);
        }
    }
    markup(rows)
}

/// Take, decline, back.
pub(super) fn offer_card(order: OrderId, page: i64) -> InlineKeyboardMarkup {
    markup(vec![
        vec![good(texts::BUTTON_ACCEPT, Callback::Accept { order, page })],
        vec![bad(texts::BUTTON_DECLINE, Callback::AskDecline { order, page })],
        row(texts::BUTTON_BACK_TO_LIST, Callback::List { page }),
    ])
}

/// Back to the card, yes, or back to the list: what asked was in the middle, or last.
pub(super) fn confirm_decline(order: OrderId, page: i64) -> InlineKeyboardMarkup {
    markup(vec![
        vec![bad(texts::BUTTON_DECLINE_YES, Callback::Decline { order, page })],
        row(texts::BUTTON_DECLINE_NO, Callback::Card { order, page }),
        row(texts::BUTTON_BACK_TO_LIST, Callback::List { page }),
    ])
}
