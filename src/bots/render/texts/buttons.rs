//! What stands on buttons.

use super::words::{BUTTON_LIMIT, category};
use crate::model::text::cut;
use crate::model::{OrderCard, OrderId};

/// Opens the list.
pub const BUTTON_NEW: &str = "📋 Новые заявки";
/// Reads the list afresh.
pub const BUTTON_REFRESH: &str = "🔄 Обновить";
/// Back to the menu.
pub const BUTTON_MENU: &str = "🏠 Меню";
/// Takes the order.
pub const BUTTON_ACCEPT: &str = "✅ Взять заявку";
/// Asks whether to decline.
pub const BUTTON_DECLINE: &str = "❌ Отклонить";
/// Declines.
pub const BUTTON_DECLINE_YES: &str = "❌ Да, отклонить";
/// Does not decline.
pub const BUTTON_DECLINE_NO: &str = "◀ Нет, вернуться";
/// Leaves the card.
pub const BUTTON_BACK_TO_LIST: &str = "◀ К списку";
/// Opens the list of own orders.
pub const BUTTON_ACTIVE: &str = "📦 Мои заявки";
/// Back to the list of own orders.
pub const BUTTON_BACK_TO_ACTIVE: &str = "◀ Мои заявки";
/// New offers, please.
pub const BUTTON_COME_ON_SHIFT: &str = "🟢 Выйти на смену";
/// No more new offers.
pub const BUTTON_LEAVE_SHIFT: &str = "⚪ Уйти со смены";
/// On the way to the client.
pub const BUTTON_EN_ROUTE: &str = "🚗 В пути";
/// At the client's.
pub const BUTTON_ON_SITE: &str = "🛠 На месте";
/// Asks whether it is done.
pub const BUTTON_DONE: &str = "🧾 Завершить";
/// It is done.
pub const BUTTON_DONE_YES: &str = "🧾 Да, закончена";
/// Not yet.
pub const BUTTON_DONE_NO: &str = "◀ Ещё нет";
/// Asks for the amount again.
pub const BUTTON_AMOUNT: &str = "🧾 Указать сумму";
/// Closes a free visit.
pub const BUTTON_FREE: &str = "🛡 Бесплатно: 0 ₽";
/// Back to work.
pub const BUTTON_NOT_DONE: &str = "🔧 Работа ещё не закончена";
/// Asks why the order is given back.
pub const BUTTON_RETURN: &str = "↩️ Вернуть заявку";
/// Does not give it back.
pub const BUTTON_KEEP: &str = "◀ Не возвращать";
/// Gives it back for the reason that was written.
pub const BUTTON_RETURN_YES: &str = "↩️ Да, вернуть";
/// Asks for the reason again.
pub const BUTTON_ANOTHER_REASON: &str = "✏️ Изменить причину";
/// Closes the order with the sum that was written.
pub const BUTTON_CLOSE_YES: &str = "✅ Да, закрыть";
/// Corrects the sum to the one that was written.
pub const BUTTON_CORRECT_YES: &str = "✅ Да, исправить";
/// Asks for the sum again.
pub const BUTTON_ANOTHER_AMOUNT: &str = "✏️ Изменить сумму";
/// Asks for the right sum of a closed order.
pub const BUTTON_CORRECT: &str = "✏️ Исправить сумму";
/// Copies the client's phone.
pub const BUTTON_COPY_PHONE: &str = "📞 Телефон";
/// Copies the address.
pub const BUTTON_COPY_ADDRESS: &str = "📍 Адрес";

/// The menu's button, with how many there are.
pub(in crate::bots::render) fn button_active(count: i64) -> String {
    if count > 0 { format!("{BUTTON_ACTIVE} ({count})") } else { BUTTON_ACTIVE.to_owned() }
}

/// An order's button in a list.
pub(in crate::bots::render) fn button_order(card: &OrderCard) -> String {
    cut(&format!("№{} · {} · {}", card.id, category(card.category), card.address), BUTTON_LIMIT)
}

/// Back from a question to the order that it is about.
pub(in crate::bots::render) fn button_to_order(order: OrderId) -> String {
    format!("◀ К заявке №{order}")
}

/// The own order's button beside the list.
pub(in crate::bots::render) fn button_own(order: OrderId) -> String {
    format!("✅ Ваша заявка №{order}")
}
