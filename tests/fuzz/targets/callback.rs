//! `callback_data`, which any client may make up: what is understood is written again as it was read, so no two strings mean one
//! thing by accident of a number's spelling, and no button of ours is longer than Telegram allows.
#![no_main]

use std::fmt::Display;

use field_service::bots::callback::Callback;
use field_service::bots::callback::staff::StaffCallback;
use libfuzzer_sys::fuzz_target;

/// Telegram's limit, in bytes.
const LIMIT: usize = 64;

fuzz_target!(|data: &str| {
    same_again(data, Callback::parse);
    same_again(data, StaffCallback::parse);
});

fn same_again<T: Display + PartialEq + std::fmt::Debug>(data: &str, parse: fn(&str) -> Option<T>) {
    let Some(read) = parse(data) else { return };
    let written = read.to_string();
    assert!(written.len() <= LIMIT, "{written} is too long");
    assert_eq!(parse(&written).as_ref(), Some(&read), "{data} is written as {written}");
}
