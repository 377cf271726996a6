//! What somebody is asked who followed a master's invitation.

use frankenstein::types::InlineKeyboardButton;

use super::buttons::{Row, good, markup, pager};
use super::{Screen, buttons, texts};
use crate::bots::callback::{Callback, OnboardTap};
use crate::model::onboarding::{Complaint, Onboarding, Step};
use crate::model::order::Category;

/// How many districts a page has.
const DISTRICTS_A_PAGE: usize = 20;

/// What is asked at this step, below a complaint if what was told is not taken. Of the districts, that page.
#[must_use]
pub fn question(known: &Onboarding, complaint: Option<Complaint>, page: i64) -> Screen {
    let rows = match known.step {
        // They are answered by writing, and by the key under the field.
        Step::Name | Step::Contact => Vec::new(),
        Step::Trades => trades(known),
        Step::Districts => districts(known, page),
    };
    let text = match complaint {
        Some(complaint) => {
            format!("{}\n\n{}", texts::onboarding::complaint(complaint), texts::onboarding::question(known))
        }
        None => texts::onboarding::question(known),
    };
    Screen { text, keyboard: markup(rows) }
}

fn button(text: impl Into<String>, tap: OnboardTap) -> InlineKeyboardButton {
    buttons::button(text, Callback::Onboard(tap))
}

fn next() -> InlineKeyboardButton {
    good(texts::onboarding::BUTTON_NEXT, Callback::Onboard(OnboardTap::Next))
}

fn back() -> Row {
    vec![button(texts::onboarding::BUTTON_BACK, OnboardTap::Back)]
}

fn trades(known: &Onboarding) -> Vec<Row> {
    let trade = |category: Category| {
        let chosen = known.categories.contains(&category);
        button(texts::onboarding::choice_of_trade(category, chosen), OnboardTap::Trade { category, on: !chosen })
    };
    let mut rows: Vec<Row> = Category::ALL.chunks(2).map(|pair| pair.iter().copied().map(trade).collect()).collect();
    rows.extend([back(), vec![next()]]);
    rows
}

fn districts(known: &Onboarding, page: i64) -> Vec<Row> {
    let pages = known.city_districts.len().div_ceil(DISTRICTS_A_PAGE).max(1);
    let page = usize::try_from(page).unwrap_or(1).clamp(1, pages);
    let number = |page: usize| i64::try_from(page).unwrap_or(1);
    let here = known.city_districts.iter().skip((page - 1) * DISTRICTS_A_PAGE).take(DISTRICTS_A_PAGE);
    let buttons: Vec<_> = here
        .map(|district| {
            let chosen = known.districts.contains(&district.id);
            let tap = OnboardTap::District { district: district.id, on: !chosen, page: number(page) };
            button(texts::onboarding::choice(&district.name, chosen), tap)
        })
        .collect();
    let all = known.districts.len() >= known.city_districts.len();
    let mut rows = vec![vec![button(texts::onboarding::all_districts(all), OnboardTap::AllDistricts { on: !all })]];
    rows.extend(buttons.chunks(2).map(<[_]>::to_vec));
    rows.extend(pager(number(page), number(pages), |page| Callback::Onboard(OnboardTap::Show { page })));
    rows.extend([vec![next()], back()]);
    rows
}
