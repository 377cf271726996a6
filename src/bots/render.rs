//! Screens: pure functions from what is known to text and buttons.
//!
//! Everything that people typed is escaped here and cut to a length, so that no screen exceeds Telegram's 4096
//! characters and no `<` loses a message.

pub mod keyboards;
pub mod texts;

use frankenstein::types::InlineKeyboardMarkup;

use crate::dispatch::close::CloseOutcome;
use crate::dispatch::give_back::GiveBackOutcome;
use crate::model::dialog::{Profile, Question};
use crate::model::notification::Notification;
use crate::model::order::{ActiveList, OrderCard, OrderStatus, OwnOrder};
use crate::model::{OfferList, OrderId};

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
pub fn menu(profile: &Profile) -> Screen {
    Screen { text: texts::menu(profile), keyboard: keyboards::menu(profile) }
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
        None => Screen { text: texts::own_order(own), keyboard: keyboards::to_own_order(own.card.id) },
    }
}

/// «Мои заявки».
#[must_use]
pub fn active_list(list: &ActiveList) -> Screen {
    Screen { text: texts::active_list(list), keyboard: keyboards::active_list(list) }
}

/// An own order's card, with what comes next.
#[must_use]
pub fn active_card(own: &OwnOrder, status: OrderStatus) -> Screen {
    Screen { text: texts::active_card(own, status), keyboard: keyboards::active_card(own.card.id, status) }
}

/// «Работа закончена?»
#[must_use]
pub fn confirm_done(order: OrderId) -> Screen {
    Screen { text: texts::confirm_done(order), keyboard: keyboards::confirm_done(order) }
}

/// «Сколько заплатил клиент?», «Почему возвращаете?»
#[must_use]
pub fn question(question: Question, order: OrderId) -> Screen {
    match question {
        Question::Amount => Screen { text: texts::ask_amount(order), keyboard: keyboards::ask_amount(order) },
        Question::ReturnReason => {
            Screen { text: texts::ask_return_reason(order), keyboard: keyboards::ask_return_reason(order) }
        }
    }
}

/// That what somebody wrote is not a sum of money.
#[must_use]
pub fn not_an_amount(order: OrderId, written: &str) -> Screen {
    Screen { text: texts::not_an_amount(order, written), keyboard: keyboards::ask_amount(order) }
}

/// What came of a sum of money.
#[must_use]
pub fn closed(order: OrderId, outcome: CloseOutcome) -> Screen {
    Screen { text: texts::closed(order, outcome), keyboard: keyboards::to_lists() }
}

/// What came of giving an order back.
#[must_use]
pub fn given_back(order: OrderId, outcome: GiveBackOutcome) -> Screen {
    Screen { text: texts::given_back(order, outcome), keyboard: keyboards::to_lists() }
}

/// A message that nobody has asked for.
#[must_use]
pub fn notification(notification: &Notification) -> Screen {
    Screen { text: texts::notification(notification), keyboard: keyboards::notification(notification) }
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
