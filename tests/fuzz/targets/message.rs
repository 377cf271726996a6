//! A dispatcher's message in free words, and a telephone number: what is found in it fits where it is kept.
#![no_main]

use field_service::app;
use field_service::model::city::{City, District};
use field_service::model::slot::Hours;
use field_service::model::{CityId, Phone};
use jiff::civil::{date, time};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|written: &str| {
    if let Ok(phone) = Phone::parse(written) {
        let again = Phone::parse(phone.as_e164()).expect("a phone is read as it is kept");
        assert_eq!(again, phone);
        assert_eq!(Phone::parse(&phone.shown()).ok().as_ref(), Some(&phone), "{} is read as it is shown", phone.shown());
    }
    let cities = ["Екатеринбург", "Орёл"].map(|name| City {
        id: CityId(1),
        name: name.to_owned(),
        districts: vec![District { id: 1, name: "Центр".to_owned() }],
        now: date(2026, 11, 30).at(12, 0, 0, 0),
        workday: Hours { start: time(8, 0, 0, 0), end: time(20, 0, 0, 0) },
    });
    let read = (app::words().read_order)(written, &cities);
    assert!(read.found() <= 7);
    assert!(read.name.is_none_or(|name| name.value.chars().count() <= 100));
});
