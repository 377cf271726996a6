//! A message as words, numbers and marks, each taken by one field at most.

use std::ops::Range;

use super::{Found, Vocabulary};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Number,
    Mark,
}

/// A piece of a message.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// In lower case.
    pub(super) plain: String,
    pub(super) at: Range<usize>,
    /// Nothing stands between it and the one before.
    pub(super) joined: bool,
    /// It begins a line.
    pub(super) begins_line: bool,
    taken: bool,
}

impl Token<'_> {
    pub(super) fn is(&self, mark: &str) -> bool {
        self.kind == Kind::Mark && self.text == mark
    }

    pub(super) fn number(&self) -> Option<i32> {
        (self.kind == Kind::Number).then(|| self.text.parse().ok()).flatten()
    }

    pub(super) fn is_capital(&self) -> bool {
        self.text.chars().next().is_some_and(char::is_uppercase)
    }

    pub(super) fn is_word(&self) -> bool {
        self.kind == Kind::Word
    }

    pub(super) fn is_dash(&self) -> bool {
        self.kind == Kind::Mark && ["-", "–", "—", "‑"].contains(&self.text)
    }
}

/// A message.
#[derive(Debug)]
pub(super) struct Words<'a> {
    message: &'a str,
    tokens: Vec<Token<'a>>,
}

/// Letters as they are compared: in lower case.
pub(super) fn plain(text: &str) -> String {
    // As in German: what is a letter of its own and is left out by most.
    text.to_lowercase().replace('\u{451}', "\u{435}")
}

impl<'a> Words<'a> {
    pub(super) fn of(message: &'a str) -> Self {
        let mut tokens: Vec<Token<'a>> = Vec::new();
        let mut characters = message.char_indices().peekable();
        let (mut joined, mut begins_line) = (false, true);
        while let Some((start, first)) = characters.next() {
            if first.is_whitespace() {
                joined = false;
                begins_line |= first == '\n';
                continue;
            }
            let kind = if first.is_alphabetic() {
                Kind::Word
            } else if first.is_ascii_digit() {
                Kind::Number
            } else {
                Kind::Mark
            };
            let mut end = start + first.len_utf8();
            while let Some(&(index, next)) = characters.peek() {
                let goes_on = match kind {
                    Kind::Number => next.is_ascii_digit(),
                    Kind::Mark => false,
                    // A hyphen between letters is part of the word.
                    Kind::Word => {
                        next.is_alphabetic()
                            || next == '-' && message[index + 1..].chars().next().is_some_and(char::is_alphabetic)
                    }
                };
                if !goes_on {
                    break;
                }
                end = index + next.len_utf8();
                characters.next();
            }
            let text = &message[start..end];
            tokens.push(Token { kind, text, plain: plain(text), at: start..end, joined, begins_line, taken: false });
            (joined, begins_line) = (true, false);
        }
        Self { message, tokens }
    }

    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// A token that nothing has taken.
    pub(super) fn get(&self, index: usize) -> Option<&Token<'a>> {
        self.tokens.get(index).filter(|token| !token.taken)
    }

    /// The token before that one, if nothing has taken it.
    pub(super) fn before(&self, index: usize) -> Option<&Token<'a>> {
        index.checked_sub(1).and_then(|index| self.get(index))
    }

    /// Whether that token is one of those words.
    pub(super) fn is_any(&self, index: usize, words: &[&str]) -> bool {
        self.get(index).is_some_and(|token| token.is_word() && words.contains(&token.plain.as_str()))
    }

    /// Whether those words stand there.
    pub(super) fn is_phrase(&self, index: usize, phrase: &[&str]) -> bool {
        phrase.iter().enumerate().all(|(offset, word)| self.is_any(index + offset, &[*word]))
    }

    /// Whether a new thought begins at that token: at the beginning, on a new line, or behind a mark.
    pub(super) fn begins_segment(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return true };
        let Some(before) = index.checked_sub(1).and_then(|index| self.tokens.get(index)) else { return true };
        token.begins_line
            || before.taken
            || before.is_dash() && !before.joined
            || before.kind == Kind::Mark && [",", ";", ".", ":", "(", "!", "?", "·", "•"].contains(&before.text)
    }

    /// Whether a thought has ended before that token.
    pub(super) fn ends_segment(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return true };
        token.begins_line
            || token.taken
            || token.is_dash() && !token.joined
            || token.kind == Kind::Mark && [",", ";", ".", ")", "!", "?", "·", "•"].contains(&token.text)
    }

    /// The text of a range as it was written.
    pub(super) fn text(&self, range: &Range<usize>) -> &'a str {
        match (self.tokens.get(range.start), self.tokens.get(range.end.saturating_sub(1))) {
            (Some(first), Some(last)) if range.start < range.end => &self.message[first.at.start..last.at.end],
            _ => "",
        }
    }

    /// The texts of ranges.
    pub(super) fn quote(&self, ranges: &[Range<usize>]) -> String {
        let texts: Vec<&str> = ranges.iter().map(|range| self.text(range)).filter(|text| !text.is_empty()).collect();
        texts.join(" … ")
    }

    /// Takes ranges: nothing else will.
    pub(super) fn take<T>(&mut self, value: T, ranges: &[Range<usize>]) -> Found<T> {
        let took = self.quote(ranges);
        for range in ranges {
            for token in &mut self.tokens[range.clone()] {
                token.taken = true;
            }
        }
        Found { value, took }
    }

    /// Extends a range to labels that stand before it.
    pub(super) fn with_label(&self, range: Range<usize>, labels: &[&str]) -> Range<usize> {
        let mut start = range.start;
        let is_joint = |token: &Token<'_>| {
            token.is(":") || token.is(".") || token.is("(") || token.is("=") || token.is("№") || token.is_dash()
        };
        loop {
            let mut at = start;
            while at > 0 && self.before(at).is_some_and(is_joint) {
                at -= 1;
            }
            if at == 0 || !self.is_any(at - 1, labels) {
                return start..range.end;
            }
            start = at - 1;
        }
    }

    /// What nothing has taken, as it was written.
    pub(super) fn rest(&self, vocabulary: &Vocabulary) -> String {
        let halves = self.half_brackets();
        let is_gone = |index: usize| self.tokens[index].taken || halves.contains(&index);
        let mut rest = String::new();
        let mut index = 0;
        while index < self.tokens.len() {
            if is_gone(index) {
                index += 1;
                continue;
            }
            let start = index;
            while index < self.tokens.len() && !is_gone(index) {
                index += 1;
            }
            let text = self.kept(start..index, vocabulary);
            if text.is_empty() {
                continue;
            }
            if !rest.is_empty() {
                let lines = self.tokens[start].begins_line;
                rest.push_str(if lines { "\n" } else { ", " });
            }
            rest.push_str(text);
        }
        rest
    }

    /// The brackets out of which something was taken: what is left does not stand in them any more.
    fn half_brackets(&self) -> Vec<usize> {
        let (mut opened, mut halves) = (Vec::new(), Vec::new());
        for (index, token) in self.tokens.iter().enumerate() {
            if token.is("(") {
                opened.push(index);
            } else if token.is(")")
                && let Some(start) = opened.pop()
                && self.tokens[start..=index].iter().any(|token| token.taken)
            {
                halves.extend([start, index]);
            }
        }
        halves
    }

    /// Which tokens of a run greet.
    fn greetings(&self, run: Range<usize>, vocabulary: &Vocabulary) -> Vec<usize> {
        let greeting = |index: usize| vocabulary.greetings.iter().find(|phrase| self.is_phrase(index, phrase));
        run.filter_map(|index| greeting(index).map(|phrase| index..index + phrase.len())).flatten().collect()
    }

    /// A run of tokens without the joints at its ends, and nothing if it says nothing.
    fn kept(&self, run: Range<usize>, vocabulary: &Vocabulary) -> &'a str {
        let dangles = |token: &Token<'_>| {
            token.kind == Kind::Mark
                && !["!", "?", "»", "«", "\"", "<", ">", "&"].contains(&token.text)
                && token.text.chars().all(|c| c.is_ascii_punctuation() || "–—‑·•№".contains(c))
        };
        let (mut start, mut end) = (run.start, run.end);
        while start < end && dangles(&self.tokens[start]) {
            start += 1;
        }
        while end > start && dangles(&self.tokens[end - 1]) && !self.tokens[end - 1].is(")") {
            end -= 1;
        }
        // «течёт на», of which the street was taken.
        if end > start
            && self.tokens.get(run.end).is_some_and(|next| next.taken && !next.begins_line)
            && end == run.end
            && self.tokens[end - 1].is_word()
            && vocabulary.prepositions.contains(&self.tokens[end - 1].plain.as_str())
        {
            end -= 1;
        }
        // A bracket that has lost its other half.
        let opened = (start..end).filter(|index| self.tokens[*index].is("(")).count();
        if end > start && self.tokens[end - 1].is(")") && opened == 0 {
            end -= 1;
        }
        let says_nothing = |token: &Token<'_>| {
            token.kind == Kind::Mark && token.text.chars().all(|c| c.is_ascii_punctuation() || "–—‑·•№«»".contains(c))
                || token.is_word()
                    && [vocabulary.fillers, vocabulary.phone_labels, vocabulary.name_labels, vocabulary.address_labels]
                        .iter()
                        .any(|words| words.contains(&token.plain.as_str()))
        };
        let greets = self.greetings(start..end, vocabulary);
        let silent = (start..end).all(|index| greets.contains(&index) || says_nothing(&self.tokens[index]));
        if silent { "" } else { self.text(&(start..end)) }
    }
}
