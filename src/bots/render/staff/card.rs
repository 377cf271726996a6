//! An order's card, with what its state and the reader's role allow.

use frankenstein::types::InlineKeyboardButton;

use super::super::Screen;
use super::super::buttons::{Row, bad, button, copy, good, markup, row};
use super::super::texts::staff::card as texts;
use super::super::texts::staff::new_order::BUTTON_REPEAT;
use super::super::texts::staff::queue::{BUTTON_REFRESH, BUTTON_TO_QUEUE};
use super::super::texts::staff::search::BUTTON_TO_FOUND;
use super::super::texts::why::BUTTON_WHY_THESE;
use super::super::texts::{address_to_copy, telephone_to_copy};
use crate::bots::callback::staff::{Field, NewTap, OrderTap, QueueTap, StaffCallback};
use crate::dispatch::actions::{OrderAction, allowed};
use crate::dispatch::staff_view::situation;
use crate::model::OrderStatus;
use crate::model::staff_card::StaffCard;

/// Where a card was opened, and where its reader returns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// A page of the queue.
    Queue(i64),
    /// A page of what was found.
    Found(i64),
}

/// An order's card.
#[must_use]
pub fn card(card: &StaffCard, from: From) -> Screen {
    let order = card.order.id;
    let actions = allowed(&situation(card));
    let mut rows: Vec<Row> = copies(card).into_iter().collect();
    rows.extend(ROWS.iter().filter_map(|places| {
        let row: Row =
            places.iter().filter(|action| actions.contains(action)).map(|action| act(card, *action)).collect();
        (!row.is_empty()).then_some(row)
    }));
    let repeats = card.acts && card.status == OrderStatus::Closed;
    let repeat = || vec![button(BUTTON_REPEAT, StaffCallback::New(NewTap::Guarantee(order)))];
    rows.extend(repeats.then(repeat));
    // In a row of its own, above those that are the same on every card.
    let explains = || row(BUTTON_WHY_THESE, StaffCallback::Order(OrderTap::Why { order, page: 1 }));
    rows.extend((!card.why.is_empty()).then(explains));
    let (again, back) = match from {
        From::Queue(page) => (QueueTap::Card { order, page }, (BUTTON_TO_QUEUE, QueueTap::Page(page))),
        From::Found(page) => (QueueTap::FoundCard { order, page }, (BUTTON_TO_FOUND, QueueTap::Found(page))),
    };
    rows.push(vec![button(BUTTON_REFRESH, StaffCallback::Queue(again)), button(back.0, StaffCallback::Queue(back.1))]);
    Screen { text: texts::card(card), keyboard: markup(rows) }
}

/// Where each action has its place. What is done at one tap leaves the card, and what comes up in its place asks first or only
/// shows something; to claim and to give up a claim are in rows of their own, as each brings the other.
const ROWS: [&[OrderAction]; 6] = [
    &[OrderAction::AssignNow],
    &[OrderAction::AssignByHand],
    &[OrderAction::SearchAgain, OrderAction::Edit],
    &[OrderAction::Comment, OrderAction::Claim],
    &[OrderAction::Close, OrderAction::Reopen],
    &[OrderAction::Cancel, OrderAction::Unclaim],
];

fn act(card: &StaffCard, action: OrderAction) -> InlineKeyboardButton {
    let (order, seen) = (card.order.id, Some(card.seen));
    let text = texts::button_action(action);
    let tap = match action {
        OrderAction::AssignNow => OrderTap::AssignAutomatically(order, seen),
        OrderAction::AssignByHand => OrderTap::Candidates { order, page: 1 },
        OrderAction::SearchAgain => OrderTap::AskReturn(order, seen),
        OrderAction::Cancel => OrderTap::AskCancel(order, seen),
        OrderAction::Claim => OrderTap::Claim(order, card.claimed.as_ref().map(|claim| claim.id)),
        OrderAction::Unclaim => OrderTap::Unclaim(order),
        OrderAction::Close => OrderTap::Ask(Field::Amount, order, seen),
        OrderAction::Edit => OrderTap::Edit(order, seen),
        OrderAction::Comment => OrderTap::Ask(Field::Comment, order, seen),
        OrderAction::Reopen => OrderTap::AskReopen(order, seen),
    };
    let tap = StaffCallback::Order(tap);
    match action {
        OrderAction::AssignNow | OrderAction::Close => good(text, tap),
        OrderAction::Cancel => bad(text, tap),
        _ => button(text, tap),
    }
}

/// Copies the phones and the address.
fn copies(card: &StaffCard) -> Option<Row> {
    let master = card.master.as_ref().and_then(|master| master.phone.as_deref());
    let row: Row = [
        copy(texts::BUTTON_COPY_PHONE, &telephone_to_copy(&card.client.phone)),
        copy(texts::BUTTON_COPY_ADDRESS, &address_to_copy(&card.order)),
        master.and_then(|phone| copy(texts::BUTTON_COPY_MASTER, &telephone_to_copy(phone))),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!row.is_empty()).then_some(row)
}
