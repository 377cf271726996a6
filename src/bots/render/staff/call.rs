//! Calls: messages that nobody has asked for, with the buttons to act.

use frankenstein::types::InlineKeyboardMarkup;

use super::super::Screen;
use super::super::buttons::{Row, button, copy, good, markup, row};
use super::super::texts;
use super::super::texts::staff::calls as words;
use crate::bots::callback::staff::{MasterTap, OrderTap, QueueTap, StaffCallback};
use crate::model::call::{Call, CalledOrder, Cause};
use crate::model::order::Stage;
use crate::model::{MasterId, OrderId};

/// How many orders have a button below several calls.
const BUTTONS: usize = 10;

/// A call of its own.
#[must_use]
pub fn call(call: &Call) -> Screen {
    Screen { text: words::call(call), keyboard: keyboard(call) }
}

/// Several calls in one message: a button for each order that needs somebody.
#[must_use]
pub fn together(calls: &[Call]) -> Screen {
    let open = calls.iter().filter(|call| !call.is_over()).filter_map(|call| call.order.as_ref());
    let rows = open.take(BUTTONS).map(|order| {
        let card = &order.card;
        row(words::button_called(card.id, &card.address), open_order(card.id))
    });
    Screen { text: words::together(calls), keyboard: markup(rows.collect()) }
}

fn open_order(order: OrderId) -> StaffCallback {
    StaffCallback::Queue(QueueTap::Card { order, page: 1 })
}

fn open_master(master: MasterId) -> StaffCallback {
    StaffCallback::Master(MasterTap::Card(master))
}

fn keyboard(call: &Call) -> InlineKeyboardMarkup {
    let Some(order) = &call.order else {
        let open = call.master.as_ref().map(|master| row(words::BUTTON_OPEN_MASTER, open_master(master.id)));
        return markup(open.into_iter().chain(copies(call)).collect());
    };
    let mut rows: Vec<Row> = Vec::new();
    if call.answer.is_none() {
        rows.extend(actions(call, order));
    }
    rows.push(row(words::BUTTON_OPEN_ORDER, open_order(order.card.id)));
    if !call.is_over() {
        rows.extend(copies(call));
    }
    markup(rows)
}

/// What can be done at once. Whoever has opened the order can do more.
fn actions(call: &Call, order: &CalledOrder) -> Vec<Row> {
    let (id, seen) = (order.card.id, Some(order.seen));
    let claim = good(words::BUTTON_CLAIM, StaffCallback::Order(OrderTap::Claim(id, None)));
    let assign = button(words::BUTTON_ASSIGN, StaffCallback::Order(OrderTap::Candidates { order: id, page: 1 }));
    let mut acts = Vec::new();
    // A search that goes on by itself needs no other.
    if order.status.stage() != Stage::Final && !matches!(call.cause, Cause::Returned(_)) {
        let again = StaffCallback::Order(OrderTap::AskReturn(id, seen));
        acts.push(button(words::BUTTON_SEARCH_AGAIN, again));
    }
    acts.push(assign);
    vec![vec![claim], acts]
}

/// Copies the phones of the client and the master.
fn copies(call: &Call) -> Option<Row> {
    let copy = |label, phone| copy(label, &texts::telephone_to_copy(phone));
    let client = call.order.as_ref().and_then(|order| copy(words::BUTTON_COPY_CLIENT, &order.client.phone));
    let master = call.master.as_ref().and_then(|master| master.phone.as_deref());
    let master = master.and_then(|phone| copy(words::BUTTON_COPY_MASTER, phone));
    let row: Row = client.into_iter().chain(master).collect();
    (!row.is_empty()).then_some(row)
}
