//! The screens on which a new order is taken in.
//!
//! What makes the order stands last, and there every other screen has the way to the menu: an impatient second tap on an answer
//! makes nothing.

use frankenstein::types::InlineKeyboardButton;
use jiff::civil::{Date, DateTime};

use super::super::buttons::{Row, bad, button, good, markup, pager, row};
use crate::bots::callback::staff::{NewTap, QueueTap, StaffCallback};
use crate::bots::render::Screen;
use crate::bots::render::texts::staff as texts;
use crate::bots::render::texts::staff::new_order as words;
use crate::bots::render::texts::staff::new_order::Fault;
use crate::model::city::City;
use crate::model::dialog::Written;
use crate::model::draft::{Around, Draft, DraftId, Field};
use crate::model::slot::{self, When};
use crate::model::text::cut;
use crate::model::{Category, MasterId};

/// Choices a page: four rows of two.
const PAGE: usize = 8;
/// Letters of a choice.
const CHOICE_LIMIT: usize = 40;
/// Days to choose from.
const DAYS: i32 = 6;

/// What is shown beside the question.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside {
    /// Which page of choices, from 1.
    pub page: i64,
    /// The day whose windows are shown.
    pub day: Option<Date>,
    /// Whether the draft was left, and goes on.
    pub resumed: bool,
    /// What is wrong with what was written.
    pub wrong: Option<Fault>,
}

fn new(text: impl Into<String>, tap: NewTap) -> InlineKeyboardButton {
    button(cut(&text.into(), CHOICE_LIMIT), StaffCallback::New(tap))
}

/// The question for the draft's next field. `masters`: who may be preferred.
#[must_use]
pub fn ask(draft: &Draft, cities: &[City], masters: &[(MasterId, String)], beside: Beside) -> Screen {
    let id = draft.id;
    let field = draft.step.unwrap_or(Field::Category);
    let mut rows: Vec<Row> = Vec::new();
    match field {
        Field::Category => rows.extend(in_pairs(
            &Category::ALL.map(|category| new(words::button_trade(category), NewTap::Category(id, category))),
        )),
        Field::City => {
            let cities = cities.iter().map(|city| (city.name.as_str(), NewTap::City(id, city.id)));
            rows.extend(choices(id, cities.collect(), beside.page));
        }
        Field::District => {
            rows.push(vec![new(words::BUTTON_ANY_DISTRICT, NewTap::Skip(id, field))]);
            let districts = draft.city_of(cities).map(|city| city.districts.as_slice()).unwrap_or_default();
            let districts =
                districts.iter().map(|district| (district.name.as_str(), NewTap::District(id, district.id)));
            rows.extend(choices(id, districts.collect(), beside.page));
        }
        Field::Address | Field::Phone => {}
        Field::Name => rows.push(vec![new(words::BUTTON_NO_NAME, NewTap::Skip(id, field))]),
        Field::Description => rows.push(vec![new(words::BUTTON_NO_DESCRIPTION, NewTap::Skip(id, field))]),
        Field::When => rows.extend(times(draft, cities, beside.day)),
        Field::Preferred => {
            rows.push(vec![new(words::BUTTON_ANY_MASTER, NewTap::Skip(id, field))]);
            let masters = masters.iter().map(|(master, name)| (name.as_str(), NewTap::Preferred(id, *master)));
            rows.extend(choices(id, masters.collect(), beside.page));
        }
    }
    if draft.next(cities) != Some(field) {
        rows.push(vec![new(words::BUTTON_WHOLE, NewTap::Whole(id))]);
    } else if beside.resumed {
        rows.push(vec![new(words::BUTTON_DROP, NewTap::AskDrop(id))]);
    }
    rows.push(row(texts::BUTTON_MENU, StaffCallback::Menu));
    Screen { text: words::ask(draft, cities, beside.resumed, beside.day, beside.wrong), keyboard: markup(rows) }
}

fn in_pairs(buttons: &[InlineKeyboardButton]) -> Vec<Row> {
    buttons.chunks(2).map(<[_]>::to_vec).collect()
}

/// A page of choices, and the ways to the others.
fn choices(draft: DraftId, all: Vec<(&str, NewTap)>, page: i64) -> Vec<Row> {
    let pages = all.len().div_ceil(PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(1).clamp(1, pages);
    let shown = all.into_iter().skip((page - 1) * PAGE).take(PAGE);
    let mut rows = in_pairs(&shown.map(|(name, tap)| new(name, tap)).collect::<Row>());
    let number = |page: usize| i64::try_from(page).unwrap_or(1);
    rows.extend(pager(number(page), number(pages), |page| StaffCallback::New(NewTap::Page(draft, page))));
    rows
}

/// Days; or the windows of one.
fn times(draft: &Draft, cities: &[City], day: Option<Date>) -> Vec<Row> {
    let id = draft.id;
    let Some(city) = draft.city_of(cities).or(cities.first()) else { return Vec::new() };
    let now = city.now;
    if let Some(day) = day {
        let windows = slot::windows(day, city.workday, now);
        let mut rows = in_pairs(
            &windows
                .into_iter()
                .map(|(start, end)| new(texts::button_window(start, end), NewTap::Window(id, start)))
                .collect::<Row>(),
        );
        rows.push(vec![new(words::BUTTON_OTHER_DAYS, NewTap::Edit(id, Field::When))]);
        return rows;
    }
    let days = (0..=DAYS)
        .filter_map(|ahead| now.date().checked_add(jiff::Span::new().days(ahead)).ok())
        .filter(|day| !slot::windows(*day, city.workday, now).is_empty())
        .map(|day| new(texts::button_day(day, now.date()), NewTap::Day(id, day)));
    let mut rows = vec![vec![new(words::BUTTON_SOON, NewTap::Soon(id))]];
    rows.extend(in_pairs(&days.take(6).collect::<Row>()));
    rows
}

/// The draft as a whole, with what makes an order of it.
#[must_use]
pub fn whole(draft: &Draft, cities: &[City], around: &Around, wrong: Option<Fault>) -> Screen {
    let id = draft.id;
    let deferred = deferred(draft, cities);
    let fields = Field::ALL.into_iter().filter(|field| match field {
        Field::City => cities.len() > 1,
        Field::District => draft.city_of(cities).is_some_and(|city| !city.districts.is_empty()),
        _ => true,
    });
    let mut rows =
        in_pairs(&fields.map(|field| new(words::button_edit(field), NewTap::Edit(id, field))).collect::<Row>());
    rows.extend(around.twins.iter().take(1).map(|twin| {
        row(words::button_twin(twin), StaffCallback::Queue(QueueTap::Card { order: twin.order, page: 1 }))
    }));
    rows.push(vec![button(texts::BUTTON_MENU, StaffCallback::Menu), new(words::BUTTON_DROP, NewTap::AskDrop(id))]);
    rows.extend(deferred.map(|(at, now)| vec![new(words::button_defer(at, now), NewTap::Defer(id, draft.revision))]));
    rows.push(vec![good(words::BUTTON_CREATE, StaffCallback::New(NewTap::Create(id, draft.revision)))]);
    Screen { text: words::whole(draft, cities, around, deferred.map(|(at, _)| at), wrong), keyboard: markup(rows) }
}

/// When the search can begin instead of now, and what time it is: outside working hours, if the client's time leaves as much.
fn deferred(draft: &Draft, cities: &[City]) -> Option<(DateTime, DateTime)> {
    let city = draft.city_of(cities)?;
    let at = slot::next_workday(city.now, city.workday)?;
    let late = match draft.when {
        Some(When::Slot { start, .. }) => at.checked_add(jiff::Span::new().hours(1)).ok()? > start,
        // As soon as possible is now.
        Some(When::Soon) | None => false,
    };
    (!late).then_some((at, city.now))
}

/// What to do with a message that says an order, while another is not finished. `written`: the message, and what it says.
#[must_use]
pub fn add_or_instead(draft: &Draft, cities: &[City], written: &Written) -> Screen {
    let (id, message) = (draft.id, written.message);
    let rows = vec![
        row(words::BUTTON_WHOLE, StaffCallback::New(NewTap::Whole(id))),
        vec![new(words::BUTTON_ADD, NewTap::Add(id, message))],
        vec![new(words::BUTTON_INSTEAD, NewTap::Instead(id, message))],
        row(texts::BUTTON_MENU, StaffCallback::Menu),
    ];
    Screen { text: words::add_or_instead(draft, cities, &written.text), keyboard: markup(rows) }
}

/// The question before a draft is dropped.
#[must_use]
pub fn confirm_drop(draft: DraftId) -> Screen {
    let rows = vec![
        row(words::BUTTON_DROP_NO, StaffCallback::New(NewTap::Whole(draft))),
        vec![bad(words::BUTTON_DROP_YES, StaffCallback::New(NewTap::Drop(draft)))],
        row(texts::BUTTON_MENU, StaffCallback::Menu),
    ];
    Screen { text: words::confirm_drop(), keyboard: markup(rows) }
}
