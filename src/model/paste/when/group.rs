//! Mentions that stand together, and what the words around them make of them.

use std::ops::Range;

use super::Reader;
use super::clock;
use super::mention::{Mention, What};

/// What a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judged {
    /// When to come.
    Visit,
    /// When not to come.
    Refused,
    /// When something happened.
    Past,
    /// It cannot be told which.
    Doubtful,
}

/// A group: «завтра утром».
#[derive(Debug)]
pub(super) struct Group {
    pub(super) mentions: Vec<Mention>,
    /// With the words that refuse it.
    pub(super) range: Range<usize>,
    pub(super) judged: Judged,
}

/// What a word beside a time tells of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tells {
    /// Something happened then, and how many words away that is said.
    Past(usize),
    /// Somebody is to come.
    Visit,
}

impl Reader<'_> {
    /// All mentions, in groups.
    pub(super) fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for mention in self.mentions() {
            if let Some(group) = groups.last_mut().filter(|group| group.range.end == mention.range.start) {
                group.range.end = mention.range.end;
                group.mentions.push(mention);
            } else {
                let range = mention.range.clone();
                groups.push(Group { mentions: vec![mention], range, judged: Judged::Visit });
            }
        }
        let mut taken = 0;
        for group in &mut groups {
            match self.refused(&group.range, taken) {
                Some(range) => (group.range, group.judged) = (range, Judged::Refused),
                None => group.judged = self.judge(group),
            }
            if group.judged == Judged::Visit
                && let Some(range) = self.with_slips(&group.range, taken)
            {
                (group.range, group.judged) = (range, Judged::Doubtful);
            }
            taken = group.range.end;
        }
        groups
    }

    /// With the words that refuse it: «не завтра», «завтра не приезжать», «завтра меня не будет», «не могу завтра».
    fn refused(&self, range: &Range<usize>, taken: usize) -> Option<Range<usize>> {
        let (v, words) = (self.vocabulary, self.words);
        let Range { start, end } = *range;
        let not = |at: usize| words.is_any(at, v.not);
        if start > taken && not(start - 1) {
            return Some(start - 1..end);
        }
        if start > taken + 1 && words.is_any(start - 1, v.to_come) && not(start - 2) {
            return Some(start - 2..end);
        }
        if words.ends_segment(end) {
            return None;
        }
        if words.is_any(end, v.refusals) {
            return Some(start..end + 1);
        }
        let at = end + usize::from(words.is_any(end, v.persons));
        (not(at) && words.is_any(at + 1, v.to_come)).then_some(start..at + 2)
    }

    /// What happened is no visit. «сломалась в понедельник»: it is over if nothing else follows; otherwise, as in «сгорела в
    /// субботу утром жду», it cannot be told.
    fn judge(&self, group: &Group) -> Judged {
        if group.mentions.iter().any(|mention| mention.what == What::Past) {
            // «вчера с 10 до 12»: nobody tells what happened then, and hours are a time to come at.
            let hours = group.mentions.iter().any(|mention| matches!(mention.what, What::Clock(_)));
            let told = [self.told_before(&group.range, true), self.told_after(&group.range, true)];
            let happened = told.iter().any(|told| matches!(told, Some(Tells::Past(_))));
            return if hours && !happened { Judged::Doubtful } else { Judged::Past };
        }
        if !self.may_be_past(group) {
            return Judged::Visit;
        }
        let since = group.mentions.iter().any(|mention| mention.since);
        match (self.told_before(&group.range, since), self.told_after(&group.range, since)) {
            (Some(Tells::Past(words)), _) if (words == 0 || since) && self.words.ends_segment(group.range.end) => {
                Judged::Past
            }
            (None, Some(Tells::Past(0))) => Judged::Past,
            (Some(Tells::Past(_)), _) | (None, Some(Tells::Past(_))) => Judged::Doubtful,
            (Some(Tells::Visit) | None, _) => Judged::Visit,
        }
    }

    /// Whether something may have happened then: it has begun, or could be of a day that is not named.
    fn may_be_past(&self, group: &Group) -> bool {
        let whats = || group.mentions.iter().map(|mention| &mention.what);
        let today = self.now.date();
        let day = whats().find_map(|what| match what {
            What::Day { date, by_weekday } => Some((*date, *by_weekday)),
            _ => None,
        });
        let hours = whats().any(|what| matches!(what, What::Part(_) | What::Clock(_)));
        let begins = || self.hours_of(&group.mentions).unwrap_or_else(|| clock::of_work(self.workday)).0;
        let minutes = i32::from(self.now.hour()) * 60 + i32::from(self.now.minute());
        let certain = |what: &What| matches!(what, What::Soon | What::At(_) | What::Clock(clock::Clock::Between(..)));
        !whats().any(certain)
            && match day {
                None | Some((_, true)) => true,
                Some((date, false)) if date == today => !hours || begins() <= minutes,
                Some((date, false)) => date < today,
            }
    }

    /// What the words of the same thought tell before it.
    fn told_before(&self, range: &Range<usize>, since: bool) -> Option<Tells> {
        let mut at = range.start;
        while !self.words.begins_segment(at) {
            at -= 1;
            if let Some(told) = self.tells(at, range.start - at - 1, since) {
                return Some(told);
            }
        }
        None
    }

    /// What the words of the same thought tell behind it.
    fn told_after(&self, range: &Range<usize>, since: bool) -> Option<Tells> {
        let mut at = range.end;
        while !self.words.ends_segment(at) {
            if let Some(told) = self.tells(at, at - range.end, since) {
                return Some(told);
            }
            at += 1;
        }
        None
    }

    fn tells(&self, at: usize, away: usize, since: bool) -> Option<Tells> {
        let v = self.vocabulary;
        let token = self.words.get(at).filter(|token| token.is_word())?;
        let begins = |stems: &[&str]| stems.iter().any(|stem| token.plain.starts_with(stem));
        let ends = |endings: &[&str]| endings.iter().any(|ending| token.plain.ends_with(ending));
        if begins(v.visits) {
            return Some(Tells::Visit);
        }
        let happened = begins(v.happened)
            || token.plain.chars().count() > 3
                && ends(v.past_endings)
                && !begins(v.no_past)
                && !v.first_names.contains(&token.plain.as_str())
            || since && self.words.is_any(at, v.goes_on);
        happened.then_some(Tells::Past(away))
    }
}
