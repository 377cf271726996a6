//! How Telegram tells a page who opened it: `initData`, signed with the bot's token.
//! <https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app>

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::Deserialize;

use super::TelegramUserId;

/// How old it may be.
const OLD: SignedDuration = SignedDuration::from_mins(10);
/// How far ahead of our clock Telegram's may be.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// Whoever opened the page.
#[derive(Deserialize)]
struct User {
    id: i64,
}

/// The user whom Telegram vouches for; `None`: it does not, or not any more. Every field but `hash` is signed, `signature` too.
#[must_use]
pub fn user(init_data: &str, bot_token: &str, now: Timestamp) -> Option<TelegramUserId> {
    // Each is decoded once.
    let mut fields: Vec<(String, String)> = form_urlencoded::parse(init_data.as_bytes()).into_owned().collect();
    fields.sort();
    if fields.windows(2).any(|pair| pair[0].0 == pair[1].0) {
        return None;
    }
    let at = fields.iter().position(|(name, _)| name == "hash")?;
    let (_, hash) = fields.remove(at);
    let signed = fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n");
    let secret = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"WebAppData"), bot_token.as_bytes());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref());
    // Compares in constant time.
    hmac::verify(&key, signed.as_bytes(), &bytes(&hash)?).ok()?;
    let value = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let made: i64 = value("auth_date")?.parse().ok()?;
    let age = now.duration_since(Timestamp::from_second(made).ok()?);
    if age > OLD || -age > AHEAD {
        return None;
    }
    let user: User = serde_json::from_str(value("user")?).ok()?;
    Some(TelegramUserId(user.id))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2).map(|digits| match digits {
        [_, _] => u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok(),
        _ => None,
    });
    digits.collect()
}

/// `initData` as Telegram would sign it, for the local one.
#[must_use]
pub fn signed(fields: &[(&str, &str)], bot_token: &str) -> String {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let text = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("\n");
    let secret = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"WebAppData"), bot_token.as_bytes());
    let hash = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref()), text.as_bytes());
    let mut hex = String::new();
    for byte in hash.as_ref() {
        // A String takes everything.
        let _ = write!(hex, "{byte:02x}");
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).append_pair("hash", &hex).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "1002:admin-token";
    const MADE: i64 = 1_796_000_000;

    fn now() -> Timestamp {
        Timestamp::from_second(MADE + 60).expect("a time")
    }

    fn fields() -> Vec<(&'static str, &'static str)> {
        vec![
            ("query_id", "AAE"),
            ("user", r#"{"id":501,"first_name":"Ольга & <Пётр>","language_code":"ru"}"#),
            ("auth_date", "1796000000"),
            ("signature", "c2ln"),
        ]
    }

    #[test]
    fn what_telegram_has_signed_tells_who_it_is() {
        assert_eq!(user(&signed(&fields(), TOKEN), TOKEN, now()), Some(TelegramUserId(501)));
        // As of Telegram's own documentation: in whatever order.
        let mut turned = fields();
        turned.reverse();
        assert_eq!(user(&signed(&turned, TOKEN), TOKEN, now()), Some(TelegramUserId(501)));
    }

    #[test]
    fn what_telegram_has_not_signed_so_tells_nothing() {
        let good = signed(&fields(), TOKEN);
        let hash = good.split("hash=").nth(1).expect("a hash");
        let forged = [
            String::new(),
            "hash=".to_owned(),
            format!("hash={hash}"),
            good.replace("501", "502"),
            good.replace("&signature=c2ln", ""),
            good.replace("query_id=AAE&", ""),
            good.replace("auth_date=1796000000", "auth_date=1796000030"),
            good.replace(hash, &hash.replace(['0', '1', '2', '3'], "4")),
            good.replace(hash, &hash[1..]),
            good.replace(hash, &hash[2..]),
            good.replace(hash, "ы"),
            good.replace("&hash=", "&Hash="),
            format!("{good}&user=%7B%22id%22%3A502%7D"),
            format!("{good}&hash={hash}"),
            format!("{good}&extra=1"),
            // Decoded twice it would be another one.
            good.replace("%26", "%2526"),
            signed(&fields(), "1001:master-token"),
            signed(&fields()[2..], TOKEN),
            // Signed as it is, and still nobody knows which one is meant.
            signed(&[fields(), vec![("user", r#"{"id":502}"#)]].concat(), TOKEN),
        ];
        for data in forged {
            assert_eq!(user(&data, TOKEN, now()), None, "{data}");
        }
    }

    #[test]
    fn it_is_good_for_ten_minutes() {
        let data = signed(&fields(), TOKEN);
        for (seconds, good) in [(-61, false), (-60, true), (0, true), (600, true), (601, false), (100_000, false)] {
            let now = Timestamp::from_second(MADE + seconds).expect("a time");
            assert_eq!(user(&data, TOKEN, now).is_some(), good, "{seconds}");
        }
        let endless = [("user", r#"{"id":501}"#), ("auth_date", "99999999999999999")];
        assert_eq!(user(&signed(&endless, TOKEN), TOKEN, now()), None);
    }
}
