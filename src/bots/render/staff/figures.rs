//! Screens of figures.

use frankenstein::types::InlineKeyboardButton;

use super::super::Screen;
use super::super::buttons::{Row, button, markup, pager, row};
use super::super::texts::staff::{BUTTON_MENU, figures as texts};
use crate::bots::callback::staff::{FiguresTap, StaffCallback};
use crate::model::figures::{CityChoice, Figures, MasterFigures, Period, Place, Scope};

fn to(tap: FiguresTap) -> StaffCallback {
    StaffCallback::Figures(tap)
}

/// What happened in a period.
#[must_use]
pub fn figures(figures: &Figures) -> Screen {
    let scope = figures.place.scope;
    let mut rows = vec![periods(scope.period, |period| FiguresTap::Orders(Scope { period, ..scope }))];
    rows.push(row(texts::BUTTON_FIGURES_OF_MASTERS, to(of_masters(&figures.place))));
    rows.extend(city(&figures.place, false));
    rows.push(row(BUTTON_MENU, StaffCallback::Menu));
    Screen { text: texts::figures(figures), keyboard: markup(rows) }
}

/// What each master did.
#[must_use]
pub fn masters(figures: &MasterFigures) -> Screen {
    let scope = figures.place.scope;
    let mut rows =
        vec![periods(scope.period, |period| FiguresTap::Masters { scope: Scope { period, ..scope }, page: 1 })];
    let masters = |page| to(FiguresTap::Masters { scope: figures.place.scope, page });
    rows.extend(pager(figures.page, figures.pages(), masters));
    rows.push(row(texts::BUTTON_FIGURES_OF_ORDERS, to(FiguresTap::Orders(scope))));
    rows.extend(city(&figures.place, true));
    rows.push(row(BUTTON_MENU, StaffCallback::Menu));
    Screen { text: texts::master_figures(figures), keyboard: markup(rows) }
}

/// Which city?
#[must_use]
pub fn cities(choice: &CityChoice) -> Screen {
    let of = |city| {
        let scope = Scope { city, ..choice.scope };
        if choice.masters { FiguresTap::Masters { scope, page: 1 } } else { FiguresTap::Orders(scope) }
    };
    let buttons: Vec<InlineKeyboardButton> =
        choice.cities.iter().map(|(id, name)| button(texts::button_city(name), to(of(Some(*id))))).collect();
    let mut rows: Vec<Row> = buttons.chunks(2).map(<[_]>::to_vec).collect();
    if !choice.masters {
        rows.push(row(texts::BUTTON_ALL_CITIES, to(of(None))));
    }
    rows.push(row(BUTTON_MENU, StaffCallback::Menu));
    Screen { text: texts::choose_city(choice), keyboard: markup(rows) }
}

/// A button for each period.
fn periods(shown: Period, tap: impl Fn(Period) -> FiguresTap) -> Row {
    Period::ALL
        .into_iter()
        .map(|period| button(texts::button_period(period, period == shown), to(tap(period))))
        .collect()
}

/// The masters of the place: of several cities one is chosen first.
fn of_masters(place: &Place) -> FiguresTap {
    if place.name.is_some() {
        FiguresTap::Masters { scope: place.scope, page: 1 }
    } else {
        FiguresTap::Cities { period: place.scope.period, masters: true }
    }
}

/// Another city, if there are several.
fn city(place: &Place, masters: bool) -> Option<Row> {
    let tap = FiguresTap::Cities { period: place.scope.period, masters };
    (place.cities > 1).then(|| row(texts::BUTTON_FIGURES_CITY, to(tap)))
}
