//! An order in free words, as a client says it or a colleague passes it on, becomes the fields of an order.
//!
//! What was understood is taken, and each field says which words it took; everything else is the description, as it was
//! written. Nothing is certain here: a dispatcher sees the result before anything is made of it. So a field that could be
//! two things is left alone rather than guessed.
//!
//! The words of a language are a [`Vocabulary`]; here are the rules alone.

mod address;
mod name;
mod phone;
mod place;
mod text;
mod trade;
mod vocabulary;
pub mod when;

pub use vocabulary::{Part, Vocabulary};

use super::city::City;
use super::slot::When;
use super::{Category, CityId, Phone};
use text::Words;

/// A field, and the words that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// What it is.
    pub value: T,
    /// As it was written.
    pub took: String,
}

/// What a message came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pasted {
    /// The trade. Its words stay in the description, which they describe.
    pub category: Option<Found<Category>>,
    /// One of the cities.
    pub city: Option<Found<CityId>>,
    /// One of that city's districts.
    pub district: Option<Found<i64>>,
    /// Street, house, flat.
    pub address: Option<Found<String>>,
    /// The client's phone.
    pub phone: Option<Found<Phone>>,
    /// The client's name.
    pub name: Option<Found<String>>,
    /// When the master is to come.
    pub when: Option<Found<When>>,
    /// What was not understood, as it was written.
    pub rest: String,
}

impl Pasted {
    /// How many fields were found.
    #[must_use]
    pub fn found(&self) -> usize {
        let found = [
            self.category.is_some(),
            self.city.is_some(),
            self.district.is_some(),
            self.address.is_some(),
            self.phone.is_some(),
            self.name.is_some(),
            self.when.is_some(),
        ];
        found.into_iter().filter(|found| *found).count()
    }
}

/// Reads a message. Of a time that is another one in another of the cities, with the city unsaid, nothing is taken.
#[must_use]
pub fn read(message: &str, cities: &[City], vocabulary: &Vocabulary) -> Pasted {
    let mut words = Words::of(message);
    let phone = phone::take(&mut words, vocabulary);
    let city = place::take_city(&mut words, cities, vocabulary);
    let known = match (&city, cities) {
        (Some(found), _) => cities.iter().find(|city| city.id == found.value),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let district = known.and_then(|city| place::take_district(&mut words, city, vocabulary));
    let address = address::take(&mut words, vocabulary);
    let clocks = known.map_or(cities, std::slice::from_ref);
    let when = when::take(&mut words, clocks, vocabulary);
    let name = name::take(&mut words, vocabulary);
    let category = trade::find(&words, vocabulary);
    Pasted { category, city, district, address, phone, name, when, rest: words.rest(vocabulary) }
}

/// The trade that words name, by itself.
#[must_use]
pub fn trade_of(written: &str, vocabulary: &Vocabulary) -> Option<Category> {
    trade::find(&Words::of(written), vocabulary).map(|found| found.value)
}

/// The one of several named things that words name: its name, or the beginning of it, whatever its case.
#[must_use]
pub fn named<'a, T>(written: &str, things: &'a [T], name: impl Fn(&T) -> &str) -> Option<&'a T> {
    place::named(written, things, name)
}
