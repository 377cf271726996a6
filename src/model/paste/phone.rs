//! The client's phone: the first run of digits that is a whole number.

use std::ops::Range;

use super::text::{Kind, Token, Words};
use super::{Found, Vocabulary};
use crate::model::Phone;

/// Takes the first number, with the words that announce it.
pub(super) fn take(words: &mut Words<'_>, vocabulary: &Vocabulary) -> Option<Found<Phone>> {
    let (phone, range) = (0..words.len()).find_map(|start| starting_at(words, start))?;
    let labelled = words.with_label(range, vocabulary.phone_labels);
    Some(words.take(phone, &[labelled]))
}

fn starting_at(words: &Words<'_>, start: usize) -> Option<(Phone, Range<usize>)> {
    let first = words.get(start)?;
    let begins = first.kind == Kind::Number || first.is("+") || first.is("(");
    // Not in the middle of a number.
    let in_the_middle = first.joined && words.before(start).is_some_and(|before| before.kind != Kind::Mark);
    if !begins || in_the_middle {
        return None;
    }
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
