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
use super::slot::{NoTime, When};
use super::{Category, CityId, Phone};
use text::{Token, Words};

/// The longest name, in characters.
pub const NAME: usize = 100;
/// The longest description, in characters.
pub const DESCRIPTION: usize = 2000;

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
    /// The client's name, and the further phones: only the order's master and the staff see it, as they do the phone.
    pub name: Option<Found<String>>,
    /// When the master is to come. Of a time that is said and cannot be told for certain, or not be promised, why it was not
    /// taken: its words stay in the description, and it is to be asked.
    pub when: Option<Found<Result<When, NoTime>>>,
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
            self.when.as_ref().is_some_and(|found| found.value.is_ok()),
        ];
        found.into_iter().filter(|found| *found).count()
    }
}

/// Reads a message. A time that is another one in another of the cities, with the city unsaid, is not taken.
#[must_use]
pub fn read(message: &str, cities: &[City], vocabulary: &Vocabulary) -> Pasted {
    let mut words = Words::of(message);
    let phone = phone::take(&mut words, vocabulary);
    let mut spare =
        phone.as_ref().map_or_else(Vec::new, |first| phone::take_further(&mut words, &first.value, vocabulary));
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
    spare.extend(phone::take_mistyped(&mut words, vocabulary));
    let name = name::with_phones(name::take(&mut words, vocabulary), &spare, vocabulary);
    let category = trade::find(&words, vocabulary);
    Pasted { category, city, district, address, phone, name, when, rest: words.rest(vocabulary) }
}

/// Whether words that name a trade say more of the work than that: «повесить полку», but not «нужен электрик».
#[must_use]
pub fn describes(written: &str, vocabulary: &Vocabulary) -> bool {
    let words = Words::of(written);
    let says = |index: &usize| {
        words.get(*index).is_some_and(Token::is_word)
            && !words.is_any(*index, vocabulary.requests)
            && !words.is_any(*index, vocabulary.fillers)
    };
    (0..words.len()).filter(says).count() > 1
}

/// The trade that words name, by itself.
#[must_use]
pub fn trade_of(written: &str, vocabulary: &Vocabulary) -> Option<Category> {
    trade::find(&Words::of(written), vocabulary).map(|found| found.value)
}

/// A client's new name, with the further phones that stood behind the one before, unless it says some itself.
#[must_use]
pub fn renamed(name: &str, before: Option<&str>, vocabulary: &Vocabulary) -> String {
    name::renamed(name, before, vocabulary)
}

/// The further phones behind a client's name, or in its place.
#[must_use]
pub fn further_phones<'a>(name: &'a str, vocabulary: &Vocabulary) -> Option<&'a str> {
    name::further(name, vocabulary)
}

/// The first phone of words that say phones and nothing else, and the further ones as they stand behind a name. `None`: there
/// are not several.
#[must_use]
pub fn phones(written: &str, vocabulary: &Vocabulary) -> Option<(Phone, String)> {
    let mut words = Words::of(written);
    let first = phone::take(&mut words, vocabulary)?.value;
    let further = phone::take_further(&mut words, &first, vocabulary);
    let further = name::with_phones(None, &further, vocabulary)?.value;
    words.rest(vocabulary).is_empty().then_some((first, further))
}

/// The one of several named things that words name: its name, or the beginning of it, whatever its case.
#[must_use]
pub fn named<'a, T>(written: &str, things: &'a [T], name: impl Fn(&T) -> &str) -> Option<&'a T> {
    place::named(written, things, name)
}
