//! Every Russian word that people read, and how dates are said.
//!
//! What people typed goes through `typed`; an alert is plain text, so nothing is escaped there.

use jiff::civil::{Date, DateTime, Time};

use super::cut;
use crate::dispatch::accept::AcceptOutcome;
use crate::dispatch::decline::DeclineOutcome;
use crate::dispatch::facts::Blocked;
use crate::dispatch::order::{Category, OrderCard, OwnOrder, TimeSlot};
use crate::dispatch::view::ViewOutcome;
use crate::dispatch::{OfferLine, OfferList, OrderId, TelegramUserId};

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

const TITLE: &str = "📋 <b>Новые заявки</b>";
const TAKEN: &str = "Уже занято";
const WITHDRAWN: &str = "Заявка снята: её отменили, закрыли или больше вам не предлагают.";
const EXPIRED: &str = "Время истекло: на эту заявку уже нельзя ответить.";
const DECLINED: &str = "Вы отклонили эту заявку.";
const NOT_FOUND: &str = "Заявка не найдена среди предложенных вам.";
const YOURS: &str = "Эта заявка уже ваша.";
const BUSY: &str = "С заявкой сейчас работает кто-то ещё. Нажмите ещё раз через пару секунд.";

/// Names, categories and addresses on a button or in a list.
const LINE_LIMIT: usize = 120;
/// A client's name or phone, a district.
const NAME_LIMIT: usize = 100;
/// An address on a card.
const ADDRESS_LIMIT: usize = 300;
/// A description on a card.
const DESCRIPTION_LIMIT: usize = 2000;
/// The text of a button.
const BUTTON_LIMIT: usize = 60;

/// What people typed, cut to `limit` characters and escaped for Telegram's HTML.
fn typed(text: &str, limit: usize) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in cut(text.trim(), limit).chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// The menu.
pub(super) fn menu(name: &str) -> String {
    format!(
        "Здравствуйте, <b>{}</b>!\n\nЗдесь появляются заявки. Кто первым нажмёт «{BUTTON_ACCEPT}», \
             тот её и получит.",
        typed(name, NAME_LIMIT)
    )
}

/// The list's title, total and page, and a paragraph for each offer.
pub(super) fn offer_list(list: &OfferList) -> String {
    if list.lines.is_empty() {
        return format!("{TITLE}\n\nСейчас новых заявок нет. Загляните позже или нажмите «{BUTTON_REFRESH}».");
    }
    let head = format!("{TITLE}\nВсего: {} · страница {} из {}", list.total, list.page, list.pages());
    std::iter::once(head).chain(list.lines.iter().map(offer_line)).collect::<Vec<_>>().join("\n\n")
}

fn offer_line(line: &OfferLine) -> String {
    let card = &line.card;
    format!(
        "<b>№{}</b> · {}\n📍 {}\n🕒 {}\n⏳ ответить до {}",
        card.id,
        category(card.category),
        typed(&place(card), LINE_LIMIT),
        slot(&card.slot),
        deadline(line.expires, card.slot.now),
    )
}

/// The card of an offered order: no client.
pub(super) fn offer_card(card: &OrderCard, expires: DateTime) -> String {
    format!("<b>Заявка №{}</b>\n{}\n\n⏳ Ответить до {}", card.id, body(card), deadline(expires, card.slot.now))
}

/// The master's own order: with the client.
pub(super) fn own_order(own: &OwnOrder) -> String {
    format!(
        "✅ <b>Ваша заявка №{}</b>\n👤 {}\n📞 {}\n{}",
        own.card.id,
        typed(&own.client.name, NAME_LIMIT),
        typed(&own.client.phone, NAME_LIMIT),
        body(&own.card)
    )
}

fn body(card: &OrderCard) -> String {
    let what = format!("🛠 {}", category(card.category));
    let place = format!("📍 {}", typed(&place(card), ADDRESS_LIMIT));
    let when = match card.slot.start.or(card.slot.end) {
        Some(_) => format!("🕒 {} <i>(время: {})</i>", slot(&card.slot), typed(&card.city, NAME_LIMIT)),
        None => format!("🕒 {}", slot(&card.slot)),
    };
    let described = card.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let description = described.map(|text| format!("\n📝 {}", typed(text, DESCRIPTION_LIMIT)));
    [what, place, when].into_iter().chain(description).collect::<Vec<_>>().join("\n")
}

/// City, district, address.
fn place(card: &OrderCard) -> String {
    match &card.district {
        Some(district) => format!("{}, {}, {}", card.city, district, card.address),
        None => format!("{}, {}", card.city, card.address),
    }
}

/// The question before declining.
pub(super) fn confirm_decline(order: OrderId) -> String {
    format!("Отклонить заявку <b>№{order}</b>?\n\nВзять её после этого уже не получится.")
}

/// An offer's button in the list.
pub(super) fn button_offer(card: &OrderCard) -> String {
    cut(&format!("№{} · {} · {}", card.id, category(card.category), card.address), BUTTON_LIMIT)
}

/// The own order's button above the list.
pub(super) fn button_own(order: OrderId) -> String {
    format!("✅ Ваша заявка №{order}")
}

/// The answer to «✅ Взять заявку».
#[must_use]
pub fn accept(outcome: &AcceptOutcome) -> String {
    match outcome {
        AcceptOutcome::Assigned(_) => "✅ Заявка принята. Удачи в работе!".to_owned(),
        AcceptOutcome::NotFound => NOT_FOUND.to_owned(),
        AcceptOutcome::AlreadyYours(_) => YOURS.to_owned(),
        AcceptOutcome::Blocked(blocked) => self::blocked(blocked),
        AcceptOutcome::Withdrawn => WITHDRAWN.to_owned(),
        AcceptOutcome::Taken => TAKEN.to_owned(),
        AcceptOutcome::Declined => DECLINED.to_owned(),
        AcceptOutcome::Expired => EXPIRED.to_owned(),
        AcceptOutcome::LimitReached { limit } => {
            format!("Достигнут лимит активных заявок ({limit}). Завершите одну из них и попробуйте снова.")
        }
        AcceptOutcome::Busy => BUSY.to_owned(),
    }
}

fn blocked(blocked: &Blocked) -> String {
    match blocked.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("Вы заблокированы: {reason}"),
        None => "Вы заблокированы. Обратитесь к диспетчеру.".to_owned(),
    }
}

/// The answer to «❌ Да, отклонить».
#[must_use]
pub fn decline(outcome: &DeclineOutcome) -> &'static str {
    match outcome {
        DeclineOutcome::Declined => "Заявка отклонена.",
        DeclineOutcome::NotFound => NOT_FOUND,
        DeclineOutcome::AlreadyYours(_) => YOURS,
        DeclineOutcome::Withdrawn => WITHDRAWN,
        DeclineOutcome::Taken => TAKEN,
        DeclineOutcome::AlreadyDeclined => DECLINED,
        DeclineOutcome::Expired => EXPIRED,
        DeclineOutcome::Busy => BUSY,
    }
}

/// Why a card is not shown; `None` when it is.
#[must_use]
pub fn view(outcome: &ViewOutcome) -> Option<&'static str> {
    match outcome {
        ViewOutcome::Offered { .. } | ViewOutcome::Yours(_) => None,
        ViewOutcome::NotFound => Some(NOT_FOUND),
        ViewOutcome::Withdrawn => Some(WITHDRAWN),
        ViewOutcome::Taken => Some(TAKEN),
        ViewOutcome::Declined => Some(DECLINED),
        ViewOutcome::Expired => Some(EXPIRED),
    }
}

/// To somebody who is not a master.
#[must_use]
pub fn stranger(user: TelegramUserId) -> String {
    format!("Вас пока нет в списке мастеров. Ваш Telegram ID: {user}. Сообщите его диспетчеру, и он вас добавит.")
}

/// To a button that this release does not know.
pub const UNKNOWN_BUTTON: &str = "Эта кнопка устарела. Показываю свежий список.";

/// To a button whose function is still to come.
pub const NOT_YET: &str = "Этот раздел скоро появится.";

/// To anyone in the dispatchers' bot.
pub const ADMIN_NOT_YET: &str = "Бот диспетчера скоро заработает.";

/// When something broke that trying again will not mend.
pub const BROKEN: &str = "Не получилось: у нас ошибка, мы уже о ней знаем. Обратитесь к диспетчеру.";

fn category(category: Category) -> &'static str {
    match category {
        Category::Electrics => "Электрика",
        Category::Plumbing => "Сантехника",
        Category::Appliances => "Бытовая техника",
        Category::Windows => "Окна",
        Category::Handyman => "Мелкий ремонт",
        Category::Roadside => "Помощь на дороге",
    }
}

/// «сегодня 14:00–16:00».
fn slot(slot: &TimeSlot) -> String {
    match (slot.start, slot.end) {
        (Some(start), Some(end)) if start.date() == end.date() => {
            format!("{}–{}", moment(start, slot.now), clock(end.time()))
        }
        (Some(start), Some(end)) => format!("{} – {}", moment(start, slot.now), moment(end, slot.now)),
        (Some(start), None) => format!("{} с {}", day(start.date(), slot.now.date()), clock(start.time())),
        (None, Some(end)) => format!("{} до {}", day(end.date(), slot.now.date()), clock(end.time())),
        (None, None) => "по договорённости".to_owned(),
    }
}

/// «14:00» today, «завтра 14:00» otherwise.
fn deadline(at: DateTime, now: DateTime) -> String {
    if at.date() == now.date() { clock(at.time()) } else { moment(at, now) }
}

/// «сегодня 14:00», «завтра 14:00», «пт 27.11 14:00».
fn moment(at: DateTime, now: DateTime) -> String {
    format!("{} {}", day(at.date(), now.date()), clock(at.time()))
}

fn day(date: Date, today: Date) -> String {
    if date == today {
        return "сегодня".to_owned();
    }
    if today.tomorrow().is_ok_and(|tomorrow| date == tomorrow) {
        return "завтра".to_owned();
    }
    let weekday =
        ["пн", "вт", "ср", "чт", "пт", "сб", "вс"][usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())];
    format!("{weekday} {:02}.{:02}", date.day(), date.month())
}

fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}
