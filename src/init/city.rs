//! The first city, with its clock.

use super::console::{Question, Talk};
use super::{Error, Given};
use crate::store::Store;
use crate::store::cities;
use crate::store::masters::place::Refusal;

/// What is proposed, from west to east. Any other name that PostgreSQL knows does as well.
const ZONES: [&str; 11] = [
    "Europe/Kaliningrad",
    "Europe/Moscow",
    "Europe/Samara",
    "Asia/Yekaterinburg",
    "Asia/Omsk",
    "Asia/Krasnoyarsk",
    "Asia/Irkutsk",
    "Asia/Yakutsk",
    "Asia/Vladivostok",
    "Asia/Magadan",
    "Asia/Kamchatka",
];

/// A city that is to be added.
pub(super) struct NewCity {
    name: String,
    zone: String,
}

/// Settles which city is to be added, if one is, and changes nothing. `store`: whose PostgreSQL knows the time zones; `is_migrated`:
/// and the cities that are there.
pub(super) async fn choose(
    talk: &mut Talk<'_>,
    given: &Given,
    store: &Store,
    is_migrated: bool,
) -> Result<Option<NewCity>, Error> {
    let known = if is_migrated { cities::all(store).await? } else { Vec::new() };
    if !known.is_empty() && given.city.is_none() {
        let named: Vec<_> = known.iter().map(|city| format!("{} ({})", city.name, city.timezone)).collect();
        talk.say(&format!("Cities: {}.", named.join(", ")))?;
        return Ok(None);
    }
    let question = Question { text: "City:", flag: "--city", given: given.city.clone(), usual: None, hidden: false };
    let name = talk.settle(question, async |name: &str| one_line(name)).await?;
    if let Some(there) = known.iter().find(|there| there.name == name) {
        if given.timezone.as_ref().is_some_and(|timezone| *timezone != there.timezone) {
            return Err(Error::Wrong("--timezone", is_elsewhere(&name, &there.timezone)));
        }
        talk.say(&format!("  {} is there, in {}.", there.name, there.timezone))?;
        return Ok(None);
    }
    for (number, zone) in (1..).zip(ZONES) {
        talk.say(&format!("  {number:>2}  {zone}"))?;
    }
    let question = Question {
        text: "Time zone, a number or another name of that kind:",
        flag: "--timezone",
        given: given.timezone.clone(),
        usual: None,
        hidden: false,
    };
    let check = async |answer: &str| {
        // The list is shown to whoever is asked alone.
        let zone = if given.timezone.is_some() { answer } else { named(answer) };
        match cities::knows_timezone(store, zone).await {
            Ok(true) => Ok(zone.to_owned()),
            Ok(false) => Err(is_no_zone(zone)),
            Err(error) => Err(error.to_string()),
        }
    };
    let zone = talk.settle(question, check).await?;
    Ok(Some(NewCity { name, zone }))
}

/// Adds it.
pub(super) async fn add(talk: &mut Talk<'_>, store: &Store, NewCity { name, zone }: &NewCity) -> Result<(), Error> {
    match cities::add(store, name, zone).await? {
        Ok(_) => Ok(talk.say(&format!("  {name} is in {zone}."))?),
        // Somebody else has been at work meanwhile.
        Err(Refusal::OtherTimezone(known)) => Err(Error::Wrong("--timezone", is_elsewhere(name, &known))),
        Err(_) => Err(Error::Wrong("--timezone", is_no_zone(zone))),
    }
}

fn is_elsewhere(city: &str, zone: &str) -> String {
    format!("{city} is there already, in {zone}")
}

fn is_no_zone(zone: &str) -> String {
    let wrong = if zone.is_empty() { "nothing was said".to_owned() } else { format!("{zone} is no time zone") };
    format!("{wrong}: expected a number of the list, or a name such as Europe/Moscow")
}

/// The zone of that number, or of that name.
fn named(answer: &str) -> &str {
    // "+3" is somebody's distance from UTC, and no number of the list.
    let number = answer.bytes().all(|byte| byte.is_ascii_digit()).then(|| answer.parse::<usize>().ok()).flatten();
    let number = number.and_then(|number| number.checked_sub(1));
    number.and_then(|number| ZONES.get(number)).copied().unwrap_or(answer)
}

/// A name that fits on a button.
pub(super) fn one_line(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = !text.is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err("expected up to 200 characters on one line".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_number_of_the_list_or_a_name() {
        assert_eq!([named("1"), named("4"), named("11")], [ZONES[0], "Asia/Yekaterinburg", "Asia/Kamchatka"]);
        for other in ["0", "12", "+3", "", "Asia/Tomsk"] {
            assert_eq!(named(other), other);
        }
    }

    #[test]
    fn a_name_is_a_line() {
        assert_eq!(one_line("  Тверь "), Ok("Тверь".to_owned()));
        assert!(one_line("").is_err() && one_line("а\nб").is_err() && one_line(&"я".repeat(201)).is_err());
    }
}
