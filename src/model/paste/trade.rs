//! The trade: by the beginnings of words, what weighs most, then the first.

use super::text::Words;
use super::{Found, Vocabulary};
use crate::model::Category;

/// Finds the trade that the words tell; they stay where they are.
pub(super) fn find(words: &Words<'_>, vocabulary: &Vocabulary) -> Option<Found<Category>> {
    let mut hits: Vec<(Category, u8, Vec<usize>)> = Vec::new();
    for index in 0..words.len() {
        let Some(token) = words.get(index).filter(|token| token.is_word()) else { continue };
        for (category, weight, stems) in vocabulary.trades {
            if stems.iter().any(|stem| token.plain.starts_with(stem)) {
                match hits.iter_mut().find(|(known, ..)| known == category) {
                    Some((_, weighs, at)) => {
                        *weighs = weighs.saturating_add(*weight);
                        at.push(index);
                    }
                    None => hits.push((*category, *weight, vec![index])),
                }
            }
        }
    }
    // The first of those that weigh most.
    let most = hits.iter().map(|(_, weight, _)| *weight).max()?;
    let (category, _, at) = hits.into_iter().find(|(_, weight, _)| *weight == most)?;
    let took: Vec<&str> = at.iter().filter_map(|index| words.get(*index)).map(|token| token.text).collect();
    Some(Found { value: category, took: took.join(" … ") })
}
