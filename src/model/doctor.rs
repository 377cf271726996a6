//! What is wrong with an installation: judgements of what was read of it, without I/O.
//!
//! Each check is judged alone, from its own facts. What could not be read is a finding too, and stops no other check.

pub mod cities;
pub mod clocks;
pub mod finding;
pub mod health;
pub mod masters;
pub mod messages;
pub mod rights;
pub mod schema;
pub mod server;
pub mod staff;
pub mod webhook;

use finding::{Check, Finding, Read, Report, Unread, or_fine};

/// All that was read.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What is wrong with the settings, or odd.
    pub settings: Vec<Finding>,
    /// What kept the database of one's own from being started.
    pub not_started: Option<Finding>,
    /// This machine's clock, in seconds since 1970.
    pub now: i64,
    /// The database's server.
    pub server: Read<server::Server>,
    /// What the role may do.
    pub rights: Read<rights::Rights>,
    /// The migrations.
    pub schema: Read<schema::Schema>,
    /// The indexes of `offers`.
    pub indexes: Read<Vec<schema::Index>>,
    /// How statements are sent, and through what.
    pub statements: Read<server::Statements>,
    /// The database's clock.
    pub database_clock: Read<clocks::Reading>,
    /// Telegram's clock.
    pub telegram_clock: Read<clocks::Reading>,
    /// Both bots.
    pub bots: [webhook::Bot; 2],
    /// What the server says of itself where people reach it; nothing, if it is not known where that is.
    pub health: Option<Read<health::Health>>,
    /// What jobs have left undone.
    pub undone: Read<health::Undone>,
    /// The staff.
    pub staff: Read<staff::Staff>,
    /// Who of the staff has opened the bot.
    pub opened: Read<staff::Opened>,
    /// The masters.
    pub masters: Read<Vec<masters::Master>>,
    /// What waits to be delivered.
    pub messages: Read<messages::Backlog>,
    /// The cities.
    pub cities: Read<cities::Cities>,
}

/// Judges everything: one check after another, each with at least one finding. What needs a schema is no check where there is none.
#[must_use]
pub fn judge(facts: &Facts) -> Report {
    let reached = facts.server.is_ok();
    let mut server = facts.server.clone();
    if let (Ok(server), Ok(schema)) = (&mut server, &facts.schema)
        && !schema.is_there()
    {
        // It is `migrate` that makes them.
        server.unset.clear();
    }
    let [master, admin] = &facts.bots;
    let polled = matches!(&facts.health, Some(Ok(health)) if health.is_polling());
    let telegram_now = facts.telegram_clock.as_ref().map_or(facts.now, |reading| reading.of(facts.now));
    let has_staff = facts.staff.as_ref().is_ok_and(|staff| !staff.people.is_empty());
    let in_use = has_staff || facts.masters.as_ref().is_ok_and(|masters| !masters.is_empty());
    let bot = |bot| webhook::judge(bot, telegram_now, polled, in_use);
    let fetched = facts.bots.iter().all(webhook::Bot::is_fetched);
    let database = facts.not_started.iter().cloned().chain(server::judge(&server)).collect();
    let checks = [
        ("settings", of_settings(&facts.settings, fetched)),
        ("database", database),
        ("rights", of_database(reached, &facts.rights, rights::judge)),
        ("schema", of_database(reached, &facts.schema, schema::judge)),
        ("indexes", of_database(reached, &facts.indexes, |indexes| schema::judge_indexes(indexes))),
        ("statements", of_database(reached, &facts.statements, server::judge_statements)),
        ("clocks", clocks::judge(&facts.database_clock, &facts.telegram_clock)),
        ("master_bot", bot(master)),
        ("admin_bot", bot(admin)),
        ("connections", webhook::judge_connections(&facts.bots, facts.server.as_ref().ok())),
        ("public_url", health::judge(facts.health.as_ref(), fetched)),
        ("jobs", health::judge_jobs(facts.health.as_ref(), &facts.undone, reached)),
        ("staff", of_database(reached, &facts.staff, |staff| staff::judge(staff, &facts.opened))),
        ("masters", of_database(reached, &facts.masters, |masters| masters::judge(masters))),
        ("messages", of_database(reached, &facts.messages, messages::judge)),
        ("cities", of_database(reached, &facts.cities, cities::judge)),
    ];
    let checks = checks.into_iter().filter(|(_, findings)| !findings.is_empty());
    Report { checks: checks.map(|(name, findings)| Check { name, findings }).collect() }
}

/// What is said of the settings. `fetched`: whether a `serve --poll` serves both bots, which does without a webhook's secrets.
fn of_settings(findings: &[Finding], fetched: bool) -> Vec<Finding> {
    let counts = |finding: &&Finding| !fetched || finding.code != finding::SECRET_MISSING;
    or_fine(findings.iter().filter(counts).cloned().collect(), || {
        "all that is needed is set and well formed".to_owned()
    })
}

/// What is said of what stands in the database. That it was not reached is said once, and not by every check; and of what was not
/// asked for nothing is said, as that there is no schema says it all.
fn of_database<T>(reached: bool, read: &Read<T>, judge: impl Fn(&T) -> Vec<Finding>) -> Vec<Finding> {
    match read {
        Ok(facts) => judge(facts),
        Err(Unread::NeverMigrated) => Vec::new(),
        Err(_) if !reached => vec![Finding::unchecked("the database was not reached")],
        Err(unread) => vec![unread.finding()],
    }
}

/// The first numbers of a list, and how many more there are.
fn listed(numbers: &[i64]) -> String {
    const NAMED: usize = 10;
    let named = numbers.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match numbers.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// A time in words, as rough as an operator needs it.
fn rough(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_names_the_first_ones() {
        assert_eq!(listed(&[1, 2]), "1, 2");
        let numbers: Vec<i64> = (1..=12).collect();
        assert_eq!(listed(&numbers), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
        assert_eq!([119, 120, 7200, 172_800].map(rough), ["119 s", "2 min", "2 h", "2 days"]);
    }

    #[test]
    fn whoever_fetches_updates_needs_no_secret_of_a_webhook() {
        let missing = Finding::warning(finding::SECRET_MISSING, "x", "x");
        let codes = |fetched| {
            let findings = of_settings(&[missing.clone(), Finding::wrong("setting", "x", "x")], fetched);
            findings.iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        assert_eq!((codes(false), codes(true)), (vec![finding::SECRET_MISSING, "setting"], vec!["setting"]));
        assert_eq!(of_settings(&[missing], true)[0].code, "ok");
    }

    #[test]
    fn that_the_database_was_not_reached_is_said_once() {
        let of = |reached| {
            of_database(reached, &Err::<(), _>(Unread::Failed("connecting: refused".to_owned())), |()| Vec::new())
        };
        assert_eq!(of(false), [Finding::unchecked("the database was not reached")]);
        assert!(of(true)[0].what.contains("connecting: refused"));
    }
}
