//! The migrations that were applied, and the indexes of `offers`.

use std::collections::BTreeMap;

use super::finding::{Finding, or_fine};

/// A migration, as its file is named and as the database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// Its number.
    pub version: i32,
    /// Its name, without the number.
    pub name: String,
    /// Of its text.
    pub checksum: String,
}

impl Migration {
    fn file(&self) -> String {
        format!("V{}__{}", self.version, self.name)
    }
}

/// What this release brings, and what the database has.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The migrations of this release.
    pub ours: Vec<Migration>,
    /// Those that were applied; `None`: there has never been one.
    pub applied: Option<Vec<Migration>>,
}

/// An index, as the server has it.
#[derive(Clone, Debug)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Whether it is one of `offers`.
    pub of_offers: bool,
    /// Whether queries can use it, and it is kept.
    pub valid: bool,
    /// Whether it allows a value once.
    pub unique: bool,
}

/// The indexes of `offers` that a deployment is checked for, and whether each is to be unique.
const INDEXES: [(&str, bool); 5] = [
    ("idx_offers_active_state", false),
    ("idx_offers_master_active", false),
    ("idx_offers_not_expired", false),
    ("idx_offers_order_master_active", true),
    ("offers_one_accepted_per_order", true),
];

/// Code of the finding that this release has more migrations.
pub const MIGRATIONS_MISSING: &str = "migrations_missing";

const MIGRATE: &str = "run `field-service migrate`, while people work";

impl Schema {
    /// Whether a migration was ever applied: without one there is nothing else to be looked at.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.applied.as_ref().is_some_and(|applied| !applied.is_empty())
    }
}

/// Judges the migrations.
#[must_use]
pub fn judge(schema: &Schema) -> Vec<Finding> {
    let Schema { ours, applied: Some(applied) } = schema else { return vec![never_migrated()] };
    if !schema.is_there() {
        return vec![never_migrated()];
    }
    let known: BTreeMap<i32, &Migration> = ours.iter().map(|migration| (migration.version, migration)).collect();
    let newest = known.keys().next_back().copied().unwrap_or_default();
    let is_there = |ours: &&Migration| applied.iter().any(|applied| applied.version == ours.version);
    let files = |migrations: Vec<&Migration>| migrations.into_iter().map(Migration::file).collect::<Vec<_>>();
    let missing = files(ours.iter().filter(|ours| !is_there(ours)).collect());
    let unknown = |applied: &&Migration| !known.contains_key(&applied.version);
    let newer = files(applied.iter().filter(unknown).filter(|applied| applied.version > newest).collect());
    let mut changed = applied.iter().filter(|applied| known.get(&applied.version).is_some_and(|ours| ours != applied));
    let changed: Vec<_> = changed.by_ref().map(Migration::file).collect();
    let foreign = files(applied.iter().filter(unknown).filter(|applied| applied.version < newest).collect());

    let mut findings = Vec::new();
    if !missing.is_empty() {
        findings.push(Finding::wrong(MIGRATIONS_MISSING, format!("not applied: {}", missing.join(", ")), MIGRATE));
    }
    if !changed.is_empty() {
        findings.push(Finding::wrong(
            "migrations_changed",
            format!("applied with another text than this release has: {}", changed.join(", ")),
            "an applied file stays as it is: run the release that the database was migrated with, or one that follows it",
        ));
    }
    if !foreign.is_empty() {
        findings.push(Finding::wrong(
            "migrations_foreign",
            format!("applied, and not of this release: {}", foreign.join(", ")),
            "the database is of another line of releases: run one of that",
        ));
    }
    if !newer.is_empty() {
        findings.push(Finding::warning(
            "schema_newer",
            format!("the database is newer than this program: {}", newer.join(", ")),
            "the release before the database's runs on it, and none before that: deploy the newer one",
        ));
    }
    or_fine(findings, || format!("up to date at V{newest}"))
}

fn never_migrated() -> Finding {
    Finding::wrong("never_migrated", "no migrations were applied: the database has no schema yet", MIGRATE)
}

/// Judges the indexes.
#[must_use]
pub fn judge_indexes(indexes: &[Index]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, unique) in INDEXES {
        let Some(index) = indexes.iter().find(|index| index.of_offers && index.name == name) else {
            findings.push(Finding::wrong(
                "index_missing",
                format!("{name} is not there"),
                "create it as migrations/V1__schema.sql does, with CREATE INDEX CONCURRENTLY",
            ));
            continue;
        };
        if unique && !index.unique {
            findings.push(Finding::wrong(
                "index_not_unique",
                format!("{name} is not unique: nothing in the database stops a second winner"),
                "create it anew as migrations/V1__schema.sql does",
            ));
        }
    }
    for index in indexes.iter().filter(|index| !index.valid) {
        findings.push(Finding::wrong(
            "index_invalid",
            format!("{} is not valid: it was begun CONCURRENTLY and not finished", index.name),
            format!("REINDEX INDEX CONCURRENTLY {}", index.name),
        ));
    }
    or_fine(findings, || format!("the {} indexes of offers are there and valid", INDEXES.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn migration(version: i32, checksum: &str) -> Migration {
        Migration { version, name: format!("file{version}"), checksum: checksum.to_owned() }
    }

    #[test]
    fn migrations_are_missing_changed_foreign_or_newer() {
        let ours: Vec<_> = [1, 2, 4].map(|version| migration(version, "a")).into();
        let codes = |applied: &[(i32, &str)]| -> Vec<&'static str> {
            let applied = applied.iter().map(|(version, checksum)| migration(*version, checksum)).collect();
            judge(&Schema { ours: ours.clone(), applied: Some(applied) }).iter().map(|finding| finding.code).collect()
        };
        assert_eq!(codes(&[(1, "a"), (2, "a"), (4, "a")]), ["ok"]);
        assert_eq!(codes(&[(1, "a"), (2, "a")]), ["migrations_missing"]);
        assert_eq!(codes(&[(1, "a"), (2, "b"), (4, "a")]), ["migrations_changed"]);
        assert_eq!(codes(&[(1, "a"), (2, "a"), (3, "a"), (4, "a")]), ["migrations_foreign"]);
        assert_eq!(codes(&[(1, "a"), (2, "a"), (4, "a"), (5, "a")]), ["schema_newer"]);
        assert_eq!(codes(&[]), ["never_migrated"]);
        assert_eq!(judge(&Schema { ours, applied: None })[0].code, "never_migrated");
    }

    #[test]
    fn an_index_is_there_is_valid_and_keeps_its_promise() {
        let sound =
            || INDEXES.map(|(name, unique)| Index { name: name.to_owned(), of_offers: true, valid: true, unique });
        let codes = |indexes: &[Index]| judge_indexes(indexes).iter().map(|finding| finding.code).collect::<Vec<_>>();
        assert_eq!(codes(&sound()), ["ok"]);
        assert_eq!(codes(&sound()[1..]), ["index_missing"]);
        let mut odd = sound();
        (odd[0].of_offers, odd[1].valid, odd[3].unique) = (false, false, false);
        assert_eq!(codes(&odd), ["index_missing", "index_not_unique", "index_invalid"]);
    }
}
