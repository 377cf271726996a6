//! Cities, as somebody who makes orders there needs to know them.

use jiff::civil::DateTime;

use super::CityId;
use super::slot::Hours;

/// A city in which a dispatcher can make orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct City {
    /// `cities.id`.
    pub id: CityId,
    /// Its name.
    pub name: String,
    /// Its districts, by name.
    pub districts: Vec<District>,
    /// What time it is there.
    pub now: DateTime,
    /// When people work there.
    pub workday: Hours,
}

/// A city, as programs read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityRecord {
    /// `cities.id`.
    pub id: CityId,
    /// Its name.
    pub name: String,
    /// The IANA name of the zone in which its clocks are shown.
    pub timezone: String,
    /// Its districts, by name.
    pub districts: Vec<District>,
}

/// A district.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct District {
    /// `districts.id`.
    pub id: i64,
    /// Its name.
    pub name: String,
}
