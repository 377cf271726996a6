//! Every Russian word that people read, and how dates are said.
//!
//! What people typed goes through `typed`; an alert is plain text, so nothing is escaped there.

use jiff::civil::{Date, DateTime, Time};

use super::cut;
use crate::dispatch::accept::AcceptOutcome;
use crate::dispatch::auto_assign::Escalation;
use crate::dispatch::close::CloseOutcome;
use crate::dispatch::decline::DeclineOutcome;
use crate::dispatch::dialog::Profile;
use crate::dispatch::facts::{Blocked, Standing};
use crate::dispatch::give_back::GiveBackOutcome;
use crate::dispatch::notification::Notification;
use crate::dispatch::order::{ActiveLine, ActiveList, Amount, Category, OrderCard, OrderStatus, OwnOrder, TimeSlot};
use crate::dispatch::progress::{ProgressOutcome, Step};
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
/// Back to work.
pub const BUTTON_NOT_DONE: &str = "🔧 Работа ещё не закончена";
/// Asks why the order is given back.
pub const BUTTON_RETURN: &str = "↩️ Вернуть заявку";
/// Does not give it back.
pub const BUTTON_KEEP: &str = "◀ Не возвращать";

const TITLE: &str = "📋 <b>Новые заявки</b>";
const TAKEN: &str = "Уже занято";
const WITHDRAWN: &str = "Заявка снята: её отменили, закрыли или больше вам не предлагают.";
const EXPIRED: &str = "Время истекло: на эту заявку уже нельзя ответить.";
const DECLINED: &str = "Вы отклонили эту заявку.";
const NOT_FOUND: &str = "Заявка не найдена среди предложенных вам.";
const YOURS: &str = "Эта заявка уже ваша.";
const ACTIVE_TITLE: &str = "📦 <b>Мои заявки</b>";
/// To a question about an order of somebody else.
pub const NOT_YOURS: &str = "Эта заявка не ваша: её закрыли, отменили, передали другому мастеру, или вы её не брали.";
/// To a step that is not the next one.
pub const OUT_OF_TURN: &str = "Сейчас этот шаг не подходит. Вот что с заявкой.";
/// To giving back what is done.
pub const TOO_LATE_TO_RETURN: &str = "Работа уже закончена: эту заявку вернуть нельзя.";
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
/// Why somebody gives an order back, or cancels it.
pub const REASON_LIMIT: usize = 500;

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
pub(super) fn menu(profile: &Profile) -> String {
    let shift = if profile.on_shift {
        format!("🟢 Вы на смене. Кто первым нажмёт «{BUTTON_ACCEPT}», тот заявку и получит.")
    } else {
        "⚪ Вы не на смене: новые заявки вам не приходят.".to_owned()
    };
    format!("Здравствуйте, <b>{}</b>!\n\n{shift}", typed(&profile.full_name, NAME_LIMIT))
}

/// The menu's button, with how many there are.
pub(super) fn button_active(count: i64) -> String {
    if count > 0 { format!("{BUTTON_ACTIVE} ({count})") } else { BUTTON_ACTIVE.to_owned() }
}

/// What became of the shift.
#[must_use]
pub fn shift(on: bool) -> &'static str {
    if on {
        "Вы на смене."
    } else {
        "Вы ушли со смены. Взятые заявки остаются за вами."
    }
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
    format!("<b>Заявка №{}</b>\n{}\n\n⏳ Ответить до {}", card.id, body(card, false), deadline(expires, card.slot.now))
}

/// The master's own order: with the client.
pub(super) fn own_order(own: &OwnOrder) -> String {
    format!(
        "✅ <b>Ваша заявка №{}</b>\n👤 {}\n📞 {}\n{}",
        own.card.id,
        typed(&own.client.name, NAME_LIMIT),
        telephone(&own.client.phone),
        body(&own.card, true)
    )
}

/// As Telegram makes it tappable: with a plus. A Russian number is often written with an 8.
fn telephone(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let plain = phone.chars().all(|c| c.is_ascii_digit() || " -()".contains(c));
    match digits.strip_prefix(['8', '7']) {
        Some(rest) if plain && rest.len() == 10 => format!("+7{rest}"),
        _ => typed(phone, NAME_LIMIT),
    }
}

/// Where the address leads to.
fn map(place: &str) -> String {
    let url = reqwest::Url::parse_with_params("https://yandex.ru/maps/", [("text", cut(place, LINE_LIMIT))]);
    url.map_or_else(|_| "https://yandex.ru/maps/".to_owned(), Into::into)
}

/// What, where, when; the address leads to a map for whoever is to go there.
fn body(card: &OrderCard, to_go_there: bool) -> String {
    let what = format!("🛠 {}", category(card.category));
    let place = place(card);
    let address = typed(&place, ADDRESS_LIMIT);
    let place = if to_go_there {
        format!("📍 <a href=\"{}\">{address}</a>", typed(&map(&place), usize::MAX))
    } else {
        format!("📍 {address}")
    };
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

/// The list's title, total and page, and a paragraph for each order.
pub(super) fn active_list(list: &ActiveList) -> String {
    if list.lines.is_empty() {
        return format!(
            "{ACTIVE_TITLE}\n\nСейчас у вас нет заявок в работе. Новые — под кнопкой «{BUTTON_NEW}» в меню."
        );
    }
    let head = format!("{ACTIVE_TITLE}\nВсего: {} · страница {} из {}", list.total, list.page, list.pages());
    std::iter::once(head).chain(list.lines.iter().map(active_line)).collect::<Vec<_>>().join("\n\n")
}

fn active_line(line: &ActiveLine) -> String {
    let card = &line.card;
    format!(
        "<b>№{}</b> · {} · {}\n📍 {}\n🕒 {}",
        card.id,
        category(card.category),
        status(line.status),
        typed(&place(card), LINE_LIMIT),
        slot(&card.slot),
    )
}

fn status(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Created | OrderStatus::Searching => "ищет мастера",
        OrderStatus::Guarantee => "гарантия, ищет мастера",
        OrderStatus::Deferred => "отложена",
        OrderStatus::Assigned => "ждёт выезда",
        OrderStatus::EnRoute => "в пути",
        OrderStatus::Working => "в работе",
        OrderStatus::Payment => "ждёт сумму",
        OrderStatus::Closed => "закрыта",
        OrderStatus::Canceled => "отменена",
    }
}

/// An own order's card: how far it is, and the rest.
pub(super) fn active_card(own: &OwnOrder, at: OrderStatus) -> String {
    format!("{}\n\nСтатус: <b>{}</b>", own_order(own), status(at))
}

/// The question before the work is reported as done.
pub(super) fn confirm_done(order: OrderId) -> String {
    format!("Работа по заявке <b>№{order}</b> закончена?\n\nДальше спросим, сколько заплатил клиент.")
}

/// The question for the money.
pub(super) fn ask_amount(order: OrderId) -> String {
    format!(
        "🧾 <b>Заявка №{order}: сколько заплатил клиент?</b>\n\nНапишите сумму в рублях одним сообщением, например 2500 \
         или 1499,50. Если денег не брали — 0. После этого заявка закроется."
    )
}

/// What somebody wrote about money, without «руб.» at its end.
#[must_use]
pub fn without_currency(written: &str) -> &str {
    let written = written.trim_end();
    let number = written.trim_end_matches(|c: char| c.is_alphabetic() || c == '.' || c == '₽');
    let unit = written[number.len()..].to_lowercase();
    let known = ["рублей", "рубля", "рубль", "руб", "руб.", "р", "р.", "₽"].contains(&unit.as_str());
    if known { number } else { written }
}

/// That it is not understood, and what would be.
pub(super) fn not_an_amount(order: OrderId, written: &str) -> String {
    let what = match written.trim() {
        "" => "Это не похоже на сумму.".to_owned(),
        written => format!("«{}» — не похоже на сумму.", typed(written, NAME_LIMIT)),
    };
    format!(
        "{what} По заявке №{order} нужна сумма одним числом, от 0 до {}, например 2500 или 1499,50.",
        rubles(Amount::MAX)
    )
}

/// What came of a sum of money.
pub(super) fn closed(order: OrderId, outcome: CloseOutcome) -> String {
    match outcome {
        CloseOutcome::Closed(amount) => {
            format!("🧾 <b>Заявка №{order} закрыта.</b>\nСумма: {}. Спасибо!", rubles(amount))
        }
        CloseOutcome::AlreadyClosed => format!("Заявка №{order} уже закрыта."),
        CloseOutcome::NotDone => {
            format!("Заявка №{order} снова в работе. Когда закончите, нажмите «{BUTTON_DONE}» на её карточке.")
        }
        CloseOutcome::NotYours => not_yours(order),
        CloseOutcome::Busy => format!("С заявкой №{order} сейчас работает кто-то ещё. Отправьте сумму ещё раз."),
    }
}

fn not_yours(order: OrderId) -> String {
    format!("Заявка №{order} уже не ваша: её закрыли, отменили или передали другому мастеру.")
}

/// «2 500 ₽», with kopecks if there are any.
fn rubles(amount: Amount) -> String {
    let (rubles, kopecks) = amount.parts();
    let digits = rubles.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    if kopecks == 0 { format!("{grouped}\u{a0}₽") } else { format!("{grouped},{kopecks:02}\u{a0}₽") }
}

/// The question before an order is given back.
pub(super) fn ask_return_reason(order: OrderId) -> String {
    format!(
        "↩️ <b>Почему возвращаете заявку №{order}?</b>\n\nНапишите причину одним сообщением. Заявку предложат другим \
         мастерам, вам её больше не предложат."
    )
}

/// What came of giving an order back.
pub(super) fn given_back(order: OrderId, outcome: GiveBackOutcome) -> String {
    match outcome {
        GiveBackOutcome::GivenBack | GiveBackOutcome::AlreadyGivenBack => {
            format!("↩️ <b>Заявка №{order} возвращена.</b> Ищем другого мастера.")
        }
        GiveBackOutcome::TooLate => format!("Работа по заявке №{order} уже закончена: вернуть её нельзя."),
        GiveBackOutcome::NotYours => not_yours(order),
        GiveBackOutcome::Busy => format!("С заявкой №{order} сейчас работает кто-то ещё. Отправьте причину ещё раз."),
    }
}

/// The answer to a step.
#[must_use]
pub fn progress(outcome: ProgressOutcome) -> &'static str {
    match outcome {
        ProgressOutcome::Recorded(Step::EnRoute) => "Отмечено: в пути.",
        ProgressOutcome::Recorded(Step::OnSite) => "Отмечено: на месте.",
        ProgressOutcome::Recorded(Step::Done) => "Отмечено: работа закончена.",
        ProgressOutcome::Recorded(Step::NotDone) => "Отмечено: работа продолжается.",
        ProgressOutcome::AlreadyThere => "Это уже отмечено.",
        ProgressOutcome::OutOfTurn => OUT_OF_TURN,
        ProgressOutcome::NotYours => NOT_YOURS,
        ProgressOutcome::Busy => BUSY,
    }
}

/// A message that nobody has asked for.
pub(super) fn notification(notification: &Notification) -> String {
    match notification {
        Notification::Offer { card, offer } => format!(
            "🔔 <b>Новая заявка №{}</b>\n{}\n\n⏳ Ответить до {}",
            card.id,
            body(card, false),
            deadline(offer.expires, card.slot.now)
        ),
        Notification::OfferEnded { order, standing, after_seconds } => {
            let what = match standing {
                Standing::Taken if *after_seconds == 0 => format!("{TAKEN}: заявку взяли сразу."),
                Standing::Taken => format!("{TAKEN}: заявку взяли через {}.", duration(*after_seconds)),
                Standing::Expired => EXPIRED.to_owned(),
                Standing::Declined => DECLINED.to_owned(),
                Standing::Yours => format!("✅ {YOURS}"),
                Standing::Withdrawn | Standing::Unknown | Standing::Offered(_) => WITHDRAWN.to_owned(),
            };
            format!("<b>Заявка №{order}</b>\n{what}")
        }
        Notification::Assigned(own) => format!("📌 <b>Вам назначена заявка</b>\n\n{}", own_order(own)),
        Notification::OwnOrder(own) => own_order(own),
        Notification::Canceled { order, for_good, reason } => {
            let what = if *for_good {
                "отменена. Ехать не нужно."
            } else {
                "больше не ваша: её передают другому мастеру."
            };
            format!("🚫 <b>Заявка №{order} {what}</b>{}", because(reason.as_deref()))
        }
        Notification::Returned { card, master, reason } => format!(
            "↩️ <b>Заявку №{} вернули</b>\n👤 {}{}\n\n{}\n\nИщем другого мастера.",
            card.id,
            typed(master.as_deref().unwrap_or("мастер"), NAME_LIMIT),
            because(reason.as_deref()),
            body(card, false)
        ),
        Notification::Escalated { card, reason } => {
            let why = match reason {
                Escalation::NobodyLeft => {
                    "Предложить больше некому: подходящие мастера заняты, не на смене или уже спрошены."
                }
                Escalation::Rounds => "Её предлагали несколько раз, и никто не взял.",
                Escalation::Time => "Ищем мастера слишком долго.",
            };
            format!("⚠️ <b>Заявка №{} ждёт диспетчера</b>\n{why}\n\n{}", card.id, body(card, false))
        }
        Notification::Unreachable { master, phone } => format!(
            "🔕 <b>Мастеру не доходят сообщения</b>\n👤 {}{}\n\nБот заблокирован или не запущен. Новые заявки ему не \
             предлагаются, пока он не напишет боту.",
            typed(master, NAME_LIMIT),
            phone.as_deref().map(|phone| format!("\n📞 {}", telephone(phone))).unwrap_or_default()
        ),
    }
}

fn because(reason: Option<&str>) -> String {
    let said = reason.map(str::trim).filter(|reason| !reason.is_empty());
    said.map(|reason| format!("\nПричина: {}", typed(reason, REASON_LIMIT))).unwrap_or_default()
}

/// «12 с», «3 мин 5 с», «1 ч 5 мин».
fn duration(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} с"),
        (0, minutes, 0) => format!("{minutes} мин"),
        (0, minutes, seconds) => format!("{minutes} мин {seconds} с"),
        (hours, 0, _) => format!("{hours} ч"),
        (hours, minutes, _) => format!("{hours} ч {minutes} мин"),
    }
}

/// The question before declining.
pub(super) fn confirm_decline(order: OrderId) -> String {
    format!("Отклонить заявку <b>№{order}</b>?\n\nВзять её после этого уже не получится.")
}

/// An order's button in a list.
pub(super) fn button_order(card: &OrderCard) -> String {
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

#[cfg(test)]
mod tests {
    use super::{duration, map, rubles, telephone, without_currency};
    use crate::dispatch::Amount;

    #[test]
    fn a_telephone_number_is_written_so_that_it_can_be_tapped() {
        for (written, shown) in [
            ("+79120000001", "+79120000001"),
            ("8 (912) 000-00-01", "+79120000001"),
            ("79120000001", "+79120000001"),
            ("+7 912 000 00 01", "+7 912 000 00 01"),
            ("2-12-85", "2-12-85"),
            ("89120000001, Ольга", "89120000001, Ольга"),
            ("<b>", "&lt;b&gt;"),
        ] {
            assert_eq!(telephone(written), shown);
        }
    }

    #[test]
    fn money_is_read_with_its_currency_and_shown_in_groups() {
        for written in ["1500 руб.", "1500р", "1500 ₽", "1500 Рублей", "1500"] {
            assert_eq!(without_currency(written).trim_end(), "1500", "{written}");
        }
        assert_eq!(without_currency("1500 долларов"), "1500 долларов");
        for (amount, shown) in
            [("0", "0\u{a0}₽"), ("1234567,5", "1\u{a0}234\u{a0}567,50\u{a0}₽"), ("999", "999\u{a0}₽")]
        {
            assert_eq!(rubles(Amount::parse(amount).expect("a sum")), shown);
        }
    }

    #[test]
    fn a_map_is_found_by_the_address() {
        let url = map("Уфа, ул. Ленина, 5 & 7\" <x>");
        assert!(url.starts_with("https://yandex.ru/maps/?text=%D0%A3"), "{url}");
        assert!(!url.contains(['"', '<', ' ']), "{url}");
    }

    #[test]
    fn durations_are_said_shortly() {
        let said: Vec<_> = [0, 12, 60, 185, 3600, 3900].into_iter().map(duration).collect();
        assert_eq!(said, ["0 с", "12 с", "1 мин", "3 мин 5 с", "1 ч", "1 ч 5 мин"]);
    }
}
