//! What dispatchers read, a file for each area.

pub mod calls;
pub mod card;
pub mod figures;
pub mod master;
pub mod new_order;
pub mod order;
pub mod page;
pub mod policy;
pub mod queue;
pub mod search;

use jiff::civil::{Date, DateTime};

use super::words::{NAME_LIMIT, clock, day, typed};
use crate::model::{Phone, Role, StaffProfile, TelegramUserId};

/// Opens the queue.
pub const BUTTON_QUEUE: &str = "📋 Очередь";
/// Takes a new order in.
pub const BUTTON_NEW_ORDER: &str = "➕ Новая заявка";
/// Goes on with the new order that was begun.
pub const BUTTON_DRAFT: &str = "📝 Черновик заявки";
/// Opens the list of masters.
pub const BUTTON_MASTERS: &str = "👷 Мастера";
/// Opens the figures.
pub const BUTTON_FIGURES: &str = "📊 Цифры";
/// Back to the menu.
pub const BUTTON_MENU: &str = "🏠 Меню";

/// To a button that this release does not know.
pub const UNKNOWN_BUTTON: &str = "Эта кнопка устарела. Показываю меню.";
/// When something broke that trying again will not mend.
pub const BROKEN: &str = "Не получилось: у нас ошибка. Она записана в журнал, передайте администратору время.";
/// To an edit of a message.
pub const EDITED: &str =
    "Исправленное сообщение я заново не читаю. Исправьте кнопками или пришлите его ещё раз новым сообщением.";
/// To a picture, or somebody else's message, where words are asked for.
pub const ONLY_OWN_WORDS: &str = "Нужен ответ своими словами, обычным сообщением.";

/// To anyone who is nobody of the staff.
#[must_use]
pub fn stranger(user: TelegramUserId) -> String {
    format!(
        "Это бот диспетчеров, и вас в нём пока нет. Ваш Telegram ID: {user}. Попросите администратора прислать вам приглашение."
    )
}

/// What there is to say, as it stands above a screen.
pub(in crate::bots::render) fn note(text: &str) -> String {
    typed(text, usize::MAX)
}

/// A phone as people of its country write it; anything else as it was typed, of so many characters at most.
fn telephone(phone: &str, limit: usize) -> String {
    typed(&Phone::stored(phone.to_owned()).shown(), limit)
}

/// A day as a button.
pub(in crate::bots::render) fn button_day(date: Date, today: Date) -> String {
    let named = day(date, today);
    let mut letters = named.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The hours of a visit as a button.
pub(in crate::bots::render) fn button_window(from: DateTime, to: DateTime) -> String {
    format!("{}–{}", clock(from.time()), clock(to.time()))
}

/// The menu.
pub(in crate::bots::render) fn menu(profile: &StaffProfile) -> String {
    let role = match profile.role {
        Role::Admin => "Вы — администратор.",
        Role::Dispatcher => "Вы — диспетчер.",
        Role::Viewer => "У вас только просмотр.",
    };
    format!("Здравствуйте, <b>{}</b>!\n{role}", typed(&profile.full_name, NAME_LIMIT))
}

/// To words that are no order and no answer.
pub(in crate::bots::render) fn not_understood(role: Role) -> &'static str {
    match role {
        Role::Admin | Role::Dispatcher => {
            "Не понял. Пришлите новую заявку одним сообщением (адрес, телефон, что случилось, когда) или нажмите кнопку."
        }
        Role::Viewer => "Не понял. Нажмите кнопку или пришлите номер заявки.",
    }
}
