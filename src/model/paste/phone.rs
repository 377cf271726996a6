//! Phones: the first whole number is the client's. Every other one is taken too, so that it does not stay in the description,
//! which masters read who are merely asked.

use std::ops::Range;

use super::text::{Kind, Token, Words};
use super::{Found, Vocabulary};
use crate::model::Phone;

/// A note behind a phone, «(муж Сергей)», has so many words at most.
const NOTE: usize = 4;

/// Takes the first number, with the words that announce it.
pub(super) fn take(words: &mut Words<'_>, vocabulary: &Vocabulary) -> Option<Found<Phone>> {
    let (phone, range) = (0..words.len()).find_map(|start| starting_at(words, start))?;
    let labelled = words.with_label(range, vocabulary.phone_labels);
    Some(words.take(phone, &[labelled]))
}

/// Takes every further number, as people write it, with the note behind it.
pub(super) fn take_further(words: &mut Words<'_>, first: &Phone, vocabulary: &Vocabulary) -> Vec<Found<String>> {
    let mut further = Vec::new();
    for start in 0..words.len() {
        let Some((phone, range)) = starting_at(words, start) else { continue };
        if phone == *first {
            take_spare(words, range, "", vocabulary);
        } else {
            further.push(take_spare(words, range, &phone.shown(), vocabulary));
        }
    }
    further
}

/// Takes what is as long as a number and is none, as it was written: it is most probably a mistyped one. To be done when
/// dates and houses are taken.
pub(super) fn take_mistyped(words: &mut Words<'_>, vocabulary: &Vocabulary) -> Vec<Found<String>> {
    let mut mistyped = Vec::new();
    for start in 0..words.len() {
        let Some(range) = mistyped_at(words, start) else { continue };
        let written = words.text(&range).to_owned();
        mistyped.push(take_spare(words, range, &written, vocabulary));
    }
    mistyped
}

/// Takes a number with what announces it and the note behind it.
fn take_spare(words: &mut Words<'_>, number: Range<usize>, value: &str, vocabulary: &Vocabulary) -> Found<String> {
    let labels = [vocabulary.phone_labels, vocabulary.spare_labels].concat();
    let note = note_at(words, number.end);
    let value = note.as_ref().map_or_else(|| value.to_owned(), |note| format!("{value} {}", words.text(note)));
    let end = note.map_or(number.end, |note| note.end);
    let range = words.with_label(number.start..end, &labels);
    words.take(value, &[range])
}

/// «(муж Сергей)»
fn note_at(words: &Words<'_>, start: usize) -> Option<Range<usize>> {
    words.get(start).filter(|token| token.is("(") && !token.begins_line)?;
    let count = (start + 1..words.len()).take_while(|at| words.get(*at).is_some_and(Token::is_word)).count();
    let end = start + 1 + count;
    ((1..=NOTE).contains(&count) && words.get(end).is_some_and(|token| token.is(")"))).then_some(start..end + 1)
}

/// From ten to fifteen digits: in one piece, or in groups that begin as a phone does.
fn mistyped_at(words: &Words<'_>, start: usize) -> Option<Range<usize>> {
    let first = words.get(start).filter(|_| begins_number(words, start))?;
    let leading = (start..start + 3).find_map(|at| words.get(at).filter(|token| token.kind == Kind::Number))?.text;
    let whole = leading.len() >= 10;
    let like_a_phone = ["7", "8"].contains(&leading)
        || leading.len() >= 3 && ["9", "79", "89"].iter().any(|code| leading.starts_with(code))
        || !first.is_dash() && first.kind == Kind::Mark;
    let (mut digits, mut end) = (0, start);
    for at in start..words.len() {
        let Some(token) = words.get(at) else { break };
        let separates = token.is_dash() || ["+", "(", ")"].iter().any(|mark| token.is(mark));
        if token.begins_line && at > start || token.kind != Kind::Number && !separates || whole && digits > 0 {
            break;
        }
        if token.kind == Kind::Number {
            digits += token.text.len();
            end = at + 1;
        }
    }
    ((whole || like_a_phone) && (10..=15).contains(&digits)).then_some(start..end)
}

/// Whether a number begins there, rather than goes on.
fn begins_number(words: &Words<'_>, start: usize) -> bool {
    words.get(start).is_some_and(|first| {
        let begins = first.kind == Kind::Number || first.is("+") || first.is("(");
        begins && !(first.joined && words.before(start).is_some_and(|before| before.kind != Kind::Mark))
    })
}

fn starting_at(words: &Words<'_>, start: usize) -> Option<(Phone, Range<usize>)> {
    let first = words.get(start).filter(|_| begins_number(words, start))?;
    let leading = (start..words.len()).find_map(|index| words.get(index).filter(|token| token.kind == Kind::Number))?;
    let (mut digits, mut best) = (0, None);
    for index in start..words.len() {
        let Some(token) = words.get(index).filter(|token| belongs(token)) else { break };
        if token.begins_line && index > start {
            break;
        }
        if token.kind != Kind::Number {
            continue;
        }
        digits += token.text.len();
        if digits > 15 {
            break;
        }
        let whole = match digits {
            10 => leading.text.len() >= 3 && !first.is("+"),
            11 => first.is("+") || leading.text.starts_with(['7', '8']),
            12.. => first.is("+"),
            _ => false,
        };
        let range = start..index + 1;
        if whole && let Ok(phone) = Phone::parse(words.text(&range)) {
            best = Some((phone, range));
            break;
        }
    }
    best
}

fn belongs(token: &Token<'_>) -> bool {
    token.kind == Kind::Number || token.is_dash() || ["+", "(", ")", "."].iter().any(|mark| token.is(mark))
}
