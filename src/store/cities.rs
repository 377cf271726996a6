//! `cities`: their clocks, and what programs read of them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::masters::place::{self, Refusal};
use super::{Connection, Error, Statement, Store, column, statement};
use crate::model::city::{CityRecord, District};
use crate::model::slot::{DAYS_AHEAD, LocalTimeRefusal};
use crate::model::{CityId, OrderId, StaffRef};

/// Shows cities whose time zone the server does not know (any more) in UTC, and those whose zone it knows again in theirs;
/// the lost ones, each as `city=1 (Mars/Olympus)`: their names are what somebody wrote.
pub(super) async fn show_lost_in_utc(connection: Connection) -> Result<String, Error> {
    const CHECK: Statement = statement!(
        "cities.check_timezones",
        [],
        "WITH checked AS (
             UPDATE cities
             SET shown_timezone = known_timezone(timezone),
                 timezone_lost_at = CASE WHEN known_timezone(timezone) <> timezone THEN coalesce(timezone_lost_at, now()) END
             WHERE id IN (
                 SELECT id FROM cities WHERE shown_timezone <> known_timezone(timezone) FOR NO KEY UPDATE SKIP LOCKED)
         )
         SELECT coalesce(string_agg(
                    concat('city=', id, CASE WHEN timezone ~ '^[A-Za-z0-9_+/-]{1,64}$' THEN concat(' (', timezone, ')') END),
                    ', ' ORDER BY id), '') AS lost
         FROM cities WHERE known_timezone(timezone) <> timezone"
    );
    column(&connection.fetch(&CHECK, &[]).await?[0], "lost")
}

/// Checks every city's time zone, since the server's zone data may have changed; those that it does not know, and
/// that are shown in UTC, as `city=1 (Mars/Olympus)`.
///
/// # Errors
/// When the database failed.
pub async fn check_timezones(store: &Store) -> Result<String, Error> {
    store.run(show_lost_in_utc).await
}

/// A city, as an operator sees one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its time zone.
    pub timezone: String,
}

/// Reads all cities, the first one first.
///
/// # Errors
/// When the database failed.
pub async fn all(store: &Store) -> Result<Vec<Entry>, Error> {
    const ALL: Statement = statement!("cities.all", [], "SELECT name, timezone FROM cities ORDER BY id");
    let rows = store.run(async |connection: Connection| connection.fetch(&ALL, &[]).await).await?;
    rows.iter().map(|row| Ok(Entry { name: column(row, "name")?, timezone: column(row, "timezone")? })).collect()
}

/// Whether PostgreSQL knows a time zone of that name. Needs no table.
///
/// # Errors
/// When the database failed.
pub async fn knows_timezone(store: &Store, timezone: &str) -> Result<bool, Error> {
    const KNOWS: Statement = statement!(
        "cities.knows_timezone",
        [TEXT],
        "SELECT EXISTS (SELECT FROM pg_timezone_names WHERE name = $1 /* timezone */) AS is_known"
    );
    let rows = store.run(async |connection: Connection| connection.fetch(&KNOWS, &[&timezone]).await).await?;
    column(&rows[0], "is_known")
}

/// Adds a city, unless it is there in that time zone already.
///
/// # Errors
/// When the database failed.
pub async fn add(store: &Store, name: &str, timezone: &str) -> Result<Result<CityId, Refusal>, Error> {
    store
        .run(async |connection: Connection| {
            connection.begin().await?;
            place::lock_places(&connection).await?;
            let city = place::city(&connection, name, Some(timezone)).await?;
            connection.commit().await?;
            Ok(city.map(CityId))
        })
        .await
}

/// Reads the cities of somebody of the staff, by name.
///
/// # Errors
/// When the database failed.
pub(crate) async fn of(store: &Store, staff: StaffRef) -> Result<Vec<CityRecord>, Error> {
    const OF: Statement = statement!(
        "cities.of_staff",
        [INT8, INT8],
        "SELECT cities.id, cities.name, cities.shown_timezone,
                ARRAY (SELECT districts.id FROM districts WHERE city_id = cities.id ORDER BY name, districts.id) AS district_ids,
                ARRAY (SELECT districts.name FROM districts WHERE city_id = cities.id ORDER BY name, districts.id) AS district_names
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN cities ON cities.id = ANY (who.cities)
         ORDER BY cities.name, cities.id"
    );
    let city = |row: &Row| {
        Ok(CityRecord {
            id: CityId(column(row, "id")?),
            name: column(row, "name")?,
            timezone: column(row, "shown_timezone")?,
            districts: districts(row)?,
        })
    };
    store
        .run(async |connection: Connection| {
            let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user()];
            connection.fetch(&OF, &params).await?.iter().map(city).collect()
        })
        .await
}

/// Reads the districts of a city's row.
pub(super) fn districts(row: &Row) -> Result<Vec<District>, Error> {
    let (ids, names): (Vec<i64>, Vec<String>) = (column(row, "district_ids")?, column(row, "district_names")?);
    Ok(ids.into_iter().zip(names).map(|(id, name)| District { id, name }).collect())
}

/// Reads what the clocks of an order's city show at two moments. `None`: there is no such order in the cities of that person.
///
/// # Errors
/// When the database failed.
pub(crate) async fn on_the_clocks_of(
    store: &Store,
    staff: StaffRef,
    order: OrderId,
    (from, until): (Timestamp, Timestamp),
) -> Result<Option<Result<(DateTime, DateTime), LocalTimeRefusal>>, Error> {
    const CLOCKS: Statement = statement!(
        "cities.clocks_of_order",
        [INT8, INT8, INT8, TIMESTAMPTZ, TIMESTAMPTZ, TIMESTAMPTZ, INT4],
        "SELECT local.starts AS local_from, local.ends AS local_until,
                $4 > coalesce($6, now()) /* now */ + make_interval(days => $7) /* days ahead */ AS is_far,
                (local.starts AT TIME ZONE cities.shown_timezone, local.ends AT TIME ZONE cities.shown_timezone) <> ($4, $5)
                    AS is_ambiguous
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         JOIN orders ON orders.id = $3 /* order */ AND orders.city_id = ANY (who.cities)
         JOIN cities ON cities.id = orders.city_id
         CROSS JOIN LATERAL (
             SELECT $4 /* from */ AT TIME ZONE cities.shown_timezone AS starts,
                    $5 /* until */ AT TIME ZONE cities.shown_timezone AS ends
         ) AS local"
    );
    store
        .run(async |connection: Connection| {
            let (id, user, now) = (staff.id(), staff.telegram_user(), store.now());
            let params: [&(dyn ToSql + Sync); 7] = [&id, &user, &order.0, &from, &until, &now, &DAYS_AHEAD];
            let rows = connection.fetch(&CLOCKS, &params).await?;
            let read = |row: &Row| {
                Ok(if column(row, "is_far")? {
                    Err(LocalTimeRefusal::TooFar)
                } else if column(row, "is_ambiguous")? {
                    Err(LocalTimeRefusal::Ambiguous)
                } else {
                    Ok((column(row, "local_from")?, column(row, "local_until")?))
                })
            };
            rows.first().map(read).transpose()
        })
        .await
}
