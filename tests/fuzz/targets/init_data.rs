//! Who opened the page, as its address says: nobody is let in without the bot's signature, and with it exactly who was signed.
#![no_main]

use field_service::model::TelegramUserId;
use field_service::model::init_data;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "1:token";
const OPENED: i64 = 1_700_000_000;

fuzz_target!(|data: (&str, i64)| {
    let (text, user) = data;
    let now = Timestamp::from_second(OPENED).unwrap();
    assert_eq!(init_data::user(text, TOKEN, now), None, "nobody signed that");
    // Whatever else Telegram says beside them.
    let opened = OPENED.to_string();
    let named = format!("{{\"id\":{user}}}");
    let signed = init_data::signed(&[("user", &named), ("auth_date", &opened), ("query_id", text)], TOKEN);
    assert_eq!(init_data::user(&signed, TOKEN, now), Some(TelegramUserId(user)));
    let one_more = format!("{signed}&{text}");
    let let_in = init_data::user(&one_more, TOKEN, now);
    assert!(let_in.is_none_or(|let_in| let_in == TelegramUserId(user)), "somebody else was let in");
});
