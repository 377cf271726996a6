//! `adm:new…`: taking a new order in. Buttons name their draft, so that those of an old one change no new one.

use std::fmt;

use jiff::civil::{Date, DateTime};

use super::Parts;
use crate::model::draft::{DraftId, Field};
use crate::model::{Category, CityId, MasterId, OrderId};

/// What a button of this area asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewTap {
    /// `adm:new`: begin, or go on with what was left.
    Start,
    /// `adm:new:over`: begin anew.
    Over,
    /// `adm:new:g:<order>`: begin a free visit that repeats a closed order.
    Guarantee(OrderId),
    /// `adm:new:cat:<draft>:<trade>`
    Category(DraftId, Category),
    /// `adm:new:city:<draft>:<city>`
    City(DraftId, CityId),
    /// `adm:new:dis:<draft>:<district>`
    District(DraftId, i64),
    /// `adm:new:pref:<draft>:<master>`: whom to ask first.
    Preferred(DraftId, MasterId),
    /// `adm:new:page:<draft>:<page>`: another page of districts or masters, whichever is asked.
    Page(DraftId, i64),
    /// `adm:new:soon:<draft>`: as soon as possible.
    Soon(DraftId),
    /// `adm:new:day:<draft>:<yyyymmdd>`: the windows of that day.
    Day(DraftId, Date),
    /// `adm:new:at:<draft>:<yyyymmddhhmm>`: the window that begins then, on the clocks of the city.
    Window(DraftId, DateTime),
    /// `adm:new:skip:<draft>:<field>`: leave a field out.
    Skip(DraftId, Field),
    /// `adm:new:ed:<draft>:<field>`: say a field again.
    Edit(DraftId, Field),
    /// `adm:new:sum:<draft>`: the draft as a whole.
    Whole(DraftId),
    /// `adm:new:ok:<draft>:<revision>`: make the order, and look for a master at once.
    Create(DraftId, i32),
    /// `adm:new:later:<draft>:<revision>`: make the order, and look for a master when the next working day begins.
    Defer(DraftId, i32),
    /// `adm:new:add:<draft>:<message>`: fill what the message says, which was written beside that draft.
    Add(DraftId, i32),
    /// `adm:new:inst:<draft>:<message>`: begin another draft of that message, instead of that one.
    Instead(DraftId, i32),
    /// `adm:new:drop:<draft>`: ask whether to drop the draft.
    AskDrop(DraftId),
    /// `adm:new:drop_yes:<draft>`
    Drop(DraftId),
}

impl NewTap {
    /// Parses what follows `adm:new`.
    pub(super) fn parse(parts: &mut Parts<'_>) -> Option<Self> {
        let Some(word) = parts.next() else { return Some(Self::Start) };
        if word == "over" {
            return Some(Self::Over);
        }
        let id = parts.number()?;
        let draft = DraftId(id);
        Some(match word {
            "g" => Self::Guarantee(OrderId(id)),
            "cat" => Self::Category(draft, Category::parse(parts.next()?)?),
            "city" => Self::City(draft, CityId(parts.number()?)),
            "dis" => Self::District(draft, parts.number()?),
            "pref" => Self::Preferred(draft, parts.master()?),
            "page" => Self::Page(draft, parts.number()?),
            "soon" => Self::Soon(draft),
            "day" => Self::Day(draft, date(parts.number()?)?),
            "at" => Self::Window(draft, moment(parts.number()?)?),
            "skip" => Self::Skip(draft, Field::parse(parts.next()?)?),
            "ed" => Self::Edit(draft, Field::parse(parts.next()?)?),
            "sum" => Self::Whole(draft),
            "ok" => Self::Create(draft, parts.number()?.try_into().ok()?),
            "later" => Self::Defer(draft, parts.number()?.try_into().ok()?),
            "add" => Self::Add(draft, parts.number()?.try_into().ok()?),
            "inst" => Self::Instead(draft, parts.number()?.try_into().ok()?),
            "drop" => Self::AskDrop(draft),
            "drop_yes" => Self::Drop(draft),
            _ => return None,
        })
    }
}

fn date(number: i64) -> Option<Date> {
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

fn moment(number: i64) -> Option<DateTime> {
    let (hour, minute) = (number / 100 % 100, number % 100);
    date(number / 10_000)?
        .at(0, 0, 0, 0)
        .with()
        .hour(hour.try_into().ok()?)
        .minute(minute.try_into().ok()?)
        .build()
        .ok()
}

impl fmt::Display for NewTap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => write!(f, "adm:new"),
            Self::Over => write!(f, "adm:new:over"),
            Self::Guarantee(order) => write!(f, "adm:new:g:{order}"),
            Self::Category(draft, category) => write!(f, "adm:new:cat:{draft}:{}", category.as_str()),
            Self::City(draft, city) => write!(f, "adm:new:city:{draft}:{city}"),
            Self::District(draft, district) => write!(f, "adm:new:dis:{draft}:{district}"),
            Self::Preferred(draft, master) => write!(f, "adm:new:pref:{draft}:{master}"),
            Self::Page(draft, page) => write!(f, "adm:new:page:{draft}:{page}"),
            Self::Soon(draft) => write!(f, "adm:new:soon:{draft}"),
            Self::Day(draft, day) => write!(f, "adm:new:day:{draft}:{}", day.strftime("%Y%m%d")),
            Self::Window(draft, at) => write!(f, "adm:new:at:{draft}:{}", at.strftime("%Y%m%d%H%M")),
            Self::Skip(draft, field) => write!(f, "adm:new:skip:{draft}:{}", field.as_str()),
            Self::Edit(draft, field) => write!(f, "adm:new:ed:{draft}:{}", field.as_str()),
            Self::Whole(draft) => write!(f, "adm:new:sum:{draft}"),
            Self::Create(draft, revision) => write!(f, "adm:new:ok:{draft}:{revision}"),
            Self::Defer(draft, revision) => write!(f, "adm:new:later:{draft}:{revision}"),
            Self::Add(draft, message) => write!(f, "adm:new:add:{draft}:{message}"),
            Self::Instead(draft, message) => write!(f, "adm:new:inst:{draft}:{message}"),
            Self::AskDrop(draft) => write!(f, "adm:new:drop:{draft}"),
            Self::Drop(draft) => write!(f, "adm:new:drop_yes:{draft}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::bots::callback::LIMIT;
    use crate::bots::callback::staff::StaffCallback;

    #[test]
    fn every_button_fits_and_is_read_as_it_was_written() {
        let draft = DraftId(1_000_000_000_000);
        let mut taps = vec![
            NewTap::Start,
            NewTap::Over,
            NewTap::Guarantee(OrderId(draft.0)),
            NewTap::City(draft, CityId(draft.0)),
            NewTap::District(draft, draft.0),
            NewTap::Preferred(draft, MasterId(draft.0)),
            NewTap::Page(draft, draft.0),
            NewTap::Soon(draft),
            NewTap::Day(draft, date(2026, 11, 30)),
            NewTap::Window(draft, date(2026, 11, 30).at(9, 5, 0, 0)),
            NewTap::Whole(draft),
            NewTap::Create(draft, i32::MAX),
            NewTap::Defer(draft, i32::MAX),
            NewTap::Add(draft, i32::MAX),
            NewTap::Instead(draft, i32::MAX),
            NewTap::AskDrop(draft),
            NewTap::Drop(draft),
        ];
        taps.extend(Category::ALL.map(|category| NewTap::Category(draft, category)));
        taps.extend(Field::ALL.map(|field| NewTap::Skip(draft, field)));
        taps.extend(Field::ALL.map(|field| NewTap::Edit(draft, field)));
        for tap in taps {
            let written = tap.to_string();
            assert!(written.len() <= LIMIT, "{written}");
            assert_eq!(StaffCallback::parse(&written), Some(StaffCallback::New(tap)), "{written}");
        }
        for forged in [
            "adm:new:",
            "adm:new:x:1",
            "adm:new:cat:1",
            "adm:new:cat:1:GARDEN",
            "adm:new:cat:0:PLUMBING",
            "adm:new:day:1:20261301",
            "adm:new:day:1:1",
            "adm:new:at:1:202611302500",
            "adm:new:at:1:20261130",
            "adm:new:ok:1",
            "adm:new:ok:1:99999999999",
            "adm:new:skip:1:category",
            "adm:new:soon:1:1",
            "adm:new:over:1",
            "adm:new:ed:1:",
        ] {
            assert_eq!(StaffCallback::parse(forged), None, "{forged}");
        }
    }
}
