//! The search, and what it finds.

use super::super::words::typed;
use super::queue::{line, orders};
use crate::model::OrderId;
use crate::model::queue::{FOUND_AT_MOST, Found, Sought};

/// Asks what to look for, again.
pub(in crate::bots::render) const BUTTON_SEARCH_AGAIN: &str = "🔎 Искать другое";
/// Back to what was found.
pub(in crate::bots::render) const BUTTON_TO_FOUND: &str = "◀ К найденному";
/// What somebody has searched for.
const SOUGHT: usize = 60;
/// The question of the search.
pub(in crate::bots::render) const ASK_SEARCH: &str = "🔎 <b>Что найти?</b>\n\nНапишите одним сообщением номер заявки, любую часть телефона, \
     адрес или имя клиента. Например: 118, 45-67, Победы 14, Иванова.";

/// What was found.
pub(in crate::bots::render) fn found(found: &Found) -> String {
    let Some(sought) = found.sought.as_deref() else { return ASK_SEARCH.to_owned() };
    let sought = typed(sought, SOUGHT);
    if found.lines.is_empty() {
        return format!(
            "🔎 По запросу «{sought}» ничего не нашлось.\n\nПопробуйте короче: улицу без дома, фамилию без окончания, последние \
             цифры телефона."
        );
    }
    let count = if found.more {
        format!("больше {FOUND_AT_MOST} заявок, здесь последние; уточните запрос")
    } else {
        orders(found.total)
    };
    let mut head = format!("🔎 <b>«{sought}»</b>: {count}");
    if found.pages() > 1 {
        head = format!("{head}\nСтраница {} из {}", found.page, found.pages());
    }
    std::iter::once(head).chain(found.lines.iter().map(line)).collect::<Vec<_>>().join("\n\n")
}

/// That too little was written to search for.
pub(in crate::bots::render) const TOO_SHORT: &str =
    "🔎 Слишком коротко. Напишите хотя бы три буквы слова, три цифры телефона или номер заявки.";

/// Words that every address has, so that they find nothing.
const IN_EVERY_ADDRESS: [&str; 26] = [
    "ул",
    "улица",
    "пр",
    "пркт",
    "просп",
    "проспект",
    "пер",
    "переулок",
    "пл",
    "площадь",
    "бул",
    "бульвар",
    "ш",
    "шоссе",
    "наб",
    "набережная",
    "д",
    "дом",
    "кв",
    "квартира",
    "корп",
    "корпус",
    "стр",
    "строение",
    "г",
    "город",
];

/// Whether words are an order's number or a part of a phone, and nothing else.
#[must_use]
pub fn is_number(written: &str) -> bool {
    written.contains(|c: char| c.is_ascii_digit())
        && written.chars().all(|c| c.is_ascii_digit() || " №#+-()\u{a0}".contains(c))
}

/// What somebody's words ask for: digits are an order's number and a part of a phone, anything else is words of address or name.
#[must_use]
pub fn sought(written: &str) -> Sought {
    if is_number(written) {
        let digits: String = written.chars().filter(char::is_ascii_digit).collect();
        let number = digits.parse().ok().filter(|number| *number > 0).map(OrderId);
        // A number that is written with a sign is no phone.
        let only_number = written.contains(['№', '#']);
        let mut phones = Vec::new();
        if digits.len() >= Sought::SHORTEST && !only_number {
            phones.push(digits.clone());
            // A Russian number begins with 8 or 7, whichever was written down.
            if let Some(rest) = digits.strip_prefix('8').filter(|rest| rest.len() >= Sought::SHORTEST) {
                phones.push(rest.to_owned());
            }
        }
        return Sought { number, phones, words: Vec::new() };
    }
    let words = written.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    let words: Vec<String> =
        words.filter(|word| !word.is_empty() && !IN_EVERY_ADDRESS.contains(&word.as_str())).collect();
    // Words that are in every second order narrow what longer ones find, and find nothing by themselves.
    let enough = words.iter().any(|word| word.chars().count() >= Sought::SHORTEST);
    Sought { words: if enough { words } else { Vec::new() }, ..Sought::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(written: &str) -> (Option<i64>, Vec<String>, Vec<String>) {
        let Sought { number, phones, words } = sought(written);
        (number.map(|order| order.0), phones, words)
    }

    fn of(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn digits_are_a_number_and_a_part_of_a_phone() {
        assert_eq!(asks("118"), (Some(118), of(&["118"]), of(&[])));
        assert_eq!(asks("№118"), (Some(118), of(&[]), of(&[])));
        assert_eq!(asks("45-67"), (Some(4567), of(&["4567"]), of(&[])));
        assert_eq!(asks("8 (912) 345-67-89"), (Some(89_123_456_789), of(&["89123456789", "9123456789"]), of(&[])));
        assert_eq!(asks("12"), (Some(12), of(&[]), of(&[])));
        assert_eq!(asks("99999999999999999999"), (None, of(&["99999999999999999999"]), of(&[])));
    }

    #[test]
    fn anything_else_is_words_of_address_or_name() {
        assert_eq!(asks("ул. Победы, д. 14"), (None, of(&[]), of(&["победы", "14"])));
        assert_eq!(asks("Иванова"), (None, of(&[]), of(&["иванова"])));
        for nothing in ["", "ул. д. 5", "—", "🔧", "кв", "а 5"] {
            assert!(sought(nothing).is_empty(), "{nothing}");
        }
    }
}
