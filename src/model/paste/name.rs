//! The client's name: after a word that announces one, or a first name that people bear.

use std::ops::Range;

use super::text::{Token, Words};
use super::{Found, NAME, Vocabulary};

/// Takes the name.
pub(super) fn take(words: &mut Words<'_>, vocabulary: &Vocabulary) -> Option<Found<String>> {
    let (name, took) = announced(words, vocabulary).or_else(|| borne(words, vocabulary))?;
    let text = words.text(&name).to_owned();
    Some(words.take(text, &[took]))
}

/// The name with the further phones, as many as there is room for: «Роман Петров, ещё 8 (343) 222-33-44».
pub(super) fn with_phones(
    name: Option<Found<String>>,
    phones: &[Found<String>],
    vocabulary: &Vocabulary,
) -> Option<Found<String>> {
    let length = |text: &str| text.chars().count();
    let mut also = String::new();
    for phone in phones {
        let before = if also.is_empty() { format!("{} ", vocabulary.also) } else { ", ".to_owned() };
        if length(&also) + length(&before) + length(&phone.value) <= NAME {
            also.push_str(&before);
            also.push_str(&phone.value);
        }
    }
    if also.is_empty() {
        return name;
    }
    let took: Vec<&str> = name.iter().chain(phones).map(|found| found.took.as_str()).collect();
    let took = took.join(" … ");
    let room = NAME.saturating_sub(length(&also) + 2);
    let name: String = name.map(|name| name.value.chars().take(room).collect()).unwrap_or_default();
    let value = if name.is_empty() { also } else { format!("{name}, {also}") };
    Some(Found { value, took })
}

/// The further phones in a name that [`with_phones`] has made.
pub(super) fn further<'a>(name: &'a str, vocabulary: &Vocabulary) -> Option<&'a str> {
    let label = format!("{} ", vocabulary.also);
    let at = if name.starts_with(&label) { 0 } else { name.rfind(&format!(", {label}"))? + 2 };
    let phones = &name[at..];
    phones.contains(|c: char| c.is_ascii_digit()).then_some(phones)
}

/// A new name with the further phones of the one before, unless it says some itself.
pub(super) fn renamed(name: &str, before: Option<&str>, vocabulary: &Vocabulary) -> String {
    let kept = before.and_then(|before| further(before, vocabulary));
    let Some(kept) = kept.filter(|_| !name.contains(|c: char| c.is_ascii_digit())) else { return name.to_owned() };
    let room = NAME.saturating_sub(kept.chars().count() + 2);
    let name: String = name.chars().take(room).collect();
    format!("{name}, {kept}")
}

/// After «зовут», «клиент:» and the like.
fn announced(words: &Words<'_>, vocabulary: &Vocabulary) -> Option<(Range<usize>, Range<usize>)> {
    (0..words.len()).find_map(|index| {
        if !words.is_any(index, vocabulary.name_labels) {
            return None;
        }
        let mut start = index + 1;
        while words.is_any(start, vocabulary.name_labels) {
            start += 1;
        }
        let joint = |token: &Token<'_>| token.is(":") || token.is_dash() || token.is("—");
        let mut said = false;
        while words.get(start).is_some_and(joint) {
            start += 1;
            said = true;
        }
        let is_name =
            |token: &Token<'_>| token.is_word() && (token.is_capital() || said || is_first(token, vocabulary));
        let mut end = start;
        while end < start + 3 && words.get(end).is_some_and(is_name) && !(end > start && words.ends_segment(end)) {
            end += 1;
        }
        (end > start).then(|| (start..end, words.with_label(index..end, vocabulary.name_labels)))
    })
}

/// A first name, with what belongs to it.
fn borne(words: &Words<'_>, vocabulary: &Vocabulary) -> Option<(Range<usize>, Range<usize>)> {
    (0..words.len()).find_map(|index| {
        if !words.get(index).is_some_and(|token| is_first(token, vocabulary)) {
            return None;
        }
        let belongs = |at: usize| {
            words
                .get(at)
                .is_some_and(|token| token.is_word() && (token.is_capital() || is_patronymic(token, vocabulary)))
        };
        let mut end = index + 1;
        while end < index + 3 && belongs(end) && !words.ends_segment(end) {
            end += 1;
        }
        let mut start = index;
        // The family's name first.
        if end <= index + 2
            && index > 0
            && belongs(index - 1)
            && !says_no_name(words, index - 1, vocabulary)
            && !words.begins_segment(index)
            && words.begins_segment(index - 1)
        {
            start -= 1;
        }
        Some((start..end, start..end))
    })
}

/// «Это Анна», «Меня Анна»: a capital letter alone makes no name of a word.
fn says_no_name(words: &Words<'_>, index: usize, vocabulary: &Vocabulary) -> bool {
    [vocabulary.fillers, vocabulary.requests, vocabulary.persons, vocabulary.name_labels, vocabulary.no_street]
        .iter()
        .any(|known| words.is_any(index, known))
}

fn is_first(token: &Token<'_>, vocabulary: &Vocabulary) -> bool {
    let name = token.plain.as_str();
    token.is_word()
        && vocabulary.first_names.contains(&name)
        && (token.is_capital() || !vocabulary.names_that_are_words.contains(&name))
}

fn is_patronymic(token: &Token<'_>, vocabulary: &Vocabulary) -> bool {
    token.plain.chars().count() > 5 && vocabulary.patronymics.iter().any(|ending| token.plain.ends_with(ending))
}
