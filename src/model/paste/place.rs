//! Cities and districts, by their names, in whatever case they are put.

use std::ops::Range;

use super::text::{Kind, Words, plain};
use super::{Found, Vocabulary};
use crate::model::CityId;
use crate::model::city::City;

/// Takes the first city's name.
pub(super) fn take_city(words: &mut Words<'_>, cities: &[City], vocabulary: &Vocabulary) -> Option<Found<CityId>> {
    for index in 0..words.len() {
        let nickname = words.get(index).and_then(|token| {
            let (_, meant) = vocabulary.nicknames.iter().find(|(nickname, _)| token.plain == *nickname)?;
            cities.iter().find(|city| plain(&city.name).starts_with(meant))
        });
        let found = nickname
            .map(|city| (city, index..index + 1))
            .or_else(|| cities.iter().find_map(|city| Some((city, name_at(words, index, &city.name)?))));
        if let Some((city, range)) = found.filter(|(_, range)| !is_a_street(words, range, vocabulary)) {
            let id = city.id;
            let range = with_words(words, range, &[vocabulary.towns, vocabulary.on], &[]);
            return Some(words.take(id, &[range]));
        }
    }
    None
}

/// Takes the first name of one of the city's districts.
pub(super) fn take_district(words: &mut Words<'_>, city: &City, vocabulary: &Vocabulary) -> Option<Found<i64>> {
    for index in 0..words.len() {
        let found = city.districts.iter().find_map(|place| Some((place.id, name_at(words, index, &place.name)?)));
        if let Some((id, range)) = found.filter(|(_, range)| !is_a_street(words, range, vocabulary)) {
            let range = with_words(words, range, &[vocabulary.districts, vocabulary.on], vocabulary.districts);
            return Some(words.take(id, &[range]));
        }
    }
    None
}

/// The one of several things whose name this is; or the only one whose name begins so.
pub(super) fn named<'a, T>(written: &str, things: &'a [T], name: impl Fn(&T) -> &str) -> Option<&'a T> {
    let written = plain(written.trim());
    if written.is_empty() {
        return None;
    }
    let mut beginning = things.iter().filter(|thing| plain(name(thing)).starts_with(&written));
    match things.iter().find(|thing| plain(name(thing)) == written) {
        Some(thing) => Some(thing),
        None => beginning.next().filter(|_| beginning.next().is_none()),
    }
}

/// Whether the name stands there, in some case.
fn name_at(words: &Words<'_>, index: usize, name: &str) -> Option<Range<usize>> {
    let name = Words::of(name);
    let mut at = index;
    for number in 0..name.len() {
        let part = name.get(number)?;
        let token = words.get(at)?;
        let same = match part.kind {
            Kind::Word => token.is_word() && inflects(&part.plain, &token.plain),
            Kind::Number | Kind::Mark => token.text == part.text,
        };
        if !same {
            return None;
        }
        at += 1;
    }
    (at > index).then_some(index..at)
}

/// Whether one word may be another one's form: the same but for an ending of at most three letters.
fn inflects(name: &str, word: &str) -> bool {
    let length = name.chars().count();
    let kept = if length > 5 { length - 2 } else { length };
    let stem: String = name.chars().take(kept).collect();
    word.starts_with(&stem) && word.chars().count() <= length + usize::from(length > 5)
        || word == name
        || length > 3 && word.starts_with(name) && word.chars().count() <= length + 2
}

/// A house's number follows, or it is said to be a street.
fn is_a_street(words: &Words<'_>, range: &Range<usize>, vocabulary: &Vocabulary) -> bool {
    let is_street = |at| words.is_any(at, vocabulary.streets) && !words.is_any(at, vocabulary.districts);
    let mut before = range.start;
    while before > 0 && words.before(before).is_some_and(|token| token.is(".")) {
        before -= 1;
    }
    if before > 0 && is_street(before - 1) {
        return true;
    }
    let next = range.end;
    if is_street(next) && !words.ends_segment(next) {
        return !names_a_street(words, next + 1, vocabulary);
    }
    let number = words.get(next).is_some_and(|token| token.kind == Kind::Number && !token.begins_line);
    number && !names_a_street(words, next, vocabulary)
}

/// Whether a street's own name stands there, so that what stands before it is none: «Екатеринбург ул. Победы», but
/// «Московский проспект 3».
fn names_a_street(words: &Words<'_>, at: usize, vocabulary: &Vocabulary) -> bool {
    let skip_dot = |at: usize| at + usize::from(words.get(at).is_some_and(|token| token.is(".")));
    let is_number = |at: usize| words.get(at).is_some_and(|token| token.kind == Kind::Number);
    let at = skip_dot(at);
    words.get(at).is_some_and(|token| match token.kind {
        // Not «проспект, дом 3», but «ул. К. Маркса».
        Kind::Word => !(words.is_any(at, vocabulary.numbered) && is_number(skip_dot(at + 1))),
        Kind::Number => words.is_any(at + 1, vocabulary.after_number),
        Kind::Mark => false,
    })
}

/// With what such a thing is called, around its name.
fn with_words(words: &Words<'_>, range: Range<usize>, before: &[&[&str]], after: &[&str]) -> Range<usize> {
    let (mut start, mut end) = (range.start, range.end);
    for labels in before {
        start = words.with_label(start..end, labels).start;
    }
    if words.is_any(end, after) && !words.ends_segment(end) {
        end += 1;
        if words.get(end).is_some_and(|token| token.is(".") && token.joined) {
            end += 1;
        }
    }
    start..end
}
