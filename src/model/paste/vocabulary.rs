//! What the rules ask of a language. All words are in lower case, and without diacritics that people leave out.

use crate::model::Category;

/// Words by what they do.
#[derive(Debug)]
pub struct Vocabulary {
    /// Beginnings of words that tell a trade, and how much they weigh: a thing more than what happens to it.
    pub trades: &'static [(Category, u8, &'static [&'static str])],
    /// Words that ask for somebody of a trade, and say nothing of the work.
    pub requests: &'static [&'static str],
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
    /// Follow a number that says how much of something there is.
    pub measures: &'static [&'static str],
    /// Beginnings of the names of makers, whose models have numbers.
    pub makers: &'static [&'static str],
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
    /// Before a further phone.
    pub spare_labels: &'static [&'static str],
    /// Between the client's name and the further phones.
    pub also: &'static str,
    /// Before a name.
    pub name_labels: &'static [&'static str],
    /// Before an address.
    pub address_labels: &'static [&'static str],
    /// Words that say nothing once what stood beside them has been taken.
    pub fillers: &'static [&'static str],
    /// How people greet: phrases, which say nothing once what stood beside them has been taken.
    pub greetings: &'static [&'static [&'static str]],
    /// What belongs to the words behind it, and says nothing once these have been taken.
    pub prepositions: &'static [&'static str],
    /// First names, as they are said of their bearer.
    pub first_names: &'static [&'static str],
    /// First names that are words too: names only with a capital letter.
    pub names_that_are_words: &'static [&'static str],
    /// Endings of names after the father's.
    pub patronymics: &'static [&'static str],
    /// Days from today: words, and how many days that is; those before today have passed.
    pub days: &'static [(&'static str, i32)],
    /// From Monday: the forms of each.
    pub weekdays: [&'static [&'static str]; 7],
    /// Not the nearest one.
    pub next: &'static [&'static str],
    /// The one that has passed.
    pub last: &'static [&'static str],
    /// Numbers in words.
    pub numbers: &'static [(&'static str, i32)],
    /// Behind a number of days.
    pub day_units: &'static [&'static str],
    /// Behind a number of weeks.
    pub week_units: &'static [&'static str],
    /// From January: the form after a number, and others that people write there.
    pub months: [&'static [&'static str]; 12],
    /// Behind a day's number, of this month.
    pub of_month: &'static [&'static str],
    /// Parts of a day: phrases, and their hours.
    pub parts: &'static [Part],
    /// Behind an hour of the clock: words, and what they add to an hour before noon.
    pub halves: &'static [(&'static str, i8)],
    /// Behind the minutes of an hour.
    pub minutes: &'static [&'static str],
    /// Behind an hour.
    pub hours: &'static [&'static str],
    /// From one hour…
    pub from: &'static [&'static str],
    /// …to another.
    pub until: &'static [&'static str],
    /// At an hour.
    pub at: &'static [&'static str],
    /// By an hour: phrases.
    pub by: &'static [&'static [&'static str]],
    /// Not before an hour or a day: phrases.
    pub not_before: &'static [&'static [&'static str]],
    /// Not after an hour or a day: phrases.
    pub not_after: &'static [&'static [&'static str]],
    /// Since an hour or a day, of what goes on.
    pub since: &'static [&'static str],
    /// Behind what begins with that: «с вчерашнего дня».
    pub of_day: &'static [&'static str],
    /// In some hours, days or weeks from now.
    pub in_time: &'static [&'static str],
    /// Before a day.
    pub on: &'static [&'static str],
    /// As soon as possible: phrases.
    pub soon: &'static [&'static [&'static str]],
    /// A time, but no certain one to come: phrases.
    pub vague: &'static [&'static [&'static str]],
    /// Before a time that is not meant.
    pub not: &'static [&'static str],
    /// To come, or to be able to; with one of [`Self::not`], no time to come.
    pub to_come: &'static [&'static str],
    /// Behind a time that is not meant.
    pub refusals: &'static [&'static str],
    /// Whoever may stand between a time and its refusal.
    pub persons: &'static [&'static str],
    /// Beginnings of words that tell of somebody who is to come.
    pub visits: &'static [&'static str],
    /// Beginnings of words that tell what has happened, beside [`Self::past_endings`].
    pub happened: &'static [&'static str],
    /// Endings of what has happened.
    pub past_endings: &'static [&'static str],
    /// Beginnings of words that end so and are none.
    pub no_past: &'static [&'static str],
    /// What goes on since a time.
    pub goes_on: &'static [&'static str],
}

/// A part of the day.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Its words.
    pub words: &'static [&'static str],
    /// From this hour.
    pub from: i8,
    /// Until this one.
    pub until: i8,
}
