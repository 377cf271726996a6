//! Mentions of time, from the first word to the last.

use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::DateTime;

use super::super::text::Token;
use super::super::vocabulary::Part;
use super::Reader;
use super::clock::{Clock, Hour};

/// What is mentioned.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    /// A day. `by_weekday`: the next of its name.
    Day { date: jiff::civil::Date, by_weekday: bool },
    /// A part of a day.
    Part(&'static Part),
    /// Hours of a day.
    Clock(Clock),
    /// In some hours.
    At(DateTime),
    /// As soon as possible.
    Soon,
    /// What is over: «вчера».
    Past,
    /// No certain time to come: «на выходных», «до пятницы», «ночью».
    Vague,
}

/// A mention.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mention {
    pub(super) what: What,
    pub(super) range: Range<usize>,
    /// It says since when: «с утра», «с 8», «с понедельника».
    pub(super) since: bool,
}

impl Reader<'_> {
    /// All mentions, in their order.
    pub(super) fn mentions(&self) -> Vec<Mention> {
        let mut mentions: Vec<Mention> = Vec::new();
        let mut at = 0;
        while at < self.words.len() {
            let beside = mentions.last().is_some_and(|before| {
                before.range.end == at
                    || before.range.end + 1 == at && self.words.before(at).is_some_and(|token| token.is(","))
            });
            let found = self.mention(at, beside);
            at = found.as_ref().map_or(at + 1, |mention| mention.range.end);
            mentions.extend(found);
        }
        mentions
    }

    /// The mention that begins there. `beside`: another one has just ended.
    fn mention(&self, at: usize, beside: bool) -> Option<Mention> {
        let (what, end) = self
            .phrase(at, self.vocabulary.vague)
            .map(|end| (What::Vague, end))
            .or_else(|| self.yesterday(at))
            .or_else(|| self.in_hours(at))
            .or_else(|| self.day_or_bound(at))
            .or_else(|| self.clock(at, beside).map(|(clock, end)| (What::Clock(clock), end)))
            .or_else(|| self.part(at))
            .or_else(|| self.phrase(at, self.vocabulary.soon).map(|end| (What::Soon, end)))?;
        let between = matches!(what, What::Clock(Clock::Between(..)));
        let since = self.words.is_any(at, self.vocabulary.since) && !between;
        Some(Mention { what, range: at..end, since })
    }

    /// Where the longest of those phrases ends that stands there.
    fn phrase(&self, at: usize, phrases: &[&[&str]]) -> Option<usize> {
        let there = phrases.iter().filter(|phrase| self.words.is_phrase(at, phrase));
        there.map(|phrase| at + phrase.len()).max()
    }

    /// «со вчерашнего дня», «с прошлого дня»: since some day.
    fn yesterday(&self, at: usize) -> Option<(What, usize)> {
        let v = self.vocabulary;
        let since = self.words.is_any(at, v.since) && self.words.get(at + 1).is_some_and(Token::is_word);
        (since && self.words.is_any(at + 2, v.of_day)).then_some((What::Past, at + 3))
    }

    /// «через 2 часа», «через час».
    fn in_hours(&self, at: usize) -> Option<(What, usize)> {
        if !self.words.is_any(at, self.vocabulary.in_time) {
            return None;
        }
        let (count, unit) = self.count(at + 1);
        if !self.words.is_any(unit, self.vocabulary.hours) || !(1..=24).contains(&count) {
            return None;
        }
        Some((What::At(self.since(10)?.checked_add(count.hours()).ok()?), unit + 1))
    }

    /// A day; or what is bounded by one, which is no certain one: «до пятницы», «не раньше среды».
    fn day_or_bound(&self, at: usize) -> Option<(What, usize)> {
        let v = self.vocabulary;
        let bounds = [v.not_before, v.not_after, v.by];
        if let Some(start) = bounds.iter().filter_map(|phrases| self.phrase(at, phrases)).max() {
            return self.day(start).map(|(what, end)| match what {
                What::Past => (What::Past, end),
                _ => (What::Vague, end),
            });
        }
        self.day(at + usize::from(self.words.is_any(at, v.on)))
    }

    fn part(&self, at: usize) -> Option<(What, usize)> {
        let parts = self.vocabulary.parts.iter().filter(|part| self.words.is_phrase(at, part.words));
        parts.max_by_key(|part| part.words.len()).map(|part| (What::Part(part), at + part.words.len()))
    }

    /// Hours of the clock.
    fn clock(&self, at: usize, beside: bool) -> Option<(Clock, usize)> {
        self.between(at).or_else(|| self.dashed(at, beside)).or_else(|| self.one_hour(at, beside))
    }

    /// «с 10 до 12», «между 10 и 12».
    fn between(&self, at: usize) -> Option<(Clock, usize)> {
        let v = self.vocabulary;
        let start = self.phrase(at, v.not_before).or_else(|| self.words.is_any(at, v.from).then_some(at + 1))?;
        let (from, middle) = self.hour(start, true)?;
        // «до», «и», «и не позже»
        let behind = middle + usize::from(self.words.is_any(middle, v.until));
        let second = self.phrase(middle, v.not_after).or_else(|| self.phrase(behind, v.not_after));
        let second = second.or_else(|| (behind > middle).then_some(behind))?;
        let (until, end) = self.hour(second, true)?;
        Some((Clock::Between(from, until), end))
    }

    /// «10-12», «10:00–12:00».
    fn dashed(&self, at: usize, beside: bool) -> Option<(Clock, usize)> {
        let (v, words) = (self.vocabulary, self.words);
        let said = [v.at, v.on, v.since].iter().any(|before| words.is_any(at, before));
        let start = at + usize::from(said);
        let (from, middle) = self.hour(start, false)?;
        let (until, end) = self.hour(middle + 1, false).filter(|_| words.get(middle).is_some_and(Token::is_dash))?;
        let exact = from.exact && until.exact;
        let meant = said
            || beside
            || words.is_any(end - 1, v.hours)
            || self.is_beside(end)
            || words.begins_segment(at) && words.ends_segment(end);
        (from.precedes(until) && (exact || meant && from.is_by_day(until)))
            .then_some((Clock::Between(from, until), end))
    }

    /// «в 10», «к 12», «после 19», «не раньше 15», «до 12», and «10:00» alone.
    fn one_hour(&self, at: usize, beside: bool) -> Option<(Clock, usize)> {
        let (v, words) = (self.vocabulary, self.words);
        let from = self.phrase(at, v.not_before);
        let until = self.phrase(at, v.not_after);
        let by = self.phrase(at, v.by);
        let named = words.is_any(at, v.at).then_some(at + 1);
        let start = from.or(until).or(by).or(named);
        let (hour, end) = self.hour(start.unwrap_or(at), false)?;
        // A number of something else: «в 5 комнате».
        let sure = hour.is_sure() || words.is_any(end - 1, v.hours);
        let colon = hour.exact && words.get(at + 1).is_some_and(|mark| mark.is(":"));
        let beside = beside || self.is_beside(end);
        let meant = match start {
            // «не раньше» is said of nothing else.
            Some(start) => sure || beside || words.ends_segment(end) || start > at + 1,
            None => sure && beside || colon,
        };
        let clock = match (from, until, by) {
            (Some(_), ..) => Clock::From(hour),
            (_, Some(_), _) => Clock::Until(hour),
            (_, _, Some(_)) => Clock::By(hour),
            _ => Clock::At(hour),
        };
        meant.then_some((clock, end))
    }

    pub(super) fn hour(&self, at: usize, dashed: bool) -> Option<(Hour, usize)> {
        Hour::at(self.words, at, dashed, self.vocabulary)
    }

    /// Whether another mention, which needs no neighbour, begins there.
    fn is_beside(&self, at: usize) -> bool {
        self.day_or_bound(at).is_some() || self.part(at).is_some()
    }
}
