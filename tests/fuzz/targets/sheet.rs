//! A sheet of orders, in whatever encoding and with whatever columns.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| field_service::api::fuzzing::sheet(bytes, &field_service::app::words()));
