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

/// The master's own order above what is left of the list: after taking it, and when it was theirs already.
#[must_use]
pub fn own_order_and_list(own: &OwnOrder, list: &OfferList) -> Screen {
    Screen {
        text: format!("{}\n\n{}", texts::own_order(own), texts::offer_list(list)),
        keyboard: keyboards::offer_list(list, Some(own.card.id)),
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
