//! The staff: whether there is somebody to be called, and whom the bot can write to.

use super::finding::{Finding, Read, or_fine};
use super::listed;

/// Those who may work in the dispatchers' bot.
#[derive(Clone, Debug, Default)]
pub struct Staff {
    /// Each of them; programs are not.
    pub people: Vec<Person>,
    /// The cities with masters in which nobody who can be reached is called for an order.
    pub cities: Vec<i64>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// The number.
    pub id: i64,
    /// Whether it is an admin.
    pub admin: bool,
    /// Telegram has said that the bot cannot write to the person.
    pub unreachable: bool,
}

/// What Telegram says of whether they have opened the bot.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// The numbers of those who never have.
    pub never: Vec<i64>,
    /// How many it was not asked about, as there are too many.
    pub unasked: usize,
}

/// Judges the staff.
#[must_use]
pub fn judge(Staff { people, cities }: &Staff, opened: &Read<Opened>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !people.iter().any(|person| person.admin) {
        findings.push(Finding::wrong(
            "no_admin",
            "there is no admin who is active: nobody can let anybody in",
            "`field-service staff add --telegram-id ID --name NAME --role admin`",
        ));
    }
    let never = opened.as_ref().map(|opened| opened.never.as_slice()).unwrap_or_default();
    let silent = people.iter().filter(|person| person.unreachable && !never.contains(&person.id));
    let silent: Vec<_> = silent.map(|person| person.id).collect();
    if !never.is_empty() {
        findings.push(Finding::warning(
            "staff_never_opened",
            format!("staff that never opened the dispatchers' bot, and is not called: {}", listed(never)),
            "let them open it and press Start; `field-service staff list` shows who they are",
        ));
    }
    if !silent.is_empty() {
        findings.push(Finding::warning(
            "staff_unreachable",
            format!(
                "of the staff {} have blocked the dispatchers' bot or deleted their account: {}",
                silent.len(),
                listed(&silent)
            ),
            "let them write to it, or `field-service staff deactivate`",
        ));
    }
    if !cities.is_empty() {
        findings.push(Finding::wrong(
            "nobody_on_call",
            format!("nobody can be called for the orders of these cities: {}", listed(cities)),
            "let somebody who works there open the dispatchers' bot, or add somebody: `field-service staff add`",
        ));
    }
    match opened {
        Err(unread) if !people.is_empty() => {
            findings.push(Finding::unchecked(format!("whether they have opened the bot: {}", unread.why())));
        }
        _ => {}
    }
    or_fine(findings, || {
        let unasked = opened.as_ref().map_or(0, |opened| opened.unasked);
        let more = if unasked > 0 { format!(" ({unasked} not asked about)") } else { String::new() };
        format!("active: {}, and the bot can write to each{more}", people.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::doctor::finding::Unread;

    #[test]
    fn there_is_an_admin_and_everybody_can_be_written_to() {
        let person = |id| Person { id, admin: id == 1, unreachable: false };
        let codes = |people: &[Person], cities: &[i64], opened: Read<Opened>| -> Vec<&'static str> {
            let staff = Staff { people: people.to_vec(), cities: cities.to_vec() };
            judge(&staff, &opened).iter().map(|finding| finding.code).collect()
        };
        let all = || Ok(Opened::default());
        let blocked = Person { unreachable: true, ..person(3) };
        assert_eq!(codes(&[person(1), person(2)], &[], all()), ["ok"]);
        assert_eq!(codes(&[person(2)], &[], all()), ["no_admin"]);
        assert_eq!(codes(&[person(1), blocked], &[], all()), ["staff_unreachable"]);
        let never = || Ok(Opened { never: vec![3], unasked: 0 });
        assert_eq!(codes(&[person(1), blocked], &[], never()), ["staff_never_opened"], "said once");
        assert_eq!(codes(&[person(1)], &[7], all()), ["nobody_on_call"]);
        assert_eq!(codes(&[person(1)], &[], Err(Unread::Failed("away".to_owned()))), ["not_checked"]);
    }
}
