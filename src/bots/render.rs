//! Screens: pure functions from what is known to text and buttons.
//!
//! Everything that people typed is escaped here and cut to a length, so that no screen exceeds Telegram's 4096
//! characters and no `<` loses a message.

mod buttons;
pub mod keyboards;
pub mod onboarding;
pub mod staff;
pub mod texts;

use frankenstein::types::InlineKeyboardMarkup;

use crate::dispatch::close::CloseOutcome;
use crate::dispatch::correct::CorrectOutcome;
use crate::dispatch::give_back::GiveBackOutcome;
use crate::dispatch::why::WhyOutcome;
use crate::model::dialog::{Dialog, Profile, Question, Written};
use crate::model::facts::SumOf;
use crate::model::notification::Notification;
use crate::model::order::{ActiveList, OrderCard, OrderStatus, OwnOrder, Stage};
use crate::model::{Amount, Deadline, OfferList, OrderId};

/// A message: HTML text, and the buttons under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// In Telegram's HTML subset.
    pub text: String,
    /// Rows of buttons.
    pub keyboard: InlineKeyboardMarkup,
}

impl Screen {
    /// The same with a button below that explains why an order went to somebody else.
    #[must_use]
    pub fn explaining(mut self, order: OrderId) -> Self {
        self.keyboard.inline_keyboard.push(keyboards::why(order));
        self
    }

    /// The same below a note, which is plain text.
    #[must_use]
    pub fn with_note(self, note: &str) -> Self {
        Self { text: format!("{}\n\n{}", texts::staff::note(note), self.text), ..self }
    }
}

/// That words answered nothing, above the menu.
#[must_use]
pub fn not_understood(profile: &Profile) -> Screen {
    Screen { text: texts::NOT_UNDERSTOOD.to_owned(), keyboard: keyboards::menu(profile) }
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
            keyboard: keyboards::offer_list(list, Some(own)),
        },
        None => Screen { text: texts::own_order(own), keyboard: keyboards::to_own_order(own) },
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
    Screen { text: texts::active_card(own, status), keyboard: keyboards::active_card(own, status) }
}

/// An own order's card after a step: what comes next is not where the button was that was tapped.
#[must_use]
pub fn card_after_step(own: &OwnOrder, status: OrderStatus) -> Screen {
    Screen { text: texts::active_card(own, status), keyboard: keyboards::card_after_step(own, status) }
}

/// «Работа закончена?»
#[must_use]
pub fn confirm_done(order: OrderId) -> Screen {
    Screen { text: texts::confirm_done(order), keyboard: keyboards::confirm_done(order) }
}

/// «Сколько заплатил клиент?», «Почему возвращаете?» `sum`: what of.
#[must_use]
pub fn question(question: Question, order: OrderId, sum: SumOf) -> Screen {
    match question {
        Question::Amount => Screen { text: texts::ask_sum(order, sum), keyboard: keyboards::ask_sum(order, sum) },
        Question::ReturnReason => {
            Screen { text: texts::ask_return_reason(order), keyboard: keyboards::ask_return_reason(order) }
        }
    }
}

/// That what somebody else wrote does not answer a question.
#[must_use]
pub fn forwarded(question: Question, order: OrderId, sum: SumOf) -> Screen {
    let Screen { text, keyboard } = self::question(question, order, sum);
    Screen { text: format!("{}\n\n{text}", texts::FORWARDED), keyboard }
}

/// That what somebody wrote is not a sum of money.
#[must_use]
pub fn not_an_amount(order: OrderId, written: &str, sum: SumOf) -> Screen {
    Screen { text: texts::not_an_amount(order, written), keyboard: keyboards::ask_sum(order, sum) }
}

/// «Закрыть заявку за 2 500 ₽?», «Вернуть заявку?»: asks to confirm what was answered; the question again if nothing that can
/// be confirmed was. `was`: the sum, if it is to be corrected.
#[must_use]
pub fn confirm_answer(dialog: &Dialog, sum: SumOf, was: Option<Amount>) -> Screen {
    let Dialog { question, order, written, .. } = dialog;
    let amount = |written: &Written| {
        Amount::parse(texts::without_currency(&written.text)).filter(|_| *question == Question::Amount)
    };
    match written {
        None => self::question(*question, *order, sum),
        Some(written) => match amount(written) {
            Some(amount) if sum == SumOf::Correction => Screen {
                text: texts::confirm_correction(*order, amount, was),
                keyboard: keyboards::confirm_correction(*order, amount),
            },
            Some(amount) => Screen {
                text: texts::confirm_amount(*order, amount, sum),
                keyboard: keyboards::confirm_amount(*order, amount),
            },
            None if *question == Question::Amount => self::question(*question, *order, sum),
            None => Screen {
                text: texts::confirm_return(*order, &written.text),
                keyboard: keyboards::confirm_return(*order, written.message),
            },
        },
    }
}

/// What came of a sum of money.
#[must_use]
pub fn closed(order: OrderId, outcome: CloseOutcome, correctable: bool) -> Screen {
    let over = matches!(outcome, CloseOutcome::Closed(_) | CloseOutcome::AlreadyClosed(_));
    let correct = (over && correctable).then_some(order);
    Screen { text: texts::closed(order, outcome, correct.is_some()), keyboard: keyboards::to_lists(correct) }
}

/// That an order is closed, and with what sum.
#[must_use]
pub fn already_closed(order: OrderId, amount: Option<Amount>, correctable: bool) -> Screen {
    closed(order, CloseOutcome::AlreadyClosed(amount), correctable)
}

/// What came of correcting a sum.
#[must_use]
pub fn corrected(order: OrderId, outcome: CorrectOutcome, correctable: bool) -> Screen {
    let correct = correctable.then_some(order);
    Screen { text: texts::corrected(order, outcome), keyboard: keyboards::to_lists(correct) }
}

/// That the reason has been corrected.
#[must_use]
pub fn reason_corrected(order: OrderId) -> Screen {
    Screen { text: texts::reason_corrected(order), keyboard: keyboards::to_lists(None) }
}

/// That an order is not the reader's, to words about it.
#[must_use]
pub fn not_yours(order: OrderId) -> Screen {
    Screen { text: texts::not_yours(order), keyboard: keyboards::to_lists(None) }
}

/// What came of giving an order back.
#[must_use]
pub fn given_back(order: OrderId, outcome: GiveBackOutcome) -> Screen {
    Screen { text: texts::given_back(order, outcome), keyboard: keyboards::to_lists(None) }
}

/// A message that nobody has asked for, or a screen that could not be shown at once.
#[must_use]
pub fn notification(notification: &Notification) -> Screen {
    match notification {
        Notification::List(list) => return offer_list(list),
        Notification::OwnOrder(own) => return own_order(own, None),
        Notification::Menu(profile, did) => {
            let Screen { text, keyboard } = menu(profile);
            return Screen { text: texts::staff_did(*did, text), keyboard };
        }
        Notification::Active(list) => return active_list(list),
        Notification::Card { order, status } => return active_card(order, *status),
        Notification::Closed { order, amount, correctable, by_staff: true } => {
            let text = texts::closed_by_staff(*order, *amount, *correctable);
            return Screen { text, keyboard: keyboards::to_lists(correctable.then_some(*order)) };
        }
        Notification::Closed { order, amount, correctable, .. } => {
            return already_closed(*order, *amount, *correctable);
        }
        Notification::NotYours(order) => return not_yours(*order),
        Notification::OfferCard { card, offer } => return offer_card(card, offer.expires, 1),
        Notification::Call(call) => return staff::call::call(call),
        Notification::Together(calls) => return staff::call::together(calls),
        Notification::Question { dialog, sum, amount } => return confirm_answer(dialog, *sum, *amount),
        _ => {}
    }
    Screen { text: texts::notification(notification), keyboard: keyboards::notification(notification) }
}

/// An offered order's card.
#[must_use]
pub fn offer_card(card: &OrderCard, expires: Deadline, page: i64) -> Screen {
    Screen { text: texts::offer_card(card, expires), keyboard: keyboards::offer_card(card.id, page) }
}

/// «Точно отклонить?»
#[must_use]
pub fn confirm_decline(order: OrderId, page: i64) -> Screen {
    Screen { text: texts::confirm_decline(order), keyboard: keyboards::confirm_decline(order, page) }
}

/// «Почему не мне»: what the waves of an order were to a master.
#[must_use]
pub fn why_not_me(outcome: &WhyOutcome) -> Screen {
    let keyboard = match outcome {
        WhyOutcome::Offered(order) => keyboards::to_offered(*order),
        WhyOutcome::Yours(order, status) if status.stage() == Stage::Active => keyboards::to_active(*order),
        _ => keyboards::to_lists(None),
    };
    Screen { text: texts::why::why_not_me(outcome), keyboard }
}

/// Asks for the number of an order to be explained.
#[must_use]
pub fn ask_why() -> Screen {
    Screen { text: texts::why::ASK_NUMBER.to_owned(), keyboard: keyboards::to_lists(None) }
}

/// A text without buttons.
#[must_use]
pub fn plain(text: String) -> Screen {
    Screen { text, keyboard: keyboards::none() }
}
