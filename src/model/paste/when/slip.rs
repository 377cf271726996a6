//! What was meant for a day or an hour and is none: «завтро», «10 декобря», «в 25:00».

use std::ops::Range;

use super::super::text::Token;
use super::Reader;
use super::clock::has_minutes;

/// The most words and marks of which a slip is made: «в 25:00», «10-го декобря».
const LONGEST: usize = 4;
/// Shorter words are too much like others.
const SHORTEST: usize = 5;
/// So many letters begin a month like no other.
const BEGINNING: usize = 3;

impl Reader<'_> {
    /// A time with the slips right beside it, if there are any: the time alone is not what was meant.
    pub(super) fn with_slips(&self, range: &Range<usize>, taken: usize) -> Option<Range<usize>> {
        let comma = |at: usize| self.words.get(at).is_some_and(|token| token.is(","));
        let behind = self.slip(range.end).or_else(|| self.slip(range.end + 1).filter(|_| comma(range.end)));
        let before = (taken..range.start).rev().take(LONGEST + 1).filter(|start| {
            let end = self.slip(*start);
            end.is_some_and(|end| end == range.start || end + 1 == range.start && comma(end))
        });
        let start = before.min();
        (start.is_some() || behind.is_some()).then(|| start.unwrap_or(range.start)..behind.unwrap_or(range.end))
    }

    /// Where the slip ends that stands there.
    fn slip(&self, at: usize) -> Option<usize> {
        let v = self.vocabulary;
        let said = [v.on, v.at, v.from, v.until].iter().any(|before| self.words.is_any(at, before));
        let start = at + usize::from(said);
        self.like_a_day(start).or_else(|| self.like_a_date(start)).or_else(|| self.no_hour(start, said))
    }

    /// A letter away from a day: «завтро», «пятницо».
    fn like_a_day(&self, at: usize) -> Option<usize> {
        let v = self.vocabulary;
        let word = &self.words.get(at).filter(|token| token.is_word())?.plain;
        let days = || v.days.iter().map(|(day, _)| *day).chain(v.weekdays.iter().copied().flatten().copied());
        let like = |day: &str| day.chars().count() >= SHORTEST && is_a_letter_away(day, word);
        (!days().any(|day| day == word) && days().any(like)).then_some(at + 1)
    }

    /// A number and what begins like a month, and no day of one: «10 декобря», «31 ноября».
    fn like_a_date(&self, at: usize) -> Option<usize> {
        let words = self.words;
        words.get(at)?.number()?;
        let dash = usize::from(words.get(at + 1).is_some_and(Token::is_dash));
        let ending = at + 2 + dash;
        let month = [at + 1, ending].into_iter().find(|month| {
            let word = words.get(*month).filter(|token| token.is_word());
            let beginning: Option<String> = word.map(|word| word.plain.chars().take(BEGINNING).collect());
            let begins = |form: &&str| beginning.as_ref().is_some_and(|beginning| form.starts_with(beginning.as_str()));
            self.vocabulary.months.iter().copied().flatten().any(begins)
        })?;
        let joined = month == at + 1 || words.get(at + 1).is_some_and(|token| token.joined);
        joined.then_some(month + 1)
    }

    /// No hour of any day: «25:00», «10:75», and behind «в» a number alone.
    fn no_hour(&self, at: usize, said: bool) -> Option<usize> {
        let words = self.words;
        let hour = words.get(at)?.number()?;
        if has_minutes(words, at) {
            return self.hour(at, false).is_none().then_some(at + 3);
        }
        let of_the_clock = words.is_any(at + 1, self.vocabulary.hours);
        let alone = said && words.ends_segment(at + 1) || of_the_clock;
        (hour > 24 && alone).then_some(at + 1 + usize::from(of_the_clock))
    }
}

/// Whether one letter more, less, or other, or two that changed places, make one of the other.
fn is_a_letter_away(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[same..], &other[same..]);
    match (one, other) {
        ([_, one @ ..], [_, other @ ..]) if one == other => true,
        ([_, left @ ..], other) if left == other => true,
        (one, [_, left @ ..]) if left == one => true,
        ([a, b, one @ ..], [c, d, other @ ..]) => a == d && b == c && one == other,
        _ => false,
    }
}
