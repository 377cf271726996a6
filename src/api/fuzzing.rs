//! The doors of the fuzz targets in `tests/fuzz`: what strangers' bytes are read into, without a router and a database before it.
//! What is read must fit where it is kept. Built for them alone.

use serde::de::DeserializeOwned;

use super::Words;
use super::new_order::{NewOrder, OrderChanges};
use super::policy::Rules;
use super::{body, sheet};
use crate::model::CityId;
use crate::model::city::City;
use crate::model::new_order::{self, ADDRESS, DESCRIPTION, NAME};
use crate::model::slot::WORKDAY;

/// Reads a body as each kind of body that has rules of its own.
///
/// # Panics
/// When something was read that the database would refuse.
pub fn body(bytes: &[u8]) {
    if let Some(order) = read::<NewOrder>(bytes) {
        let again = serde_json::to_vec(&order).expect("an order is written");
        read::<NewOrder>(&again).expect("an order is read as it is written");
        if let Ok(order) = order.read() {
            fits(&order);
        }
    }
    if let Some(changes) = read::<OrderChanges>(bytes) {
        let _ = changes.slot.flatten().map(super::new_order::NewSlot::read);
    }
    let _ = read::<Rules>(bytes);
}

/// Reads a sheet.
///
/// # Panics
/// When something was read that the database would refuse, or a row was lost.
pub fn sheet(bytes: &[u8], words: &Words) {
    let city = |id, name: &str| City {
        id: CityId(id),
        name: name.to_owned(),
        districts: Vec::new(),
        now: jiff::civil::date(2026, 11, 27).at(12, 0, 0, 0),
        workday: WORKDAY,
    };
    let Ok(sheet) = sheet::read(bytes, &[city(1, "A"), city(2, "Yekaterinburg")], words) else { return };
    let mut lines: Vec<u64> = sheet.errors.iter().map(|error| error.line).collect();
    lines.dedup();
    assert_eq!(lines.len() + sheet.orders.len(), sheet.rows, "each row is an order or has an error");
    for (_, order) in &sheet.orders {
        fits(order);
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    body::read(bytes).ok()
}

fn fits(order: &new_order::NewOrder) {
    let fits = |text: &str, limit: usize| !text.contains('\0') && (1..=limit).contains(&text.chars().count());
    assert!(fits(&order.address, ADDRESS), "the address {:?}", order.address);
    assert!(order.name.as_deref().is_none_or(|name| fits(name, NAME)), "the name {:?}", order.name);
    let description = order.description.as_deref();
    assert!(description.is_none_or(|text| fits(text, DESCRIPTION)), "the description {description:?}");
    assert!(order.phone.as_e164().starts_with('+'));
}
