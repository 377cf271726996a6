//! Days: by a word, a weekday, a date.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::super::text::Token;
use super::Reader;
use super::mention::{Mention, What};

/// The day that all mentions mean. A weekday beside a date is that date's, or they contradict each other.
pub(super) fn agreed(mentions: &[Mention]) -> Option<Date> {
    let days = || {
        mentions.iter().filter_map(|mention| match mention.what {
            What::Day { date, by_weekday } => Some((date, by_weekday)),
            What::At(at) => Some((at.date(), false)),
            _ => None,
        })
    };
    let (date, _) = days().find(|(_, by_weekday)| !by_weekday).or_else(|| days().next())?;
    let agrees = |(other, by_weekday): (Date, bool)| other == date || by_weekday && other.weekday() == date.weekday();
    days().all(agrees).then_some(date)
}

impl Reader<'_> {
    /// The day that is named there, and where it ends.
    pub(super) fn day(&self, at: usize) -> Option<(What, usize)> {
        let token = self.words.get(at)?;
        let word = token.plain.as_str();
        let named = |date: Option<Date>, end: usize| Some((What::Day { date: date?, by_weekday: false }, end));
        if let Some((_, days)) = self.vocabulary.days.iter().find(|(day, _)| token.is_word() && *day == word) {
            return if *days < 0 { Some((What::Past, at + 1)) } else { named(self.in_days(*days), at + 1) };
        }
        if self.words.is_any(at, self.vocabulary.in_time) {
            let (count, unit) = self.count(at + 1);
            let days = if self.words.is_any(unit, self.vocabulary.week_units) {
                count * 7
            } else if self.words.is_any(unit, self.vocabulary.day_units) {
                count
            } else {
                return None;
            };
            return named(self.in_days(days), unit + 1);
        }
        // «пн-ср» is no certain one.
        if word.contains('-') && word.split('-').all(|day| self.weekday_of(day).is_some()) {
            return Some((What::Vague, at + 1));
        }
        self.weekday(at).or_else(|| self.date(at).and_then(|(date, end)| named(Some(date), end)))
    }

    /// How many of what follows, and where that stands: «2 недели», «пару дней», «неделю».
    pub(super) fn count(&self, at: usize) -> (i32, usize) {
        let word = self.vocabulary.numbers.iter().find(|(word, _)| self.words.is_any(at, &[*word]));
        let number = self.words.get(at).and_then(Token::number).or(word.map(|(_, number)| *number));
        // Whatever else it is, nobody means it.
        number.map_or((1, at), |number| (number.clamp(0, 1000), at + 1))
    }

    /// The next day of that name, which is not today; of the last one, that it is past.
    fn weekday(&self, at: usize) -> Option<(What, usize)> {
        let v = self.vocabulary;
        let last = self.words.is_any(at, v.last);
        let next = self.words.is_any(at, v.next);
        let at = at + usize::from(last || next);
        let weekday = self.weekday_of(&self.words.get(at)?.plain)?;
        if last {
            return Some((What::Past, at + 1));
        }
        let today = self.now.date();
        let mut date = today.nth_weekday(1, weekday).ok()?;
        // Of the next week, unless the nearest is in it.
        if next && date < today.nth_weekday(1, Weekday::Monday).ok()? {
            date = date.checked_add(7.days()).ok()?;
        }
        Some((What::Day { date, by_weekday: true }, at + 1))
    }

    fn weekday_of(&self, word: &str) -> Option<Weekday> {
        let number = self.vocabulary.weekdays.iter().position(|forms| forms.contains(&word))?;
        Weekday::from_monday_zero_offset(i8::try_from(number).ok()?).ok()
    }

    /// «30 ноября», «30-го ноября», «30-го числа», «30 ноя.», «30.11», «30/11», «30.11.2026».
    fn date(&self, at: usize) -> Option<(Date, usize)> {
        let words = self.words;
        let number = words.get(at)?.number().filter(|number| (1..=31).contains(number))?;
        let day = i8::try_from(number).ok()?;
        let named = |at: usize| {
            let month = self.vocabulary.months.iter().position(|forms| words.is_any(at, forms))?;
            // «10 дек.»
            let full = words.is_any(at, &self.vocabulary.months[month][..1]);
            let dot = usize::from(!full && words.get(at + 1).is_some_and(|token| token.is(".") && token.joined));
            Some((i8::try_from(month).ok()? + 1, at + 1 + dot))
        };
        let joined = |at: usize| words.get(at).is_some_and(|token| token.joined);
        let dash = usize::from(joined(at + 1) && words.get(at + 1).is_some_and(Token::is_dash));
        let ending = at + 1 + dash + usize::from(dash > 0 || joined(at + 1));
        if let Some((month, end)) = named(at + 1).or_else(|| named(ending)) {
            return Some((self.in_the_future(month, day)?, end));
        }
        if words.is_any(at + 1, self.vocabulary.of_month) || words.is_any(ending, self.vocabulary.of_month) {
            let end = if words.is_any(at + 1, self.vocabulary.of_month) { at + 2 } else { ending + 1 };
            return Some((self.next_of_month(day)?, end));
        }
        let joined_dot =
            |at: usize| words.get(at).is_some_and(|token| (token.is(".") || token.is("/")) && token.joined);
        let month = words.get(at + 2).filter(|token| token.joined && token.text.len() == 2)?.number()?;
        if !joined_dot(at + 1) || joined(at) {
            return None;
        }
        let month = i8::try_from(month).ok().filter(|month| (1..=12).contains(month))?;
        let year = joined_dot(at + 3).then(|| words.get(at + 4).filter(|token| token.joined)?.number()).flatten();
        match year {
            Some(year) => {
                let year = if year < 100 { year + 2000 } else { year };
                Some((Date::new(i16::try_from(year).ok()?, month, day).ok()?, at + 5))
            }
            // «в 10.11» is a time of the day.
            None if number <= 24 && self.is_an_hour(at) => None,
            None => Some((self.in_the_future(month, day)?, at + 3)),
        }
    }

    /// Whether a word before says that this is an hour.
    fn is_an_hour(&self, at: usize) -> bool {
        let v = self.vocabulary;
        let words = at > 0 && [v.at, v.from, v.until].iter().any(|words| self.words.is_any(at - 1, words));
        let mut phrases = [v.not_before, v.not_after, v.by].into_iter().flatten();
        words || phrases.any(|phrase| at >= phrase.len() && self.words.is_phrase(at - phrase.len(), phrase))
    }

    /// That day of this month, or of the next.
    fn next_of_month(&self, day: i8) -> Option<Date> {
        let today = self.now.date();
        let first = today.first_of_month().checked_add(i32::from(day < today.day()).months()).ok()?;
        Date::new(first.year(), first.month(), day).ok()
    }

    /// That day of this year, or of the next.
    fn in_the_future(&self, month: i8, day: i8) -> Option<Date> {
        let year = self.now.date().year();
        let date = Date::new(year, month, day).ok()?;
        // What was a while ago is next year's; what was yesterday is a slip.
        if date < self.in_days(-60)? { Date::new(year + 1, month, day).ok() } else { Some(date) }
    }

    fn in_days(&self, days: i32) -> Option<Date> {
        self.now.date().checked_add(days.days()).ok()
    }
}
