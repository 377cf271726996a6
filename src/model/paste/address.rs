//! The address: a street, by its word or by its name before a house's number, and what leads to the door.

use std::ops::Range;

use super::text::{Kind, Token, Words};
use super::{Found, Vocabulary};

/// A street's name has so many words at most.
const WORDS: usize = 4;

/// Takes the address.
pub(super) fn take(words: &mut Words<'_>, vocabulary: &Vocabulary) -> Option<Found<String>> {
    let address = Address { words, vocabulary };
    let range = address.marked().or_else(|| address.labelled()).or_else(|| address.unmarked())?;
    let text = words.text(&range).to_owned();
    let took = words.with_label(range, vocabulary.address_labels);
    Some(words.take(text, &[took]))
}

struct Address<'a> {
    words: &'a Words<'a>,
    vocabulary: &'a Vocabulary,
}

impl Address<'_> {
    /// With a word for a street: «ул. Ленина, д. 5», «Сиреневый бульвар, 7».
    fn marked(&self) -> Option<Range<usize>> {
        let all = (0..self.words.len()).filter_map(|index| self.marked_at(index));
        // A village, and the street in it.
        let mut joined: Vec<(Range<usize>, bool)> = Vec::new();
        for (range, house) in all {
            match joined.last_mut() {
                Some((last, had_house))
                    if !*had_house
                        && range.start == last.end + 1
                        && self.words.get(last.end).is_some_and(|token| token.is(",")) =>
                {
                    last.end = range.end;
                    *had_house = house;
                }
                _ => joined.push((range, house)),
            }
        }
        let with_house = joined.iter().find(|(_, house)| *house).or(joined.first());
        with_house.map(|(range, _)| range.clone())
    }

    /// With such a word there; and whether a house is said.
    fn marked_at(&self, index: usize) -> Option<(Range<usize>, bool)> {
        if !self.words.is_any(index, self.vocabulary.streets) {
            return None;
        }
        let after = self.skip_dot(index + 1);
        if let Some(end) = self.street_name(after).filter(|end| *end > after) {
            let doors = self.doors(end);
            return Some((index..doors.unwrap_or(end), doors.is_some()));
        }
        // Its name stands before it.
        let mut start = index;
        while start > 0
            && index - start < 2
            && self.words.before(start).is_some_and(|token| self.names(token))
            && !self.words.begins_segment(start)
        {
            start -= 1;
        }
        let doors = self.doors(after);
        let said = start < index && (doors.is_some() || self.words.ends_segment(after));
        said.then(|| (start..doors.unwrap_or(index + 1), doors.is_some()))
    }

    /// After «адрес:».
    fn labelled(&self) -> Option<Range<usize>> {
        (0..self.words.len()).find_map(|index| {
            if !self.words.is_any(index, self.vocabulary.address_labels) {
                return None;
            }
            let mut start = index + 1;
            while self.words.get(start).is_some_and(|token| token.is(":") || token.is_dash()) {
                start += 1;
            }
            if start == index + 1 && !self.words.get(start).is_some_and(Token::is_capital) {
                return None;
            }
            let mut end = start;
            while end < self.words.len() && !self.words.ends_segment(end) {
                end += 1;
            }
            let end = self.doors(end).unwrap_or(end);
            (end > start).then_some(start..end)
        })
    }

    /// A name and the number of a house: «Иванова 12-45», «8 Марта, 12».
    fn unmarked(&self) -> Option<Range<usize>> {
        (0..self.words.len()).find_map(|index| {
            let token = self.words.get(index)?;
            // «с 25 ноября» is a day.
            let since = index > 0 && self.words.is_any(index - 1, self.vocabulary.since);
            let counted =
                token.kind == Kind::Number && !since && self.words.is_any(index + 1, self.vocabulary.after_number);
            if !counted && !self.names(token) {
                return None;
            }
            let mut end = if counted { self.counted(index) } else { index + 1 };
            while end < index + 3
                && self.words.get(end).is_some_and(|token| self.names(token))
                && !self.words.ends_segment(end)
            {
                end += 1;
            }
            let doors = self.house(end)?;
            // «Ariston 80 л»: no house is said in litres, and no street is named like a maker.
            let is_measured = self.words.is_any(doors, self.vocabulary.measures);
            if is_measured || self.vocabulary.makers.iter().any(|maker| token.plain.starts_with(maker)) {
                return None;
            }
            let last = self.words.get(end - 1)?;
            let like_a_street = token.is_capital() && last.is_capital()
                || self.vocabulary.street_endings.iter().any(|ending| last.plain.ends_with(ending))
                    && last.plain.chars().count() > 4;
            // Words without capitals name a street only if they say nothing else.
            let alone = self.words.begins_segment(index) && self.words.ends_segment(doors);
            let all = self.doors(end).unwrap_or(doors);
            let alone = alone || self.words.begins_segment(index) && like_a_street && self.has_flat(end, all);
            let sure =
                counted || token.is_capital() && like_a_street || alone && (like_a_street || self.has_flat(end, doors));
            sure.then_some(index..all)
        })
    }

    fn has_flat(&self, from: usize, to: usize) -> bool {
        (from..to).filter(|index| self.words.get(*index).is_some_and(|token| token.kind == Kind::Number)).count() > 1
    }

    fn skip_dot(&self, index: usize) -> usize {
        index + usize::from(self.words.get(index).is_some_and(|token| token.is(".") && token.joined))
    }

    /// Whether a word can be part of a street's name.
    fn names(&self, token: &Token<'_>) -> bool {
        let v = self.vocabulary;
        let no_name = [
            v.no_street,
            v.numbered,
            v.coded,
            v.streets,
            v.phone_labels,
            v.name_labels,
            v.address_labels,
            v.fillers,
            v.hours,
        ]
        .iter()
        .any(|words| words.contains(&token.plain.as_str()));
        token.is_word()
            && token.plain.chars().count() > 2
            && !no_name
            && !v.first_names.contains(&token.plain.as_str())
            && !v.days.iter().any(|(day, _)| token.plain == *day)
            && !v.months.iter().any(|forms| forms.contains(&token.plain.as_str()))
            && !v.weekdays.iter().any(|forms| forms.contains(&token.plain.as_str()))
            && !v.parts.iter().any(|part| part.words == [token.plain.as_str()])
    }

    /// The end of «8 Марта», «40 лет Октября».
    fn counted(&self, start: usize) -> usize {
        let more =
            self.words.get(start + 2).is_some_and(|token| token.is_word() && token.is_capital() && !token.begins_line);
        start + 2 + usize::from(more)
    }

    /// The end of a street's name that begins there.
    fn street_name(&self, start: usize) -> Option<usize> {
        let first = self.words.get(start)?;
        if first.is_dash() || first.begins_line {
            return None;
        }
        // «8 Марта», «40 лет Октября».
        let mut end = match first.kind {
            Kind::Number if self.words.is_any(start + 1, self.vocabulary.after_number) => self.counted(start),
            // «Московский проспект дом 3» has its name before.
            Kind::Word if self.part(start, false).is_none() => start + 1,
            _ => return None,
        };
        // «Карла Маркса 5»: as many words as there are before the house.
        let ahead = (end..end + WORDS)
            .take_while(|at| self.words.get(*at).is_some_and(|token| self.names(token) && !token.begins_line))
            .count();
        if self.house(end + ahead).is_some() {
            return Some(end + ahead);
        }
        while self.words.get(end).is_some_and(|token| self.names(token) && token.is_capital() && !token.begins_line) {
            end += 1;
        }
        Some(end)
    }

    /// The end of a house's number that stands there, and of what belongs to it; a comma may stand before it.
    fn house(&self, start: usize) -> Option<usize> {
        let comma = self.words.get(start).is_some_and(|token| token.is(","));
        let at = start + usize::from(comma);
        let labelled = self.words.is_any(at, self.vocabulary.numbered);
        let end = self.part(at, true)?;
        // «Победы, 14, не работает» is a house, and «замок, 2 двери» none.
        (!comma || labelled || self.words.ends_segment(end) || self.part(end, false).is_some()).then_some(end)
    }

    /// The end of all that leads to the door, if there is any.
    fn doors(&self, start: usize) -> Option<usize> {
        let mut end = self.house(start)?;
        loop {
            let comma = self.words.get(end).is_some_and(|token| token.is(",") || token.is("."));
            let at = end + usize::from(comma);
            if self.words.get(at).is_some_and(|token| token.begins_line) {
                return Some(end);
            }
            // A number alone is a flat only if nothing is counted by it.
            let bare = self.words.get(at).is_some_and(|token| token.kind == Kind::Number);
            match self.part(at, false) {
                Some(next) if !bare || self.names_a_door(at) => end = next,
                _ if bare
                    && comma
                    && self.words.ends_segment(at + 1)
                    && self.words.get(at).is_some_and(|token| token.text.len() < 4) =>
                {
                    end = at + 1;
                }
                _ => return Some(end),
            }
        }
    }

    /// «3 подъезд», «2-й этаж»: a number before what it counts.
    fn names_a_door(&self, at: usize) -> bool {
        (at + 1..at + 4).any(|index| self.words.is_any(index, self.vocabulary.numbered))
    }

    /// The end of one number on the way to the door. `bare`: it may stand by itself.
    fn part(&self, start: usize, bare: bool) -> Option<usize> {
        let words = self.words;
        let is_number = |at: usize| words.get(at).is_some_and(|token| token.kind == Kind::Number);
        let coded = words.is_any(start, self.vocabulary.coded);
        if coded || words.is_any(start, self.vocabulary.numbered) {
            let mut at = self.skip_dot(start + 1);
            while words.get(at).is_some_and(|token| token.is("№") || token.is(":") || token.is_dash()) {
                at += 1;
            }
            if is_number(at) {
                return Some(self.number(at, coded));
            }
            // «домофон не работает» stays what it is; «код К12» is one.
            let letter = words.get(at).is_some_and(|token| token.is_word() && token.plain.chars().count() == 1);
            return (letter && !words.get(at + 1).is_some_and(Token::is_word)).then(|| self.number(at, coded));
        }
        if !is_number(start) {
            return None;
        }
        // «3 подъезд», but «22 к 1» is a house.
        if words.is_any(start + 1, self.vocabulary.numbered)
            && !words.get(start + 1).is_some_and(|token| token.joined)
            && !is_number(self.skip_dot(start + 2))
        {
            return Some(start + 2);
        }
        // «3 подъезд», «2-й этаж».
        let mut at = start + 1;
        if words.get(at).is_some_and(Token::is_dash) {
            at += 1;
        }
        if words.get(at).is_some_and(|token| token.is_word() && token.joined && token.plain.chars().count() <= 2)
            && words.is_any(at + 1, self.vocabulary.numbered)
        {
            return Some(at + 2);
        }
        if !bare {
            return words.is_any(start + 1, self.vocabulary.numbered).then_some(start + 2);
        }
        (words.get(start)?.text.len() < 5 && !self.is_a_time(start)).then(|| self.number(start, false))
    }

    /// «14:00» is no house.
    fn is_a_time(&self, at: usize) -> bool {
        self.words.get(at + 1).is_some_and(|token| token.is(":") && token.joined)
            || self.words.is_any(at + 1, self.vocabulary.hours)
    }

    /// The end of `12а`, `12/3`, `12-45`, `12 к 2`.
    fn number(&self, start: usize, coded: bool) -> usize {
        let words = self.words;
        let mut end = start + 1;
        loop {
            let Some(token) = words.get(end).filter(|token| token.joined) else {
                // «12 А»
                let letter = words.get(end).is_some_and(|token| {
                    token.is_word() && token.is_capital() && token.plain.chars().count() == 1 && !token.begins_line
                });
                return if letter && words.ends_segment(end + 1) { end + 1 } else { end };
            };
            let letter = token.is_word() && token.plain.chars().count() <= 2;
            let mark = token.is("/") || token.is_dash() || coded && (token.is("#") || token.is("*") || token.is("№"));
            let goes_on = words.get(end + 1).is_some_and(|next| next.joined && next.kind != Kind::Mark);
            if letter || token.kind == Kind::Number || mark && (goes_on || coded && !token.is_dash()) {
                end += 1;
            } else {
                return end;
            }
        }
    }
}
