//! The queue, and what it is narrowed to.

use jiff::civil::{Date, DateTime};

use super::super::words::{BUTTON_LIMIT, category, clock, counted, day, duration, slot, status, typed};
use super::BUTTON_QUEUE;
use super::telephone;
use crate::model::Category;
use crate::model::moment::Moment;
use crate::model::order::{OrderCard, OrderStatus};
use crate::model::policy::Escalation;
use crate::model::queue::{Filters, Queue, QueueLine, QueueState, Trouble};
use crate::model::text::cut;

/// The menu's button, which says if anything needs somebody.
pub(in crate::bots::render) fn button_queue(queue: Option<&Queue>) -> String {
    match queue.map_or(0, |queue| queue.count(QueueState::Urgent)) {
        0 => BUTTON_QUEUE.to_owned(),
        urgent => format!("{BUTTON_QUEUE} (🔥 {urgent})"),
    }
}

/// What there is, for the menu.
pub(in crate::bots::render) fn counts(queue: &Queue) -> String {
    match (queue.count(QueueState::Urgent), queue.in_hand()) {
        (0, 0) => "В очереди пусто.".to_owned(),
        (0, in_hand) => format!("В очереди {}, срочных нет.", orders(in_hand)),
        (urgent, in_hand) => format!("В очереди {}, {}.", orders(in_hand), burning(urgent)),
    }
}

/// «🔥 горит 1», «🔥 горят 2».
fn burning(count: i64) -> String {
    let verb = if count % 10 == 1 && count % 100 != 11 { "горит" } else { "горят" };
    format!("🔥 {verb} {count}")
}

pub(super) fn orders(count: i64) -> String {
    counted(usize::try_from(count).unwrap_or_default(), ["заявка", "заявки", "заявок"])
}

const TITLE: &str = "📋 <b>Очередь</b>";
/// A city, a district or a name in a line.
const SHORT: usize = 24;
/// An address in a line.
const ADDRESS: usize = 60;

/// Reads it afresh.
pub(in crate::bots::render) const BUTTON_REFRESH: &str = "🔄 Обновить";
/// Narrows the queue.
pub(in crate::bots::render) const BUTTON_FILTERS: &str = "⚙️ Фильтры";
/// Asks what to look for.
pub(in crate::bots::render) const BUTTON_SEARCH: &str = "🔎 Поиск";
/// Back to the queue.
pub(in crate::bots::render) const BUTTON_TO_QUEUE: &str = "◀ К очереди";
/// Back to the filters.
pub(in crate::bots::render) const BUTTON_TO_FILTERS: &str = "◀ К фильтрам";
/// Lifts every filter.
pub(in crate::bots::render) const BUTTON_NO_FILTERS: &str = "✖ Убрать все фильтры";
/// Lifts the filter by city.
pub(in crate::bots::render) const BUTTON_ALL_CITIES: &str = "Все города";
/// Lifts the filter by trade.
pub(in crate::bots::render) const BUTTON_ALL_TRADES: &str = "Все работы";
/// Lifts the filter by master.
pub(in crate::bots::render) const BUTTON_ALL_MASTERS: &str = "Все мастера";
/// Lifts the filter by day.
pub(in crate::bots::render) const BUTTON_ALL_DAYS: &str = "Любой день";
/// To a card that is not the reader's to see, or is not there.
pub const NOT_FOUND: &str = "Такой заявки нет, или она не в вашем городе. Показываю очередь.";

pub(in crate::bots::render) const CHOOSE_CITY: &str =
    "🏙 <b>Какой город показывать?</b>\nВ скобках — сколько заявок в очереди.";
pub(in crate::bots::render) const CHOOSE_TRADE: &str = "🛠 <b>Какие работы показывать?</b>";
pub(in crate::bots::render) const CHOOSE_DAY: &str = "📅 <b>За какой день показывать?</b>\nДля заявок в очереди — день визита, для закрытых и отменённых — день, когда их закрыли или отменили; если день не выбран — сегодня.";

/// Whose orders.
pub(in crate::bots::render) fn choose_master(nobody: bool) -> String {
    if nobody {
        "👷 Сейчас ни за одним мастером заявок нет.".to_owned()
    } else {
        "👷 <b>Чьи заявки показывать?</b>\nЗдесь мастера, за которыми есть заявки; в скобках — сколько.".to_owned()
    }
}

/// The name of a state on a button, two of which are in a row.
fn short_state(state: QueueState) -> &'static str {
    match state {
        QueueState::Urgent => "🔥 Горит",
        QueueState::Searching => "🔎 Ищут",
        QueueState::Deferred => "💤 Отложены",
        QueueState::Assigned => "📌 Взяты",
        QueueState::EnRoute => "🚗 В пути",
        QueueState::Working => "🛠 В работе",
        QueueState::Payment => "🧾 Сумма",
        QueueState::Closed => "✅ Закрыты",
        QueueState::Canceled => "🚫 Отмены",
    }
}

/// The name of a state in a title.
fn state(state: QueueState) -> &'static str {
    match state {
        QueueState::Urgent => "🔥 Горит",
        QueueState::Searching => "🔎 Ищут мастера",
        QueueState::Deferred => "💤 Отложены",
        QueueState::Assigned => "📌 Взяты, ждут выезда",
        QueueState::EnRoute => "🚗 В пути",
        QueueState::Working => "🛠 В работе",
        QueueState::Payment => "🧾 Ждут сумму",
        QueueState::Closed => "✅ Закрыты",
        QueueState::Canceled => "🚫 Отменены",
    }
}

/// A state's button, with how many there are.
pub(in crate::bots::render) fn button_state(of: Option<QueueState>, count: i64, shown: bool) -> String {
    let name = of.map_or("Все", short_state);
    let mark = if shown { "• " } else { "" };
    format!("{mark}{name} {count}")
}

/// «№118» on a button, which says of what needs somebody that it does.
pub(in crate::bots::render) fn button_line(line: &QueueLine) -> String {
    let mark = if line.troubles.is_empty() { "" } else { "🔥" };
    format!("{mark}№{}", line.card.id)
}

/// The button of the filters: how many there are.
pub(in crate::bots::render) fn button_filters(filters: &Filters) -> String {
    let set = [filters.city.is_some(), filters.category.is_some(), filters.master.is_some(), filters.day.is_some()];
    match set.into_iter().filter(|set| *set).count() {
        0 => BUTTON_FILTERS.to_owned(),
        count => format!("{BUTTON_FILTERS} ({count})"),
    }
}

pub(in crate::bots::render) fn button_city(filters: &Filters) -> String {
    filter("🏙 Город", filters.city.as_deref().unwrap_or("все"))
}

pub(in crate::bots::render) fn button_trade(filters: &Filters) -> String {
    filter("🛠 Работы", filters.category.map_or("все", category))
}

pub(in crate::bots::render) fn button_master(filters: &Filters) -> String {
    filter("👷 Мастер", filters.master.as_deref().unwrap_or("все"))
}

pub(in crate::bots::render) fn button_day(filters: &Filters, today: Date) -> String {
    let of_day = match filters.day {
        Some(date) => named_day(date, today),
        None if shows_what_is_over(filters) => "сегодня".to_owned(),
        None => "любой".to_owned(),
    };
    filter("📅 День", &of_day)
}

/// What is over is shown for one day: today, if none was chosen.
fn shows_what_is_over(filters: &Filters) -> bool {
    matches!(filters.state, Some(QueueState::Closed | QueueState::Canceled))
}

fn filter(what: &str, to: &str) -> String {
    cut(&format!("{what}: {to}"), BUTTON_LIMIT)
}

/// «Анна К. (3)» on a button.
pub(in crate::bots::render) fn button_choice(name: &str, orders: i64) -> String {
    format!("{} ({orders})", cut(name.trim(), 40))
}

pub(in crate::bots::render) fn button_category(of: Category) -> &'static str {
    category(of)
}

/// «сегодня», «вчера», «пт 27.11».
pub(in crate::bots::render) fn named_day(date: Date, today: Date) -> String {
    if today.yesterday().is_ok_and(|yesterday| date == yesterday) { "вчера".to_owned() } else { day(date, today) }
}

/// «14:05» today, «вчера 14:05», «пт 27.11 14:05».
pub(in crate::bots::render) fn when(moment: Moment, now: DateTime) -> String {
    let (date, time) = (moment.local.date(), clock(moment.local.time()));
    if date == now.date() { time } else { format!("{} {time}", named_day(date, now.date())) }
}

/// When something was: «в 14:05» today, «вчера в 14:05», «пт 27.11 в 14:05».
pub(in crate::bots::render) fn at(moment: Moment, now: DateTime) -> String {
    on(moment, now, &clock(moment.local.time()))
}

/// The same with seconds: «в 14:05:30».
pub(in crate::bots::render) fn at_exactly(moment: Moment, now: DateTime) -> String {
    on(moment, now, &format!("{}:{:02}", clock(moment.local.time()), moment.local.second()))
}

fn on(moment: Moment, now: DateTime, time: &str) -> String {
    let date = moment.local.date();
    if date == now.date() { format!("в {time}") } else { format!("{} в {time}", named_day(date, now.date())) }
}

/// [`when`] with seconds: «14:05:30».
pub(in crate::bots::render) fn exactly(moment: Moment, now: DateTime) -> String {
    format!("{}:{:02}", when(moment, now), moment.local.second())
}

/// «с 14:05» today, «со вчера, 14:05», «с 27.11, 14:05».
pub(in crate::bots::render) fn since(moment: Moment, now: DateTime) -> String {
    let (date, time, today) = (moment.local.date(), clock(moment.local.time()), now.date());
    if date == today {
        format!("с {time}")
    } else if today.yesterday().is_ok_and(|yesterday| date == yesterday) {
        format!("со вчера, {time}")
    } else {
        format!("с {:02}.{:02}, {time}", date.day(), date.month())
    }
}

/// Seconds of whole minutes since then, if that is less than a day: the clocks of several cities on one screen would be read as
/// one.
fn lately(moment: Moment, now: DateTime) -> Option<i64> {
    let seconds = now.duration_since(moment.local).as_secs();
    (0..86_400).contains(&seconds).then_some(seconds / 60 * 60)
}

/// «6 мин»; of what began yesterday or earlier, «со вчера, 14:05».
fn so_long(moment: Moment, now: DateTime) -> String {
    match lately(moment, now) {
        Some(0) => "меньше минуты".to_owned(),
        Some(seconds) => duration(seconds),
        None => since(moment, now),
    }
}

/// «6 мин назад»; of yesterday or earlier, «вчера 14:05».
fn ago(moment: Moment, now: DateTime) -> String {
    match lately(moment, now) {
        Some(0) => "только что".to_owned(),
        Some(seconds) => format!("{} назад", duration(seconds)),
        None => when(moment, now),
    }
}

/// The queue: its counts, what it is narrowed to, and a paragraph for each order.
pub(in crate::bots::render) fn queue(queue: &Queue) -> String {
    let urgent = match queue.count(QueueState::Urgent) {
        0 => String::new(),
        count => format!(", {}", burning(count)),
    };
    let mut head = if shows_what_is_over(&queue.filters) {
        format!("{TITLE} · {}", orders(queue.total))
    } else {
        format!("{TITLE} · {}{urgent}", orders(queue.in_hand()))
    };
    if let Some(shown) = narrowed(queue) {
        head = format!("{head}\nПоказываю: {shown}");
    }
    if queue.lines.is_empty() {
        return format!("{head}\n\n{}", nothing(queue));
    }
    if queue.pages() > 1 {
        head = format!("{head}\nСтраница {} из {}, всего {}", queue.page, queue.pages(), queue.total);
    }
    std::iter::once(head).chain(queue.lines.iter().map(line)).collect::<Vec<_>>().join("\n\n")
}

fn narrowed(queue: &Queue) -> Option<String> {
    let Filters { city, category: of, state: only, master, day } = &queue.filters;
    let today = queue.now.date();
    let of_day = match day {
        Some(day) => Some(named_day(*day, today)),
        None => shows_what_is_over(&queue.filters).then(|| "сегодня".to_owned()),
    };
    let parts = [
        only.map(|only| state(only).to_owned()),
        city.as_deref().map(|city| typed(city, SHORT)),
        of.map(|of| category(of).to_owned()),
        master.as_deref().map(|master| format!("мастер {}", typed(master, SHORT))),
        of_day,
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

fn nothing(queue: &Queue) -> &'static str {
    match queue.filters.state {
        _ if queue.filters.are_set() => "С такими фильтрами ничего нет.",
        Some(QueueState::Urgent) => "Всё спокойно: срочного нет.",
        Some(_) => "Здесь сейчас пусто.",
        None => "Сейчас в очереди пусто.",
    }
}

/// An order of the queue.
pub(super) fn line(line: &QueueLine) -> String {
    let QueueLine { card, created, master, offered, seen, claimed_by, client, troubles, status: at } = line;
    let mark = if troubles.is_empty() { "" } else { "🔥 " };
    let mut rows = vec![format!("{mark}<b>№{}</b> · {} · {}", card.id, category(card.category), status(*at))];
    rows.extend(troubled(troubles, card.slot.now));
    rows.push(format!("📍 {}", typed(&where_to(card), ADDRESS + 2 * SHORT)));
    rows.extend(
        client.as_ref().map(|client| format!("👤 {}, {}", typed(&client.name, SHORT), telephone(&client.phone, SHORT))),
    );
    let is_timed = card.slot.soon || card.slot.start.or(card.slot.end).is_some();
    let slot = is_timed.then(|| format!("🕒 {}", slot(&card.slot)));
    let created = format!("принята {}", ago(*created, card.slot.now));
    rows.push(slot.into_iter().chain([created]).collect::<Vec<_>>().join(" · "));
    let who = [
        master.as_deref().map(|master| format!("👷 {}", typed(master, SHORT))),
        (*offered > 0).then(|| offered_to(*offered, *seen)),
        claimed_by.as_deref().map(|staff| format!("🙋 {}", typed(staff, SHORT))),
    ];
    let who: Vec<String> = who.into_iter().flatten().collect();
    rows.extend((!who.is_empty()).then(|| who.join(" · ")));
    rows.join("\n")
}

/// City, district and address, as short as they are known without.
fn where_to(card: &OrderCard) -> String {
    let place = [Some(cut(&card.city, SHORT)), card.district.as_deref().map(|district| cut(district, SHORT))];
    let place: Vec<String> = place.into_iter().flatten().collect();
    // The address is what tells orders apart: it comes first, lest it be cut.
    format!("{} ({})", cut(card.address.trim(), ADDRESS - 10), place.join(", "))
}

fn offered_to(offered: i64, seen: i64) -> String {
    let masters = counted(usize::try_from(offered).unwrap_or_default(), ["мастеру", "мастерам", "мастерам"]);
    let offered = format!("предложена {masters}");
    match seen {
        0 => format!("📨 {offered}, никто не открыл"),
        1 => format!("📨 {offered}, открыл 1"),
        seen => format!("📨 {offered}, открыли {seen}"),
    }
}

/// What is wrong with an order, the worst first; two things at most.
fn troubled(troubles: &[Trouble], now: DateTime) -> Option<String> {
    let escalated = matches!(troubles.first(), Some(Trouble::Escalated { .. }));
    let said = troubles.iter().filter(|trouble| !(escalated && matches!(trouble, Trouble::Waiting { .. })));
    let said: Vec<String> = said.take(2).map(|trouble| self::trouble(*trouble, now)).collect();
    (!said.is_empty()).then(|| said.join(" · "))
}

/// Why an order needs somebody now.
pub(in crate::bots::render) fn trouble(trouble: Trouble, now: DateTime) -> String {
    match trouble {
        Trouble::Escalated { why, since } => format!("❗ {}, ждёт вас {}", why_escalated(why), so_long(since, now)),
        Trouble::Late => "⏰ время визита прошло".to_owned(),
        Trouble::Waiting { since } => format!("⏳ без мастера {}", so_long(since, now)),
        Trouble::Unreachable => "🔕 мастеру не доходят сообщения".to_owned(),
        Trouble::Unseen => "👀 предложение никто не открывает".to_owned(),
    }
}

pub(in crate::bots::render) fn why_escalated(why: Escalation) -> &'static str {
    match why {
        Escalation::NobodyLeft => "предложить больше некому",
        Escalation::Rounds => "никто не взял",
        Escalation::Time => "ищем слишком долго",
    }
}

/// What the queue is narrowed to, on a screen of its own.
pub(in crate::bots::render) fn filters(queue: &Queue) -> String {
    let shown = match (narrowed(queue), queue.total) {
        (None, total) => format!("Сейчас видна вся очередь: {}.", orders(total)),
        (Some(shown), 0) => format!("Включены: {shown}. Таких заявок нет."),
        (Some(shown), total) => format!("Включены: {shown}. Подходит: {}.", orders(total)),
    };
    format!("⚙️ <b>Фильтры очереди</b>\n{shown}\n\nФильтры остаются и завтра, пока вы их не уберёте.")
}

/// The status as the card's title says it.
pub(in crate::bots::render) fn named_status(of: OrderStatus) -> &'static str {
    status(of)
}
