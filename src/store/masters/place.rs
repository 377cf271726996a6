//! Where a master works: a city, and in it the districts, each by its name. Both can be added on the way.

use crate::store::{Connection, Error, Statement, column, statement};

/// Which districts a master is to work in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Districts {
    /// Those of these names, which must be there.
    pub named: Vec<String>,
    /// Those of these names, which are added unless they are there.
    pub new: Vec<String>,
    /// All that there are.
    pub all: bool,
}

impl Districts {
    /// Whether nothing was said about them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.named.is_empty() && self.new.is_empty() && !self.all
    }
}

/// What was asked for cannot be done, or would make a master who is never offered anything. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such city, and no time zone to add it with; these there are.
    UnknownCity(Vec<String>),
    /// PostgreSQL does not know the time zone.
    UnknownTimezone,
    /// The city is there, in this other time zone.
    OtherTimezone(String),
    /// The city has districts, these, and none was named.
    DistrictNeeded(Vec<String>),
    /// The city has no such district; these it has.
    UnknownDistrict(String, Vec<String>),
    /// No trade was named.
    CategoryNeeded,
    /// The Telegram id is that of another master.
    TelegramIdTaken(i64),
}

/// Makes whoever adds or changes masters, cities and districts wait for another one: cities and districts have no unique
/// names that the database would watch over. Until the transaction ends, what is changed of masters is an operator's change.
pub(in crate::store) async fn lock_places(connection: &Connection) -> Result<(), Error> {
    const LOCK: Statement = statement!(
        "masters.lock_places",
        [],
        "SELECT pg_advisory_xact_lock(7955996), set_config('field_service.changed_by', 'OPERATOR', true)"
    );
    connection.fetch(&LOCK, &[]).await.map(drop)
}

/// Finds a city, or adds it if there is a time zone to add it with.
pub(in crate::store) async fn city(
    connection: &Connection,
    name: &str,
    timezone: Option<&str>,
) -> Result<Result<i64, Refusal>, Error> {
    const FIND: Statement = statement!(
        "cities.find",
        [TEXT],
        "SELECT id, timezone FROM cities WHERE name = $1 /* name */ ORDER BY id LIMIT 1"
    );
    const ADD: Statement = statement!(
        "cities.add",
        [TEXT, TEXT],
        "INSERT INTO cities (name, timezone)
         SELECT $1 /* name */, $2 /* timezone */
         -- Names only: PostgreSQL would take UTC+5 too, and mean the other side of Greenwich.
         WHERE EXISTS (SELECT FROM pg_timezone_names WHERE name = $2)
         RETURNING id"
    );
    const NAMES: Statement =
        statement!("cities.names", [], "SELECT ARRAY (SELECT name FROM cities ORDER BY id LIMIT 30) AS names");
    let found = connection.fetch(&FIND, &[&name]).await?;
    if let Some(row) = found.first() {
        let known: String = column(row, "timezone")?;
        return Ok(match timezone {
            Some(timezone) if timezone != known => Err(Refusal::OtherTimezone(known)),
            _ => Ok(column(row, "id")?),
        });
    }
    let Some(timezone) = timezone else {
        return Ok(Err(Refusal::UnknownCity(column(&connection.fetch(&NAMES, &[]).await?[0], "names")?)));
    };
    let added = connection.fetch(&ADD, &[&name, &timezone]).await?;
    added.first().map_or(Ok(Err(Refusal::UnknownTimezone)), |row| Ok(Ok(column(row, "id")?)))
}

/// The districts of a city that are asked for, after adding those that are new; none, if the city has none and none is asked
/// for.
pub(super) async fn districts(
    connection: &Connection,
    city: i64,
    asked: &Districts,
) -> Result<Result<Vec<i64>, Refusal>, Error> {
    const ADD: Statement = statement!(
        "districts.add",
        [INT8, TEXT_ARRAY],
        "INSERT INTO districts (city_id, name)
         SELECT DISTINCT $1::bigint /* city */, name FROM unnest($2 /* names */) AS name
         WHERE NOT EXISTS (SELECT FROM districts WHERE city_id = $1 AND districts.name = name.name)"
    );
    const OF_CITY: Statement = statement!(
        "districts.of_city",
        [INT8],
        "SELECT id, name FROM districts WHERE city_id = $1 /* city */ ORDER BY name, id"
    );
    if !asked.new.is_empty() {
        connection.fetch(&ADD, &[&city, &asked.new]).await?;
    }
    let rows = connection.fetch(&OF_CITY, &[&city]).await?;
    let there = rows
        .iter()
        .map(|row| Ok((column(row, "id")?, column(row, "name")?)))
        .collect::<Result<Vec<(i64, String)>, Error>>()?;
    let names = || there.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>();
    if asked.is_empty() {
        return Ok(if there.is_empty() { Ok(Vec::new()) } else { Err(Refusal::DistrictNeeded(names())) });
    }
    let wanted = || asked.named.iter().chain(&asked.new);
    if let Some(unknown) = wanted().find(|wanted| there.iter().all(|(_, name)| name != *wanted)) {
        return Ok(Err(Refusal::UnknownDistrict(unknown.clone(), names())));
    }
    let chosen = there.iter().filter(|(_, name)| asked.all || wanted().any(|wanted| wanted == name));
    Ok(Ok(chosen.map(|(id, _)| *id).collect()))
}
