//! Hours of the clock, and of the parts of a day.

use super::super::text::{Token, Words};
use super::super::vocabulary::{Part, Vocabulary};
use crate::model::slot::{self, Hours};

/// From and until, in minutes of the day; what ends after midnight has more of them.
pub(super) type Minutes = (i32, i32);

/// How long somebody waits for a master who is to come at an hour, in minutes.
pub(super) const WINDOW: i32 = slot::WINDOW as i32 * 60;
/// An hour said of a part of the day may be that much before it: «утром в 7».
const EARLY: i32 = 3 * 60;

/// An hour as it is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hour {
    number: i32,
    minute: i32,
    /// What its half of the day adds, if it is said.
    half: Option<i32>,
    /// Minutes were said.
    pub(super) exact: bool,
    /// «04:00»: nobody writes four in the afternoon so.
    literal: bool,
}

/// Hours as they are said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clock {
    /// «с 10 до 12»
    Between(Hour, Hour),
    /// «в 10»
    At(Hour),
    /// «к 12»
    By(Hour),
    /// «после 10», «не раньше 10»
    From(Hour),
    /// «до 12», «не позже 12»
    Until(Hour),
}

impl Hour {
    /// The hour that stands there, and where it ends. `dashed`: «10-15» is a quarter past ten, not from ten until three.
    pub(super) fn at(words: &Words<'_>, at: usize, dashed: bool, vocabulary: &Vocabulary) -> Option<(Self, usize)> {
        let first = words.get(at)?;
        if first.joined && words.before(at).is_some_and(Token::is_word) {
            return None;
        }
        let hour = first.number().filter(|hour| (0..=24).contains(hour))?;
        let written = minute_behind(words, at, hour, dashed);
        let mut end = if written.is_some() { at + 3 } else { at + 1 };
        // «10:75» is no hour.
        if written.is_none() && has_minutes(words, at) {
            return None;
        }
        // «15 ноября» is a day.
        if written.is_none() && vocabulary.months.iter().any(|forms| words.is_any(end, forms)) {
            return None;
        }
        end += usize::from(words.is_any(end, vocabulary.hours));
        // «14 часов 30 минут»
        let spelt = words.get(end).and_then(Token::number).filter(|_| words.is_any(end + 1, vocabulary.minutes));
        end += if spelt.is_some() { 2 } else { 0 };
        let minute = written.or(spelt);
        let half = vocabulary.halves.iter().find(|(word, _)| words.is_any(end, &[*word]));
        end += usize::from(half.is_some());
        let half = half.map(|(_, add)| i32::from(*add));
        let literal = minute.is_some() && first.text.starts_with('0');
        Some((Self { number: hour, minute: minute.unwrap_or(0), half, exact: minute.is_some(), literal }, end))
    }

    /// Whether more is said than a number.
    pub(super) fn is_sure(self) -> bool {
        self.exact || self.half.is_some()
    }

    /// Whether it is the earlier one.
    pub(super) fn precedes(self, other: Self) -> bool {
        (self.number, self.minute) < (other.number, other.minute)
    }

    /// Whether both are hours at which people come.
    pub(super) fn is_by_day(self, other: Self) -> bool {
        self.number >= 6 && other.number <= 23
    }

    /// In minutes. Nobody comes at night: what could be that is after noon.
    fn minutes(self, part: Option<Minutes>) -> i32 {
        let noon = 12 * 60;
        let after_noon = match (self.half, part) {
            (Some(add), _) => add > 0,
            (None, Some((from, _))) => from >= noon,
            (None, None) => (1..7).contains(&self.number) && !self.literal,
        };
        (self.number + i32::from(after_noon && self.number < 12) * 12) * 60 + self.minute
    }
}

impl Clock {
    /// Both, if they agree.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::From(from), Self::Until(until)) | (Self::Until(until), Self::From(from)) => {
                from.precedes(until).then_some(Self::Between(from, until))
            }
            _ => (self == other).then_some(self),
        }
    }

    /// In minutes, within a part of the day if one is said; `None`: they contradict each other.
    pub(super) fn minutes(self, part: Option<Minutes>, workday: Hours) -> Option<Minutes> {
        let (opens, closes) = of_work(workday);
        let (earliest, latest) = part.map_or((opens, closes), |(from, until)| (from.max(opens), until.min(closes)));
        let (from, until) = match self {
            Self::Between(from, until) => between(from, until, part),
            Self::At(at) => (at.minutes(part), at.minutes(part) + WINDOW),
            Self::By(by) => (by.minutes(part) - WINDOW, by.minutes(part)),
            Self::From(from) => {
                let from = from.minutes(part);
                (from, if latest > from { latest } else { from + WINDOW })
            }
            Self::Until(until) => {
                let until = until.minutes(part);
                (if earliest < until { earliest } else { until - WINDOW }, until)
            }
        };
        let agrees = part.is_none_or(|(begins, ends)| from <= ends && until + EARLY > begins);
        (from >= 0 && from < until && agrees).then_some((from, until))
    }
}

/// The minutes of «9:30», «9.30», «9-30». `dashed`: as in [`Hour::at`].
fn minute_behind(words: &Words<'_>, at: usize, hour: i32, dashed: bool) -> Option<i32> {
    let mark = words.get(at + 1).filter(|mark| mark.joined)?;
    let minute = words.get(at + 2).filter(|token| token.joined && token.text.len() == 2)?.number()?;
    let may_be_an_hour = hour < minute && minute <= 24;
    let joins = mark.is(":") || mark.is(".") || mark.is_dash() && (dashed || !may_be_an_hour);
    (joins && minute < 60).then_some(minute)
}

/// Whether minutes follow that number, be there such or not: «10:30», «10:75».
pub(super) fn has_minutes(words: &Words<'_>, at: usize) -> bool {
    let joined = |at: usize| words.get(at).filter(|token| token.joined);
    joined(at + 1).is_some_and(|mark| mark.is(":")) && joined(at + 2).is_some_and(|token| token.number().is_some())
}

/// «с 2 до 4» is after noon, as is the end of «с 9 до 2»; in «с 7 до 9 вечера» both are of the evening.
fn between(mut from: Hour, until: Hour, part: Option<Minutes>) -> Minutes {
    if from.half.is_none() && from.number < until.number {
        from.half = until.half;
    }
    let noon = 12 * 60;
    let said = (from.number * 60 + from.minute, until.number * 60 + until.minute);
    if part.is_none() && until.half.is_none() && from.half.is_none() {
        // «с 6 до 10» is the morning.
        return match said {
            (begins, ends) if begins < 7 * 60 && ends < 9 * 60 && begins < ends && !from.literal => {
                (begins + noon, ends + noon)
            }
            (from, until) if until <= from && until < noon => (from, until + noon),
            said => said,
        };
    }
    (from.minutes(part), until.minutes(part))
}

/// The hours of a part of the day.
pub(super) fn of_part(part: &Part) -> Minutes {
    (i32::from(part.from) * 60, i32::from(part.until) * 60)
}

/// The hours of work.
pub(super) fn of_work(hours: Hours) -> Minutes {
    let minutes = |time: jiff::civil::Time| i32::from(time.hour()) * 60 + i32::from(time.minute());
    (minutes(hours.start), minutes(hours.end))
}
