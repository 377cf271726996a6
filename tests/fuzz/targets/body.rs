//! Bodies of the API's requests.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| field_service::api::fuzzing::body(bytes));
