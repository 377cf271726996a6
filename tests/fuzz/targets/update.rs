//! A webhook's body: read or refused, and whatever was read can be looked at. An update that cannot be read whole still has its
//! number, by which it is logged.
#![no_main]

use field_service::bots::update::{self, Update};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(read) = serde_json::from_slice::<Update>(body) else { return };
    assert_eq!(update::update_id(body), Some(read.update_id));
    for message in [&read.message, &read.edited_message].into_iter().flatten() {
        let written = message.words();
        assert!(message.start_code().is_none_or(|code| written.contains(code)));
        let _ = (message.is_service(), message.is_forwarded(), message.written());
    }
    if let Some(tap) = &read.callback_query {
        let _ = (tap.from.id(), tap.from.name());
    }
});
