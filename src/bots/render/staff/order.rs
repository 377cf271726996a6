//! What staff are asked before something is done with an order, and whom it can be given to.
//!
//! Where a screen replaces another, an impatient finger may hit it a second time: a button that acts stands in a single row of
//! its own screen, where the screen before has one that only leads somewhere.

use frankenstein::types::InlineKeyboardMarkup;
use jiff::ToSpan;
use jiff::civil::Date;

use super::super::buttons::{Row, bad, beside, button, good, markup, row};
use crate::bots::callback::staff::{CancelReason, Field, OrderTap, QueueTap, ReturnReason, StaffCallback};
use crate::bots::render::Screen;
use crate::bots::render::texts::staff;
use crate::bots::render::texts::staff::order as texts;
use crate::model::candidates::{CandidateLine, Candidates};
use crate::model::dialog::Written;
use crate::model::slot::windows;
use crate::model::staff_order::StaffOrder;
use crate::model::{Amount, OrderId};

/// So many days from today have a button.
const DAYS: i32 = 6;
fn tap(tap: OrderTap) -> StaffCallback {
    StaffCallback::Order(tap)
}

/// Opens an order's card.
pub(super) fn card(order: OrderId) -> StaffCallback {
    StaffCallback::Queue(QueueTap::Card { order, page: 1 })
}

fn back(order: OrderId) -> Row {
    row(texts::BUTTON_BACK, card(order))
}

/// The way back to an order's card.
pub(super) fn back_to(order: OrderId) -> InlineKeyboardMarkup {
    markup(vec![back(order)])
}

/// Whom an order can be given to, in the order in which they would be asked.
#[must_use]
pub fn candidates(list: &Candidates) -> Screen {
    let (order, seen) = (list.order.id(), Some(list.order.version));
    let mut rows = vec![back(order)];
    rows.extend(
        list.lines
            .iter()
            .map(|line| row(texts::button_candidate(line), tap(OrderTap::Pick { order, master: line.id, seen }))),
    );
    let to = |page| tap(OrderTap::Candidates { order, page });
    let [before, after] = beside(list.page, list.pages(), to);
    rows.push(before.into_iter().chain([button(texts::BUTTON_REFRESH, to(list.page))]).chain(after).collect());
    Screen { text: texts::candidates(list), keyboard: markup(rows) }
}

/// Whether a master is to get it although something speaks against that.
#[must_use]
pub fn confirm_pick(order: &StaffOrder, line: &CandidateLine) -> Screen {
    let yes = if line.why_not.is_some() { texts::BUTTON_ANYWAY } else { texts::BUTTON_HAND_OVER };
    let (id, seen) = (order.id(), Some(order.version));
    let keyboard = markup(vec![vec![
        button(texts::BUTTON_BACK_TO_CANDIDATES, tap(OrderTap::Candidates { order: id, page: 1 })),
        bad(yes, tap(OrderTap::PickAnyway { order: id, master: line.id, seen })),
    ]]);
    Screen { text: texts::confirm_pick(order, line), keyboard }
}

/// Why is it canceled?
#[must_use]
pub fn ask_cancel(order: &StaffOrder) -> Screen {
    let (id, seen) = (order.id(), Some(order.version));
    let mut rows = vec![back(id)];
    rows.extend(
        CancelReason::ALL
            .map(|reason| row(texts::cancel_reason(reason), tap(OrderTap::ConfirmCancel(reason, id, seen)))),
    );
    rows.push(row(staff::BUTTON_MENU, StaffCallback::Menu));
    Screen { text: texts::ask_cancel(order), keyboard: markup(rows) }
}

/// Whether it is to be canceled.
#[must_use]
pub fn confirm_cancel(order: &StaffOrder, reason: CancelReason) -> Screen {
    let yes = tap(OrderTap::Cancel(reason, order.id(), Some(order.version)));
    Screen {
        text: texts::confirm_cancel(order, texts::cancel_reason(reason)),
        keyboard: no_or(order.id(), bad(texts::BUTTON_CANCEL_YES, yes)),
    }
}

/// Why is it searched for anew? An order that is nobody's needs no reason.
#[must_use]
pub fn ask_return(order: &StaffOrder) -> Screen {
    if order.owner().is_none() {
        return confirm_return(order, ReturnReason::Anew);
    }
    let (id, seen) = (order.id(), Some(order.version));
    let mut rows = vec![back(id)];
    let reasons = ReturnReason::ALL.into_iter().filter(|reason| *reason != ReturnReason::Anew);
    rows.extend(
        reasons.map(|reason| row(texts::return_reason(reason), tap(OrderTap::ConfirmReturn(reason, id, seen)))),
    );
    rows.push(row(staff::BUTTON_MENU, StaffCallback::Menu));
    Screen { text: texts::ask_return(order), keyboard: markup(rows) }
}

/// Whether it is to be searched for anew.
#[must_use]
pub fn confirm_return(order: &StaffOrder, reason: ReturnReason) -> Screen {
    let yes = tap(OrderTap::Return(reason, order.id(), Some(order.version)));
    Screen {
        text: texts::confirm_return(order, texts::return_reason(reason)),
        keyboard: no_or(order.id(), bad(texts::BUTTON_RETURN_YES, yes)),
    }
}

/// Whether it is to be canceled or, if `returns`, searched for anew, for a reason in somebody's own words.
#[must_use]
pub fn confirm_written(order: &StaffOrder, written: &Written, returns: bool) -> Screen {
    let (id, message, seen) = (order.id(), written.message, Some(order.version));
    let (text, label, yes) = if returns {
        let text = texts::confirm_return(order, &written.text);
        (text, texts::BUTTON_RETURN_YES, OrderTap::ReturnWritten(id, message, seen))
    } else {
        let text = texts::confirm_cancel(order, &written.text);
        (text, texts::BUTTON_CANCEL_YES, OrderTap::CancelWritten(id, message, seen))
    };
    Screen { text, keyboard: no_or(id, bad(label, tap(yes))) }
}

/// Whether it is to be opened again.
#[must_use]
pub fn confirm_reopen(order: &StaffOrder) -> Screen {
    let yes = tap(OrderTap::Reopen(order.id(), Some(order.version)));
    Screen { text: texts::confirm_reopen(order), keyboard: no_or(order.id(), good(texts::BUTTON_REOPEN_YES, yes)) }
}

fn no_or(order: OrderId, yes: frankenstein::types::InlineKeyboardButton) -> InlineKeyboardMarkup {
    markup(vec![vec![button(texts::BUTTON_NO, card(order)), yes]])
}

/// What is to be changed?
#[must_use]
pub fn edit(order: &StaffOrder) -> Screen {
    let (id, seen) = (order.id(), Some(order.version));
    let ask = |field| button(texts::button_field(field), tap(OrderTap::Ask(field, id, seen)));
    let rows = vec![
        vec![ask(Field::Address), ask(Field::Name)],
        vec![ask(Field::Description), ask(Field::Phone)],
        vec![ask(Field::Comment), ask(Field::Slot)],
        back(id),
    ];
    Screen { text: texts::edit(order), keyboard: markup(rows) }
}

/// A question about an order, with what stands there now; what was wrong with the last answer above it.
#[must_use]
pub fn ask(field: Field, order: &StaffOrder, wrong: Option<&str>) -> Screen {
    let (id, seen) = (order.id(), Some(order.version));
    let mut rows: Vec<Row> = Vec::new();
    match field {
        Field::Slot => rows.extend(days(order)),
        Field::Comment if order.order.comment.is_some() => {
            rows.push(row(texts::BUTTON_NO_COMMENT, tap(OrderTap::NoComment(id, seen))));
        }
        _ => {}
    }
    rows.push(back(id));
    let text = texts::ask(field, order);
    let text = wrong.map_or_else(|| text.clone(), |wrong| format!("{wrong}\n\n{text}"));
    Screen { text, keyboard: markup(rows) }
}

/// The days that can be chosen, two in a row.
fn days(order: &StaffOrder) -> Vec<Row> {
    let (id, seen, now) = (order.id(), Some(order.version), order.order.card.slot.now);
    let today = now.date();
    let days = (0..DAYS).filter_map(|days| today.checked_add(days.days()).ok());
    let days: Vec<_> = days
        // Today only while there is something left of it.
        .filter(|date| !windows(*date, order.workday, now).is_empty())
        .map(|day| button(staff::button_day(day, today), tap(OrderTap::Day { order: id, day, seen })))
        .collect();
    let mut rows: Vec<Row> = days.chunks(2).map(<[_]>::to_vec).collect();
    rows.push(row(texts::BUTTON_AS_SOON_AS_POSSIBLE, tap(OrderTap::AsSoonAsPossible(id, seen))));
    rows
}

/// At which hour of that day?
#[must_use]
pub fn ask_hour(order: &StaffOrder, day: Date) -> Screen {
    let (id, seen) = (order.id(), Some(order.version));
    let windows = windows(day, order.workday, order.order.card.slot.now);
    let windows: Vec<_> = windows
        .into_iter()
        .map(|(from, to)| button(staff::button_window(from, to), tap(OrderTap::Window { order: id, from, seen })))
        .collect();
    // Below the days' place, which was tapped.
    let mut rows = vec![back(id), row(texts::BUTTON_ANOTHER_DAY, tap(OrderTap::Ask(Field::Slot, id, seen)))];
    rows.extend(windows.chunks(2).map(<[_]>::to_vec));
    Screen { text: texts::ask_hour(order, day), keyboard: markup(rows) }
}

/// Whether it is to be closed on its master's behalf.
#[must_use]
pub fn confirm_close(order: &StaffOrder, amount: Amount) -> Screen {
    let (id, seen) = (order.id(), Some(order.version));
    let keyboard = markup(vec![
        vec![good(texts::BUTTON_CLOSE_YES, tap(OrderTap::Close { order: id, amount, seen }))],
        row(texts::BUTTON_ANOTHER_AMOUNT, tap(OrderTap::Ask(Field::Amount, id, seen))),
        back(id),
    ]);
    Screen { text: texts::confirm_close(order, amount), keyboard }
}
