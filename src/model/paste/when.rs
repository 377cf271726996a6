//! When the master is to come: a day, hours, or both.
//!
//! All mentions of time are found first, and then judged: what a client tells of the past is no visit, and what is refused
//! («не завтра») is none either. What remains must agree, or nothing is taken, and the time is asked.

mod clock;
mod day;
mod group;
mod mention;
mod slip;

use std::ops::Range;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime};

use super::text::{Kind, Words};
use super::{Found, Vocabulary};
use crate::model::city::City;
use crate::model::slot::{Hours, NoTime, When};
use clock::{Clock, Minutes};
use group::Judged;
use mention::{Mention, What};

/// Reads a time from words that say nothing else; hours alone are of `day`, if one was named before.
///
/// # Errors
/// When they do not, or the time cannot be promised.
pub fn read(
    written: &str,
    day: Option<Date>,
    now: DateTime,
    hours: Hours,
    vocabulary: &Vocabulary,
) -> Result<When, NoTime> {
    let words = Words::of(written);
    let reader = Reader { words: &words, day, now, workday: hours, vocabulary };
    // «вчера», «вчера в 10»: an answer that names such a day means it.
    if reader.mentions().iter().any(|mention| mention.what == What::Past) {
        return Err(NoTime::Past);
    }
    let Said { when, ranges } = reader.find().ok_or(NoTime::NotUnderstood)?;
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
    when
}

/// Takes the time that can be promised, if it is the same one by the clocks of all these cities. If a time is said and it is
/// none such, its words stay, and the reason is what is found.
pub(super) fn take(
    words: &mut Words<'_>,
    cities: &[City],
    vocabulary: &Vocabulary,
) -> Option<Found<Result<When, NoTime>>> {
    let mut said = cities
        .iter()
        .filter_map(|city| Reader { words, day: None, now: city.now, workday: city.workday, vocabulary }.find());
    let mut first = said.next()?;
    if said.any(|other| other.when != first.when) {
        first.when = Err(NoTime::NotUnderstood);
    }
    drop(said);
    Some(match first.when {
        Ok(_) => words.take(first.when, &first.ranges),
        Err(_) => Found { value: first.when, took: words.quote(&first.ranges) },
    })
}

/// What words say of the time, and which words these are.
struct Said {
    when: Result<When, NoTime>,
    ranges: Vec<Range<usize>>,
}

/// Words to be read at a moment.
struct Reader<'a> {
    words: &'a Words<'a>,
    /// The day that was named before.
    day: Option<Date>,
    now: DateTime,
    workday: Hours,
    vocabulary: &'a Vocabulary,
}

/// What stands together is one piece.
fn join(words: &Words<'_>, ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
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
    joined
}

impl Reader<'_> {
    /// Finds what is said of the time, if anything is.
    fn find(&self) -> Option<Said> {
        let mut groups = self.groups();
        groups.retain(|group| group.judged != Judged::Past);
        if groups.is_empty() {
            return None;
        }
        let doubtful = groups.iter().any(|group| group.judged == Judged::Doubtful);
        let (refused, visits): (Vec<_>, Vec<_>) = groups.iter().partition(|group| group.judged == Judged::Refused);
        let mentions = |groups: &[&group::Group]| -> Vec<Mention> {
            groups.iter().flat_map(|group| group.mentions.iter().cloned()).collect()
        };
        let when = if doubtful { None } else { self.agreed(&mentions(&visits), &mentions(&refused)) };
        let when = when.ok_or(NoTime::NotUnderstood).and_then(|when| when.check(self.now));
        // Beside another day, «срочно» stays in the description.
        let soon = when == Ok(When::Soon);
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for group in &groups {
            if soon
                || group.judged == Judged::Refused
                || group.mentions.iter().any(|mention| mention.what != What::Soon)
            {
                ranges.push(group.range.clone());
            }
        }
        Some(Said { when, ranges: join(self.words, ranges) })
    }

    /// The time on which all mentions agree, if they do. `refused`: each asks for another of its kind.
    fn agreed(&self, visits: &[Mention], refused: &[Mention]) -> Option<When> {
        let is_hours = |mention: &Mention| matches!(mention.what, What::Part(_) | What::Clock(_));
        let is_day = |mention: &Mention| matches!(mention.what, What::Day { .. } | What::At(_));
        if visits.iter().any(|mention| mention.what == What::Vague)
            || refused.iter().any(is_hours) && !visits.iter().any(is_hours)
            || refused.iter().any(is_day) && !visits.iter().any(is_day)
        {
            return None;
        }
        let day = if visits.iter().any(is_day) { Some(day::agreed(visits)?) } else { None };
        let at = visits.iter().find_map(|mention| match mention.what {
            What::At(at) => Some(at),
            _ => None,
        });
        let is_soon = visits.iter().any(|mention| mention.what == What::Soon);
        let hours = if visits.iter().any(is_hours) { Some(self.hours_of(visits)?) } else { None };
        match (at, day, hours) {
            (Some(at), _, None) => {
                let end = at.checked_add(i64::from(clock::WINDOW).minutes()).ok()?;
                Some(When::Slot { start: at, end })
            }
            (Some(_), _, Some(_)) => None,
            // «сегодня срочно» waits for no hours of work.
            (None, Some(day), None) if day == self.now.date() && is_soon => Some(When::Soon),
            (None, Some(day), hours) => self.slot(day, hours.unwrap_or_else(|| clock::of_work(self.workday))),
            (None, None, Some(hours)) if self.day.is_some() => self.slot(self.day?, hours),
            // Today, or tomorrow if that has passed.
            (None, None, Some(hours)) => match self.slot(self.now.date(), hours)? {
                When::Slot { end, .. } if end <= self.now => self.slot(self.now.date().tomorrow().ok()?, hours),
                when => Some(when),
            },
            (None, None, None) => is_soon.then_some(When::Soon),
        }
    }

    /// The hours on which parts of the day and hours of the clock agree.
    fn hours_of(&self, mentions: &[Mention]) -> Option<Minutes> {
        let mut part: Option<Minutes> = None;
        let mut clock: Option<Clock> = None;
        for mention in mentions {
            match mention.what {
                What::Part(named) => {
                    let (from, until) = clock::of_part(named);
                    let (known_from, known_until) = part.unwrap_or((from, until));
                    let both = (from.max(known_from), until.min(known_until));
                    part = Some(both).filter(|(from, until)| from < until);
                    part?;
                }
                What::Clock(named) => clock = Some(clock.map_or(Some(named), |known| known.and(named))?),
                _ => {}
            }
        }
        match clock {
            Some(clock) => clock.minutes(part, self.workday),
            None => part,
        }
    }

    fn slot(&self, day: Date, (from, until): Minutes) -> Option<When> {
        let at = |minutes: i32| day.at(0, 0, 0, 0).checked_add(i64::from(minutes).minutes()).ok();
        let (mut start, end) = (at(from)?, at(until)?);
        // What has begun goes on from now.
        if start < self.now && end > self.now {
            start = self.since(30)?.max(start);
        }
        (start < end).then_some(When::Slot { start, end })
    }

    /// Now, or up to so many minutes ago.
    fn since(&self, minutes: i8) -> Option<DateTime> {
        let now = self.now.time();
        let minute = now.minute() / minutes * minutes;
        let time = now.with().minute(minute).second(0).subsec_nanosecond(0).build().ok()?;
        Some(self.now.date().to_datetime(time))
    }
}
