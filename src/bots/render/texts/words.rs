//! How things are said: what people typed, places, telephones, money, days and times.

use jiff::civil::{Date, DateTime, Time};

use crate::model::order::{Category, OrderCard, OrderStatus, TimeSlot};
use crate::model::race::Winner;
use crate::model::text::cut;
use crate::model::{Amount, Deadline};

/// Names, categories and addresses on a button or in a list.
pub(in crate::bots::render) const LINE_LIMIT: usize = 120;
/// A client's name or phone, a district.
pub(in crate::bots::render) const NAME_LIMIT: usize = 100;
/// An address on a card.
pub(in crate::bots::render) const ADDRESS_LIMIT: usize = crate::model::new_order::ADDRESS;
/// A description on a card.
pub(in crate::bots::render) const DESCRIPTION_LIMIT: usize = crate::model::new_order::DESCRIPTION;
/// The text of a button.
pub(in crate::bots::render) const BUTTON_LIMIT: usize = 60;
/// Why somebody gives an order back, or cancels it.
pub const REASON_LIMIT: usize = crate::model::staff_order::REASON;
/// What a dispatcher tells a master beside the client's words.
pub const COMMENT_LIMIT: usize = crate::model::staff_order::COMMENT;

/// What people typed, cut to `limit` characters and escaped for Telegram's HTML.
pub(in crate::bots::render) fn typed(text: &str, limit: usize) -> String {
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

/// As Telegram makes it tappable: with a plus. A Russian number is often written with an 8.
pub(in crate::bots::render) fn telephone(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    let plain = phone.chars().all(|c| c.is_ascii_digit() || " -()".contains(c));
    match digits.strip_prefix(['8', '7']) {
        Some(rest) if plain && rest.len() == 10 => format!("+7{rest}"),
        _ => typed(phone, NAME_LIMIT),
    }
}

/// A client's phone as it is copied, to be dialled.
pub(in crate::bots::render) fn telephone_to_copy(phone: &str) -> String {
    // Nothing that is shown as it was written is escaped in a copy.
    let shown = telephone(phone);
    if shown.contains('&') { phone.trim().to_owned() } else { shown }
}

/// An address as it is copied, for a map.
pub(in crate::bots::render) fn address_to_copy(card: &OrderCard) -> String {
    format!("{}, {}", card.city, card.address)
}

/// Where the address leads to.
pub(in crate::bots::render) fn map(place: &str) -> String {
    let url = reqwest::Url::parse_with_params("https://yandex.ru/maps/", [("text", cut(place, LINE_LIMIT))]);
    url.map_or_else(|_| "https://yandex.ru/maps/".to_owned(), Into::into)
}

/// City, district, address.
pub(in crate::bots::render) fn place(card: &OrderCard) -> String {
    match &card.district {
        Some(district) => format!("{}, {}, {}", card.city, district, card.address),
        None => format!("{}, {}", card.city, card.address),
    }
}

/// What, where, when; the address leads to a map for whoever is to go there.
pub(in crate::bots::render) fn body(card: &OrderCard, to_go_there: bool) -> String {
    let what = format!("🛠 {}{}", category(card.category), if card.is_free { " · 🛡 гарантия, бесплатно" } else { "" });
    let place = place(card);
    let address = typed(&place, ADDRESS_LIMIT);
    let place = if to_go_there {
        format!("📍 <a href=\"{}\">{address}</a>", typed(&map(&place), usize::MAX))
    } else {
        format!("📍 {address}")
    };
    let when = match card.slot.start.or(card.slot.end) {
        Some(_) if card.slot.in_utc => format!("🕒 {}", slot(&card.slot)),
        Some(_) => format!("🕒 {} <i>(время: {})</i>", slot(&card.slot), typed(&card.city, NAME_LIMIT)),
        None => format!("🕒 {}", slot(&card.slot)),
    };
    let described = card.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
    let description = described.map(|text| format!("\n📝 {}", typed(text, DESCRIPTION_LIMIT)));
    [what, place, when].into_iter().chain(description).collect::<Vec<_>>().join("\n")
}

pub(in crate::bots::render) fn category(category: Category) -> &'static str {
    match category {
        Category::Electrics => "Электрика",
        Category::Plumbing => "Сантехника",
        Category::Appliances => "Бытовая техника",
        Category::Windows => "Окна",
        Category::Handyman => "Мелкий ремонт",
        Category::Roadside => "Помощь на дороге",
    }
}

pub(in crate::bots::render) fn status(status: OrderStatus) -> &'static str {
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

/// «2 500 ₽», with kopecks if there are any.
pub(in crate::bots::render) fn rubles(amount: Amount) -> String {
    let (rubles, kopecks) = amount.parts();
    if kopecks == 0 { whole_rubles(rubles) } else { format!("{},{kopecks:02}\u{a0}₽", grouped(rubles)) }
}

/// «2 500 ₽».
pub(in crate::bots::render) fn whole_rubles(rubles: i64) -> String {
    format!("{}\u{a0}₽", grouped(rubles))
}

/// «1 234 567».
pub(super) fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{a0}');
        }
        grouped.push(digit);
    }
    grouped
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

/// «12 с», «3 мин 5 с», «1 ч 5 мин».
pub(in crate::bots::render) fn duration(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} с"),
        (0, minutes, 0) => format!("{minutes} мин"),
        (0, minutes, seconds) => format!("{minutes} мин {seconds} с"),
        (hours, 0, _) => format!("{hours} ч"),
        (hours, minutes, _) => format!("{hours} ч {minutes} мин"),
    }
}

/// That an offered order went to another master, so many whole seconds after the offer.
pub(in crate::bots::render) fn went(winner: Winner, after_seconds: i64) -> String {
    let who = match winner {
        Winner::Master => "другой мастер взял её",
        Winner::GivenByStaff => "диспетчер отдал её другому мастеру",
    };
    if after_seconds <= 0 {
        format!("{who} сразу")
    } else {
        format!("{who} через {} после предложения", duration(after_seconds))
    }
}

/// «сегодня 14:00–16:00»; with UTC behind it, if the city's own clock is not known.
pub(in crate::bots::render) fn slot(slot: &TimeSlot) -> String {
    let zone = if slot.in_utc && slot.start.or(slot.end).is_some() { " UTC" } else { "" };
    format!("{}{zone}", slot_in(slot))
}

fn slot_in(slot: &TimeSlot) -> String {
    match (slot.start, slot.end) {
        (Some(start), Some(end)) if start.date() == end.date() => {
            format!("{}–{}", moment(start, slot.now), clock(end.time()))
        }
        (Some(start), Some(end)) => format!("{} – {}", moment(start, slot.now), moment(end, slot.now)),
        (Some(start), None) => format!("{} с {}", day(start.date(), slot.now.date()), clock(start.time())),
        (None, Some(end)) => format!("{} до {}", day(end.date(), slot.now.date()), clock(end.time())),
        (None, None) if slot.soon => "как можно скорее".to_owned(),
        (None, None) => "по договорённости".to_owned(),
    }
}

/// How long there is, which Telegram counts down by itself; where it cannot, «14:00» today, «завтра 14:00» otherwise.
/// <https://core.telegram.org/bots/api#html-style>
pub(in crate::bots::render) fn deadline(expires: Deadline, slot: &TimeSlot) -> String {
    if expires.is_never() {
        return "не ограничен".to_owned();
    }
    let (local, now) = (expires.local, slot.now);
    let said = if local.date() == now.date() { clock(local.time()) } else { moment(local, now) };
    let zone = if slot.in_utc { " UTC" } else { "" };
    format!("<tg-time unix=\"{}\" format=\"r\">{said}{zone}</tg-time>", expires.at.as_second())
}

/// «сегодня 14:00», «завтра 14:00», «пт 27.11 14:00».
pub(in crate::bots::render) fn moment(at: DateTime, now: DateTime) -> String {
    format!("{} {}", day(at.date(), now.date()), clock(at.time()))
}

/// «сегодня в 14:00», «завтра в 14:00», «пт 27.11 в 14:00».
pub(in crate::bots::render) fn at_moment(at: DateTime, now: DateTime) -> String {
    format!("{} в {}", day(at.date(), now.date()), clock(at.time()))
}

pub(in crate::bots::render) fn day(date: Date, today: Date) -> String {
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

/// «1 заявка», «2 заявки», «5 заявок»: the word's forms for these numbers.
pub(in crate::bots::render) fn counted(count: usize, [one, few, many]: [&str; 3]) -> String {
    let word = match (count % 10, count % 100) {
        (_, 11..=14) => many,
        (1, _) => one,
        (2..=4, _) => few,
        _ => many,
    };
    format!("{count} {word}")
}

pub(in crate::bots::render) fn clock(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Why, in somebody's own words, on a line below; nothing, if nobody has said.
pub(in crate::bots::render) fn because(reason: Option<&str>) -> String {
    let said = reason.map(str::trim).filter(|reason| !reason.is_empty());
    said.map(|reason| format!("\nПричина: {}", typed(reason, REASON_LIMIT))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{counted, duration, map, rubles, telephone, without_currency};
    use crate::model::Amount;

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
    fn numbers_have_their_words() {
        let said: Vec<_> =
            [1, 2, 5, 11, 14, 21, 104, 112].map(|count| counted(count, ["заявка", "заявки", "заявок"])).into();
        let expected =
            ["1 заявка", "2 заявки", "5 заявок", "11 заявок", "14 заявок", "21 заявка", "104 заявки", "112 заявок"];
        assert_eq!(said, expected);
    }

    #[test]
    fn durations_are_said_shortly() {
        let said: Vec<_> = [0, 12, 60, 185, 3600, 3900].into_iter().map(duration).collect();
        assert_eq!(said, ["0 с", "12 с", "1 мин", "3 мин 5 с", "1 ч", "1 ч 5 мин"]);
    }
}
