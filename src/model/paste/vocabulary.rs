//! What the rules ask of a language. All words are in lower case, and without diacritics that people leave out.

use crate::model::Category;

/// Words by what they do.
#[derive(Debug)]
pub struct Vocabulary {
    /// Beginnings of words that tell a trade, and how much they weigh: a thing more than what happens to it.
    pub trades: &'static [(Category, u8, &'static [&'static str])],
    /// What a street, a square or a village is called, before or after its own name.
    pub streets: &'static [&'static str],
    /// What stands before the number of a house, a flat, an entrance, a floor.
    pub numbered: &'static [&'static str],
    /// What stands before the code of a door.
    pub coded: &'static [&'static str],
    /// Endings of words that streets are named by.
    pub street_endings: &'static [&'static str],
    /// No street's name, although a number follows.
    pub no_street: &'static [&'static str],
    /// Follow a number in a street's name.
    pub after_number: &'static [&'static str],
    /// What a city is called, before its own name.
    pub towns: &'static [&'static str],
    /// Other names of cities: what people write, and the beginning of the name that it means.
    pub nicknames: &'static [(&'static str, &'static str)],
    /// What a district is called, before or after its own name.
    pub districts: &'static [&'static str],
    /// Before a phone.
    pub phone_labels: &'static [&'static str],
    /// Before a name.
    pub name_labels: &'static [&'static str],
    /// Before an address.
    pub address_labels: &'static [&'static str],
    /// Words that say nothing once what stood beside them has been taken.
    pub fillers: &'static [&'static str],
    /// First names, as they are said of their bearer.
    pub first_names: &'static [&'static str],
    /// First names that are words too: names only with a capital letter.
    pub names_that_are_words: &'static [&'static str],
    /// Endings of names after the father's.
    pub patronymics: &'static [&'static str],
    /// Days from today: words, and how many days that is.
    pub days: &'static [(&'static str, i32)],
    /// From Monday: the forms of each.
    pub weekdays: [&'static [&'static str]; 7],
    /// Not the nearest one.
    pub next: &'static [&'static str],
    /// From January: the form after a number.
    pub months: [&'static str; 12],
    /// Parts of a day: phrases, and their hours.
    pub parts: &'static [Part],
    /// Behind an hour of the clock: words, and what they add to an hour before noon.
    pub halves: &'static [(&'static str, i8)],
    /// Behind an hour.
    pub hours: &'static [&'static str],
    /// From one hour…
    pub from: &'static [&'static str],
    /// …to another.
    pub until: &'static [&'static str],
    /// At an hour.
    pub at: &'static [&'static str],
    /// By an hour.
    pub by: &'static [&'static str],
    /// Not before an hour.
    pub after: &'static [&'static str],
    /// In some hours from now.
    pub in_time: &'static [&'static str],
    /// Before a day.
    pub on: &'static [&'static str],
    /// As soon as possible: phrases.
    pub soon: &'static [&'static [&'static str]],
}

/// A part of the day.
#[derive(Debug)]
pub struct Part {
    /// Its words.
    pub words: &'static [&'static str],
    /// From this hour.
    pub from: i8,
    /// Until this one.
    pub until: i8,
}
