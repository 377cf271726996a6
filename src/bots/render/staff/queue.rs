//! The queue, what it is narrowed to, and the search.

use frankenstein::types::InlineKeyboardButton;
use jiff::ToSpan;
use jiff::civil::Date;

use super::super::Screen;
use super::super::buttons::{Row, button, markup, pager, row};
use super::super::texts::staff::BUTTON_MENU;
use super::super::texts::staff::queue as texts;
use super::super::texts::staff::search as words;
use crate::bots::callback::staff::{QueueTap, StaffCallback};
use crate::model::queue::{Choices, Found, Narrow, Queue, QueueLine, QueueState};
use crate::model::{Category, MasterId, OrderId};

fn tap(text: impl Into<String>, tap: QueueTap) -> InlineKeyboardButton {
    button(text, StaffCallback::Queue(tap))
}

/// A page of the queue.
#[must_use]
pub fn queue(queue: &Queue) -> Screen {
    let page = queue.page;
    let mut rows = numbers(&queue.lines, |order| QueueTap::Card { order, page });
    rows.extend(pager(page, queue.pages(), QueueTap::Page));
    // Of three a small phone cuts the ends off.
    rows.extend(states(queue).chunks(2).map(<[_]>::to_vec));
    rows.push(vec![
        tap(texts::button_filters(&queue.filters), QueueTap::Filters),
        tap(texts::BUTTON_SEARCH, QueueTap::AskSearch),
    ]);
    rows.push(vec![tap(texts::BUTTON_REFRESH, QueueTap::Page(page)), button(BUTTON_MENU, StaffCallback::Menu)]);
    Screen { text: texts::queue(queue), keyboard: markup(rows) }
}

/// The orders of a page by their numbers: as many in a row as can be read.
fn numbers(lines: &[QueueLine], to: impl Fn(OrderId) -> QueueTap) -> Vec<Row> {
    let labels: Vec<_> = lines.iter().map(|line| (texts::button_line(line), line.card.id)).collect();
    let longest = labels.iter().map(|(label, _)| label.chars().count()).max().unwrap_or_default();
    let buttons: Vec<_> = labels.into_iter().map(|(label, order)| tap(label, to(order))).collect();
    buttons.chunks(in_a_row(longest)).map(<[_]>::to_vec).collect()
}

/// So many labels of that length fit beside each other on a phone 360 points wide: it divides a row evenly, a letter takes about
/// 8 of them, a picture two letters' place, and what is around a label 16.
fn in_a_row(longest: usize) -> usize {
    match longest {
        ..=7 => 4,
        8..=10 => 3,
        _ => 2,
    }
}

/// The counts: all, and each state that has orders or is shown.
fn states(queue: &Queue) -> Row {
    let shown = queue.filters.state;
    let narrow = |state| QueueTap::Narrow(Narrow::State(state));
    let all = tap(texts::button_state(None, queue.in_hand(), shown.is_none()), narrow(None));
    let each = QueueState::ALL.into_iter().filter_map(|state| {
        let (count, is_shown) = (queue.count(state), shown == Some(state));
        (count > 0 || is_shown).then(|| tap(texts::button_state(Some(state), count, is_shown), narrow(Some(state))))
    });
    std::iter::once(all).chain(each).collect()
}

/// What the queue is narrowed to.
#[must_use]
pub fn filters(queue: &Queue) -> Screen {
    let filters = &queue.filters;
    let mut rows: Vec<Row> = Vec::new();
    if queue.several_cities {
        rows.push(vec![tap(texts::button_city(filters), QueueTap::Cities(1))]);
    }
    rows.push(vec![tap(texts::button_trade(filters), QueueTap::Trades)]);
    rows.push(vec![tap(texts::button_master(filters), QueueTap::Masters(1))]);
    rows.push(vec![tap(texts::button_day(filters, queue.now.date()), QueueTap::Days)]);
    if filters.are_set() || filters.state.is_some() {
        rows.push(vec![tap(texts::BUTTON_NO_FILTERS, QueueTap::Narrow(Narrow::Nothing))]);
    }
    rows.push(vec![tap(texts::BUTTON_TO_QUEUE, QueueTap::Page(1))]);
    Screen { text: texts::filters(queue), keyboard: markup(rows) }
}

/// The cities that the queue can be narrowed to.
#[must_use]
pub fn cities(choices: &Choices) -> Screen {
    let keyboard = choose(
        choices,
        |city| Narrow::City(Some(city)),
        (texts::BUTTON_ALL_CITIES, Narrow::City(None)),
        QueueTap::Cities,
    );
    Screen { text: texts::CHOOSE_CITY.to_owned(), keyboard: markup(keyboard) }
}

/// The masters to whose orders it can be narrowed.
#[must_use]
pub fn masters(choices: &Choices) -> Screen {
    let keyboard = choose(
        choices,
        |master| Narrow::Master(Some(MasterId(master))),
        (texts::BUTTON_ALL_MASTERS, Narrow::Master(None)),
        QueueTap::Masters,
    );
    Screen { text: texts::choose_master(choices.total == 0), keyboard: markup(keyboard) }
}

fn choose(
    choices: &Choices,
    to: impl Fn(i64) -> Narrow,
    (all, lifted): (&str, Narrow),
    page: impl Fn(i64) -> QueueTap,
) -> Vec<Row> {
    let mut rows: Vec<Row> = vec![vec![tap(all, QueueTap::Narrow(lifted))]];
    rows.extend(
        choices.lines.iter().map(|choice| {
            vec![tap(texts::button_choice(&choice.name, choice.orders), QueueTap::Narrow(to(choice.id)))]
        }),
    );
    rows.extend(pager(choices.page, choices.pages(), page));
    rows.push(to_filters());
    rows
}

fn to_filters() -> Row {
    vec![tap(texts::BUTTON_TO_FILTERS, QueueTap::Filters)]
}

/// The trades that the queue can be narrowed to.
#[must_use]
pub fn trades() -> Screen {
    let each: Vec<_> = Category::ALL
        .into_iter()
        .map(|category| tap(texts::button_category(category), QueueTap::Narrow(Narrow::Category(Some(category)))))
        .collect();
    let mut rows: Vec<Row> = vec![vec![tap(texts::BUTTON_ALL_TRADES, QueueTap::Narrow(Narrow::Category(None)))]];
    rows.extend(each.chunks(2).map(<[_]>::to_vec));
    rows.push(to_filters());
    Screen { text: texts::CHOOSE_TRADE.to_owned(), keyboard: markup(rows) }
}

/// The days that the queue can be narrowed to: a week back, and a week ahead.
#[must_use]
pub fn days(today: Date) -> Screen {
    let day = |offset: i32| today.saturating_add(offset.days());
    let narrow = |date: Date| tap(texts::named_day(date, today), QueueTap::Narrow(Narrow::Day(Some(date))));
    let mut rows: Vec<Row> = vec![vec![tap(texts::BUTTON_ALL_DAYS, QueueTap::Narrow(Narrow::Day(None)))]];
    rows.push([-1, 0, 1].map(|offset| narrow(day(offset))).to_vec());
    rows.push([2, 3, 4].map(|offset| narrow(day(offset))).to_vec());
    rows.push([5, 6, 7].map(|offset| narrow(day(offset))).to_vec());
    rows.push([-2, -3, -4].map(|offset| narrow(day(offset))).to_vec());
    rows.push([-5, -6, -7].map(|offset| narrow(day(offset))).to_vec());
    rows.push(to_filters());
    Screen { text: texts::CHOOSE_DAY.to_owned(), keyboard: markup(rows) }
}

/// What is to be looked for?
#[must_use]
pub fn ask_search() -> Screen {
    Screen { text: words::ASK_SEARCH.to_owned(), keyboard: markup(vec![to_queue()]) }
}

/// That too little was written, and the question again.
#[must_use]
pub fn too_short() -> Screen {
    Screen { text: words::TOO_SHORT.to_owned(), keyboard: markup(vec![to_queue()]) }
}

fn to_queue() -> Row {
    row(texts::BUTTON_TO_QUEUE, StaffCallback::Queue(QueueTap::Page(1)))
}

/// A page of what was found.
#[must_use]
pub fn found(found: &Found) -> Screen {
    let page = found.page;
    let mut rows = numbers(&found.lines, |order| QueueTap::FoundCard { order, page });
    rows.extend(pager(page, found.pages(), QueueTap::Found));
    rows.push(vec![
        tap(words::BUTTON_SEARCH_AGAIN, QueueTap::AskSearch),
        tap(texts::BUTTON_TO_QUEUE, QueueTap::Page(1)),
    ]);
    Screen { text: words::found(found), keyboard: markup(rows) }
}
