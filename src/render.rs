//! Screens: pure functions from what is known to text and buttons.
//!
//! Everything that people typed is escaped here and cut to a length, so that no screen exceeds Telegram's 4096
//! characters and no `<` loses a message.

pub mod keyboards;
pub mod texts;

use frankenstein::types::InlineKeyboardMarkup;

use crate::dispatch::order::{OrderCard, OwnOrder};
use crate::dispatch::{OfferList, OrderId};

/// A message: HTML text, and the buttons under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// In Telegram's HTML subset.
    pub text: String,
    /// Rows of buttons.
    pub keyboard: InlineKeyboardMarkup,
}

/// The menu of a master.
#[must_use]
pub fn menu(name: &str) -> Screen {
    Screen { text: texts::menu(name), keyboard: keyboards::menu() }
}

/// «Новые заявки».
#[must_use]
pub fn offer_list(list: &OfferList) -> Screen {
    Screen { text: texts::offer_list(list), keyboard: keyboards::offer_list(list, None) }
}

/// The master's own order above what is left of the list, if that could be read: after taking it, and when it was
/// theirs already.
#[must_use]
pub fn own_order(own: &OwnOrder, list: Option<&OfferList>) -> Screen {
    match list {
        Some(list) => Screen {
            text: format!("{}\n\n{}", texts::own_order(own), texts::offer_list(list)),
            keyboard: keyboards::offer_list(list, Some(own.card.id)),
        },
        None => Screen { text: texts::own_order(own), keyboard: keyboards::menu() },
    }
}

/// An offered order's card.
#[must_use]
pub fn offer_card(card: &OrderCard, expires: jiff::civil::DateTime, page: i64) -> Screen {
    Screen { text: texts::offer_card(card, expires), keyboard: keyboards::offer_card(card.id, page) }
}

/// «Точно отклонить?»
#[must_use]
pub fn confirm_decline(order: OrderId, page: i64) -> Screen {
    Screen { text: texts::confirm_decline(order), keyboard: keyboards::confirm_decline(order, page) }
}

/// A text without buttons.
#[must_use]
pub fn plain(text: String) -> Screen {
    Screen { text, keyboard: keyboards::none() }
}

/// At most `limit` characters as Telegram counts them (UTF-16 code units), the last one an ellipsis if something was
/// cut.
pub(crate) fn cut(text: &str, limit: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::cut;

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
