//! When the master is to come: a day, hours, or both.

use std::ops::Range;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::{Span, ToSpan};

use super::text::{Kind, Token, Words};
use super::{Found, Vocabulary};
use crate::model::city::City;
use crate::model::slot::{Hours, NoTime, WINDOW, When};

/// Reads a time from words that say nothing else.
///
/// # Errors
/// When they do not, or the time cannot be promised.
pub fn read(written: &str, now: DateTime, hours: Hours, vocabulary: &Vocabulary) -> Result<When, NoTime> {
    let words = Words::of(written);
    let (when, ranges) = find(&words, now, hours, vocabulary).ok_or(NoTime::NotUnderstood)?;
    let taken: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    let marks = (0..words.len()).filter(|index| {
        words
            .get(*index)
            .is_some_and(|token| token.kind == Kind::Mark || vocabulary.fillers.contains(&token.plain.as_str()))
            && !ranges.iter().any(|range| range.contains(index))
    });
    if taken + marks.count() < words.len() {
        return Err(NoTime::NotUnderstood);
    }
    when.check(now)
}

/// Takes the time that can be promised, if it is the same one by the clocks of all these cities.
pub(super) fn take(words: &mut Words<'_>, cities: &[City], vocabulary: &Vocabulary) -> Option<Found<When>> {
    let read = |city: &City| {
        let (when, ranges) = find(words, city.now, city.workday, vocabulary)?;
        Some((when.check(city.now).ok()?, ranges))
    };
    let (first, others) = cities.split_first()?;
    let (when, ranges) = read(first)?;
    let is_the_same = |city| read(city).is_some_and(|(other, _)| other == when);
    others.iter().all(is_the_same).then(|| words.take(when, &ranges))
}

/// Finds the first day and the first hours.
fn find(words: &Words<'_>, now: DateTime, hours: Hours, vocabulary: &Vocabulary) -> Option<(When, Vec<Range<usize>>)> {
    let search = Search { words, now, vocabulary };
    let soon = (0..words.len()).find_map(|at| search.soon(at));
    let day = (0..words.len()).find_map(|at| search.day(at));
    let free = |at: &usize| !day.as_ref().is_some_and(|(_, range)| range.contains(at));
    let time = (0..words.len()).filter(free).find_map(|at| search.hours(at, day.as_ref().map(|(_, range)| range)));
    let in_time = (0..words.len()).find_map(|at| search.in_time(at));
    let mut ranges = Vec::new();
    let when = match (day, time) {
        (None, None) => match (in_time, soon) {
            (Some((when, range)), _) | (None, Some((when, range))) => {
                ranges.push(range);
                when
            }
            (None, None) => return None,
        },
        (Some((day, range)), None) => {
            ranges.push(range);
            slot(day, hours.start, hours.end, now)?
        }
        (day, Some((part, range))) => {
            let said = day.as_ref().map(|(day, _)| *day);
            ranges.extend(day.map(|(_, range)| range));
            ranges.push(range);
            let (from, until) = part;
            match said {
                Some(day) => slot(day, from, until, now)?,
                // Today, or tomorrow if that has passed.
                None => match slot(now.date(), from, until, now)? {
                    When::Slot { end, .. } if end <= now => slot(now.date().tomorrow().ok()?, from, until, now)?,
                    when => when,
                },
            }
        }
    };
    ranges.sort_by_key(|range| range.start);
    // What stands together is one piece.
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last)
                if range.start <= last.end + 1
                    && (last.end..range.start).all(|at| words.get(at).is_some_and(|token| token.is(","))) =>
            {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    Some((when, joined))
}

fn slot(day: Date, from: Time, until: Time, now: DateTime) -> Option<When> {
    let (mut start, mut end) = (day.to_datetime(from), day.to_datetime(until));
    if end <= start {
        end = end.checked_add(1.day()).ok()?;
    }
    // What has begun goes on from now.
    if start < now && end > now {
        start = now
            .time()
            .with()
            .minute(now.minute() / 30 * 30)
            .second(0)
            .subsec_nanosecond(0)
            .build()
            .ok()
            .map(|time| now.date().to_datetime(time))?
            .max(start);
    }
    Some(When::Slot { start, end })
}

struct Search<'a> {
    words: &'a Words<'a>,
    now: DateTime,
    vocabulary: &'a Vocabulary,
}

impl Search<'_> {
    fn soon(&self, at: usize) -> Option<(When, Range<usize>)> {
        let phrases = self.vocabulary.soon.iter().filter(|phrase| self.words.is_phrase(at, phrase));
        phrases.map(|phrase| phrase.len()).max().map(|length| (When::Soon, at..at + length))
    }

    /// «через 2 часа», «через час».
    fn in_time(&self, at: usize) -> Option<(When, Range<usize>)> {
        if !self.words.is_any(at, self.vocabulary.in_time) {
            return None;
        }
        let number = self.words.get(at + 1).and_then(Token::number);
        let unit = at + if number.is_some() { 2 } else { 1 };
        let count = number.unwrap_or(1);
        if !self.words.is_any(unit, self.vocabulary.hours) || !(1..=24).contains(&count) {
            return None;
        }
        let whole =
            self.now.time().with().minute(self.now.minute() / 10 * 10).second(0).subsec_nanosecond(0).build().ok()?;
        let start = self.now.date().to_datetime(whole).checked_add(count.hours()).ok()?;
        Some((When::Slot { start, end: start.checked_add(i64::from(WINDOW).hours()).ok()? }, at..unit + 1))
    }

    fn day(&self, at: usize) -> Option<(Date, Range<usize>)> {
        let token = self.words.get(at)?;
        let today = self.now.date();
        let word = token.plain.as_str();
        if let Some((_, days)) = self.vocabulary.days.iter().find(|(day, _)| token.is_word() && *day == word) {
            return Some((after(today, *days)?, self.with_on(at, at + 1)));
        }
        let weekday = self.vocabulary.weekdays.iter().position(|forms| token.is_word() && forms.contains(&word));
        if let Some(number) = weekday {
            return self.weekday(at, i8::try_from(number).ok()?);
        }
        let number = token.number().filter(|number| (1..=31).contains(number))?;
        let number = i8::try_from(number).ok()?;
        // «30 ноября», «30-го ноября»
        let mut month_at = at + 1;
        if self.words.get(month_at).is_some_and(Token::is_dash)
            && self.words.get(month_at).is_some_and(|token| token.joined)
        {
            month_at += 1;
        }
        if month_at > at + 1 || self.words.get(month_at).is_some_and(|token| token.is_word() && token.joined) {
            month_at += 1;
        }
        let named = |at: usize| {
            let token = self.words.get(at)?;
            self.vocabulary.months.iter().position(|month| *month == token.plain)
        };
        if let Some((month, at_month)) =
            named(at + 1).map(|month| (month, at + 1)).or_else(|| Some((named(month_at)?, month_at)))
        {
            let date = self.in_the_future(i8::try_from(month).ok()? + 1, number)?;
            return Some((date, self.with_on(at, at_month + 1)));
        }
        // «30.11», «30.11.2026», and no «в 10.30».
        let joined_dot = |at: usize| self.words.get(at).is_some_and(|token| token.is(".") && token.joined);
        let month = self.words.get(at + 2).filter(|token| token.joined && token.text.len() == 2)?.number()?;
        if !joined_dot(at + 1) || self.is_an_hour(at) || token.joined {
            return None;
        }
        let month = i8::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
        let year = joined_dot(at + 3).then(|| self.words.get(at + 4).filter(|token| token.joined)?.number()).flatten();
        match year {
            Some(year) => {
                let year = if year < 100 { year + 2000 } else { year };
                Some((Date::new(i16::try_from(year).ok()?, month, number).ok()?, self.with_on(at, at + 5)))
            }
            None => Some((self.in_the_future(month, number)?, self.with_on(at, at + 3))),
        }
    }

    /// The next day of that name, which is not today.
    fn weekday(&self, at: usize, number: i8) -> Option<(Date, Range<usize>)> {
        let weekday = Weekday::from_monday_zero_offset(number).ok()?;
        let mut date = self.now.date().nth_weekday(1, weekday).ok()?;
        let mut start = at;
        if start > 0 && self.words.is_any(start - 1, self.vocabulary.next) {
            start -= 1;
            // Of the next week, unless the nearest is in it.
            let monday = self.now.date().nth_weekday(1, Weekday::Monday).ok()?;
            if date < monday {
                date = after(date, 7)?;
            }
        }
        Some((date, self.with_on(start, at + 1)))
    }

    /// That day of this year, or of the next.
    fn in_the_future(&self, month: i8, day: i8) -> Option<Date> {
        let today = self.now.date();
        let date = Date::new(today.year(), month, day).ok()?;
        // What was a while ago is next year's; what was yesterday is a slip.
        if date < after(today, -60)? { Date::new(today.year() + 1, month, day).ok() } else { Some(date) }
    }

    fn with_on(&self, start: usize, end: usize) -> Range<usize> {
        let on = start > 0 && self.words.is_any(start - 1, self.vocabulary.on);
        start - usize::from(on)..end
    }

    /// Whether a word before says that this is an hour.
    fn is_an_hour(&self, at: usize) -> bool {
        let v = self.vocabulary;
        at > 0 && [v.at, v.by, v.from, v.until, v.after].iter().any(|words| self.words.is_any(at - 1, words))
    }

    fn hours(&self, at: usize, day: Option<&Range<usize>>) -> Option<((Time, Time), Range<usize>)> {
        let v = self.vocabulary;
        let words = self.words;
        // «с 10 до 12», «между 10 и 12»
        if words.is_any(at, v.from)
            && let Some((from, after_from)) = self.clock(at + 1)
            && words.is_any(after_from, v.until)
            && let Some((until, end)) = self.clock(after_from + 1)
        {
            // «с 2 до 4» is after noon, as nobody comes at night.
            let noon = i8::from(from.0 < 7 && until.0 < 9 && from.2 == 0) * 12;
            return Some(((time(from, noon)?, time(until, noon)?), at..end));
        }
        // «10-12», «10:00–12:00»
        if let Some((from, after_from)) = self.clock(at)
            && words.get(after_from).is_some_and(Token::is_dash)
            && let Some((until, end)) = self.clock(after_from + 1)
            && (from.0, from.1) < (until.0, until.1)
        {
            let beside_day = day.is_some_and(|day| {
                day.end == at
                    || day.start == end
                    || day.end + 1 == at && words.get(day.end).is_some_and(|token| token.is(","))
            });
            let alone = words.begins_segment(at) && words.ends_segment(end);
            let exact = from.3 && until.3;
            let said = words.is_any(end - 1, v.hours)
                || at > 0 && [v.at, v.on].iter().any(|before| words.is_any(at - 1, before));
            if exact || (beside_day || said || alone) && from.0 >= 6 && until.0 <= 23 {
                let start = at - usize::from(at > 0 && [v.at, v.on].iter().any(|before| words.is_any(at - 1, before)));
                return Some(((time(from, 0)?, time(until, 0)?), start..end));
            }
        }
        if let Some(part) =
            v.parts.iter().filter(|part| words.is_phrase(at, part.words)).max_by_key(|part| part.words.len())
        {
            return Some(((hour(part.from)?, hour(part.until)?), at..at + part.words.len()));
        }
        let after = words.is_any(at, v.after) || words.is_any(at, v.from);
        let by = words.is_any(at, v.by) || words.is_any(at, v.until);
        if (after || by || words.is_any(at, v.at))
            && let Some((clock, end)) = self.clock(at + 1)
        {
            // A number of something else: «в 5 комнате».
            let beside_day = day.is_some_and(|day| day.end == at || day.start == end);
            if !(clock.3 || words.is_any(end - 1, v.hours) || words.ends_segment(end) || beside_day || clock.2 != 0) {
                return None;
            }
            let noon = i8::from(clock.0 < 7 && clock.2 == 0) * 12;
            let named = time(clock, noon)?;
            let moved = |hours: i64| named.wrapping_add(Span::new().hours(hours));
            return Some((
                if by { (moved(-i64::from(WINDOW)), named) } else { (named, moved(WINDOW.into())) },
                at..end,
            ));
        }
        None
    }

    /// An hour and its minutes, what its half of the day adds, and whether minutes were said; and where it ends.
    fn clock(&self, at: usize) -> Option<((i8, i8, i8, bool), usize)> {
        let words = self.words;
        let hour = words
            .get(at)
            .filter(|token| !token.joined || words.before(at).is_none_or(|before| !before.is_word()))?
            .number()
            .filter(|hour| (0..=24).contains(hour))?;
        let mut end = at + 1;
        let mark = words.get(end).is_some_and(|token| token.joined && (token.is(":") || token.is(".")));
        let minutes =
            words.get(end + 1).filter(|token| mark && token.joined && token.text.len() == 2).and_then(Token::number);
        let minutes = minutes.filter(|minutes| (0..60).contains(minutes));
        if minutes.is_some() {
            end += 2;
        }
        if words.is_any(end, self.vocabulary.hours) {
            end += 1;
        }
        let mut half = 0;
        if let Some((_, add)) = self.vocabulary.halves.iter().find(|(word, _)| words.is_any(end, &[*word])) {
            half = if hour < 12 && *add > 0 { *add } else { -1 };
            end += 1;
        }
        Some(((i8::try_from(hour).ok()?, i8::try_from(minutes.unwrap_or(0)).ok()?, half, minutes.is_some()), end))
    }
}

fn after(date: Date, days: i32) -> Option<Date> {
    date.checked_add(days.days()).ok()
}

fn hour(hour: i8) -> Option<Time> {
    Time::new(hour % 24, 0, 0, 0).ok()
}

fn time((hour, minute, half, _): (i8, i8, i8, bool), noon: i8) -> Option<Time> {
    let add = if half > 0 { half } else { noon };
    Time::new((hour + add) % 24, minute, 0, 0).ok()
}
