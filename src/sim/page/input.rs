//! What people type on the page: read whatever it is, judged here, and refused in a sentence that says what would be good.

use std::ops::RangeInclusive;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// What a person types is read as it is and checked afterwards, so that this refuses only what the page itself
/// does wrong.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(|error| {
        tracing::warn!(%error, "a request of the page was not understood");
        "Программа не поняла запроса: страница, видимо, от другой её версии. Обновите страницу.".to_owned()
    })
}

/// A number that a person typed: whatever JSON makes of it, with or without a fraction, of any size.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(from = "Value")]
pub(super) struct Typed(Option<i64>);

impl From<Value> for Typed {
    fn from(value: Value) -> Self {
        Self(value.as_i64())
    }
}

impl Typed {
    /// The number, if it is a whole one in that range; else `what` it is, and which it can be.
    pub(super) fn whole(self, what: &str, range: RangeInclusive<i64>) -> Result<i64, String> {
        let refused = || format!("{what} — целое число от {} до {}.", range.start(), range.end());
        self.0.filter(|number| range.contains(number)).ok_or_else(refused)
    }
}

/// A message that Telegram takes, without spaces around it.
pub(super) fn written(text: &str) -> Result<&str, String> {
    let text = text.trim();
    if text.is_empty() || text.encode_utf16().count() > 4096 {
        return Err("В сообщении должно быть от 1 до 4096 знаков.".to_owned());
    }
    Ok(text)
}

/// The id, and the name without spaces around it, if the two can be a person's.
/// <https://core.telegram.org/bots/api#user> has ids of at most 52 significant bits.
pub(super) fn checked(person: Typed, name: &str) -> Result<(i64, &str), String> {
    let person = person.whole("Telegram ID", 1..=(1 << 52) - 1)?;
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err("Имя — от 1 до 200 знаков в одну строку.".to_owned());
    }
    Ok((person, name))
}
