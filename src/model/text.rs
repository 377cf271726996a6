//! Text, measured as Telegram measures it.

/// At most `limit` characters as Telegram counts them (UTF-16 code units), the last one an ellipsis if something was
/// cut.
#[must_use]
pub fn cut(text: &str, limit: usize) -> String {
    let mut units = 0;
    let mut fits = 0;
    for (index, character) in text.char_indices() {
        units += character.len_utf16();
        if units > limit {
            return format!("{}…", &text[..fits]);
        }
        if units < limit {
            fits = index + character.len_utf8();
        }
    }
    text.to_owned()
}

/// Words without the marks that come along when they are copied, around a phone from a contact's card, say, and that nobody
/// sees: directions, spaces without a width, soft hyphens. What joins emojis stays.
#[must_use]
pub fn visible(text: &str) -> String {
    let is_invisible = |c: &char| {
        matches!(c, '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}'
            // Letters that are drawn as nothing.
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{2800}')
    };
    text.chars().filter(|c| !is_invisible(c)).collect()
}

/// Words on one line, as a field of a form and an entry in a list show them: lines become a list.
#[must_use]
pub fn one_line(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim().trim_end_matches(','));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{cut, one_line, visible};

    #[test]
    fn lines_become_a_list() {
        assert_eq!(one_line(" ул. Мира, 4 \n\nкв. 12,\r\nкод 7 "), "ул. Мира, 4, кв. 12, код 7");
        assert_eq!(one_line("ул. Мира, 4"), "ул. Мира, 4");
    }

    #[test]
    fn what_nobody_sees_is_no_word() {
        assert_eq!(visible("\u{3164}\u{115f}\u{200b}ул.\u{ad} Мира"), "ул. Мира");
        assert_eq!(visible("👨\u{200d}🔧"), "👨\u{200d}🔧", "an emoji stays whole");
    }

    #[test]
    fn what_is_too_long_is_cut_to_the_limit() {
        assert_eq!(cut("заявка", 6), "заявка");
        assert_eq!(cut("заявка", 5), "заяв…");
        assert_eq!(cut("🔧🔧🔧", 6), "🔧🔧🔧");
        assert_eq!(cut("🔧🔧🔧", 5), "🔧🔧…");
        assert_eq!(cut("🔧🔧🔧", 4), "🔧…");
        assert_eq!(cut("", 1), "");
    }
}
