//! What `doctor` reads. Nothing is changed.
//!
//! Every statement is sent unnamed, so that it works through any pooler: the store is to be in that mode.

use std::collections::BTreeSet;
use std::time::Instant;

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::{Connection, Error, Statement, Store, column, migrate, outbox, statement};
use crate::model::TelegramUserId;
use crate::model::doctor::cities::Cities;
use crate::model::doctor::clocks::Reading;
use crate::model::doctor::health::Undone;
use crate::model::doctor::masters::Master;
use crate::model::doctor::messages::Backlog;
use crate::model::doctor::rights::Rights;
use crate::model::doctor::schema::{Index, Migration, Schema};
use crate::model::doctor::server::Server;
use crate::model::doctor::staff::{Person, Staff};

/// Reads what the server says of itself.
///
/// # Errors
/// When the database failed.
pub async fn server(store: &Store) -> Result<Server, Error> {
    const SERVER: Statement = statement!(
        "doctor.server",
        [TEXT_ARRAY, TEXT_ARRAY],
        "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::integer AS number,
                pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only,
                current_setting('max_connections')::integer AS max_connections,
                current_setting('server_encoding') AS encoding,
                ARRAY (SELECT name FROM unnest($1, $2) /* settings, values */ AS wanted (name, value)
                       WHERE current_setting(name) <> value ORDER BY name) AS unset"
    );
    let (names, values): (Vec<_>, Vec<_>) = migrate::settings().into_iter().unzip();
    let row = one(store, &SERVER, &[&names, &values]).await?;
    Ok(Server {
        version: column(&row, "version")?,
        number: column(&row, "number")?,
        read_only: column(&row, "read_only")?,
        encoding: column(&row, "encoding")?,
        max_connections: column(&row, "max_connections")?,
        unset: column(&row, "unset")?,
    })
}

/// Reads what the role may do with the tables that migrations have made.
///
/// # Errors
/// When the database failed.
pub async fn rights(store: &Store) -> Result<Rights, Error> {
    const RIGHTS: Statement = statement!("doctor.rights", [TEXT_ARRAY], include_str!("doctor/rights.sql"));
    let tables: Vec<_> = migrate::tables().into_iter().collect();
    let row = one(store, &RIGHTS, &[&tables]).await?;
    let (tables, refused): (Vec<String>, Vec<String>) = (column(&row, "tables")?, column(&row, "refused")?);
    Ok(Rights {
        role: column(&row, "role")?,
        uses_schema: column(&row, "uses_schema")?,
        refused: tables.into_iter().zip(refused).collect(),
        sequences: column(&row, "sequences")?,
        functions: column(&row, "functions")?,
        migrates: column(&row, "migrates")?,
    })
}

/// Reads which migrations were applied.
///
/// # Errors
/// When the database failed.
pub async fn schema(store: &Store) -> Result<Schema, Error> {
    const IS_THERE: Statement =
        statement!("doctor.is_migrated", [], "SELECT to_regclass('refinery_schema_history') IS NOT NULL AS is_there");
    const APPLIED: Statement = statement!(
        "doctor.migrations",
        [],
        "SELECT version, name, checksum FROM refinery_schema_history ORDER BY version"
    );
    let ours = migrate::known();
    if !column::<bool>(&one(store, &IS_THERE, &[]).await?, "is_there")? {
        return Ok(Schema { ours, applied: None });
    }
    let migration = |row: &Row| {
        let (name, checksum) = (column(row, "name")?, column(row, "checksum")?);
        Ok(Migration { version: column(row, "version")?, name, checksum })
    };
    let applied = all(store, &APPLIED, &[]).await?.iter().map(migration).collect::<Result<_, Error>>()?;
    Ok(Schema { ours, applied: Some(applied) })
}

/// The indexes of `offers`, and every other one that is not valid.
pub(super) const INDEXES: Statement = statement!(
    "doctor.indexes",
    [],
    "SELECT relname::text AS name, indrelid IS NOT DISTINCT FROM to_regclass('public.offers')::oid AS of_offers,
            indisvalid AND indisready AS valid, indisunique AS is_unique
     FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE relnamespace = to_regnamespace('public')
       AND (indrelid = to_regclass('public.offers') OR NOT (indisvalid AND indisready))
     ORDER BY relname"
);

/// Reads the indexes of `offers`, and every other one that is not valid.
///
/// # Errors
/// When the database failed.
pub async fn indexes(store: &Store) -> Result<Vec<Index>, Error> {
    let index = |row: &Row| {
        Ok(Index {
            name: column(row, "name")?,
            of_offers: column(row, "of_offers")?,
            valid: column(row, "valid")?,
            unique: column(row, "is_unique")?,
        })
    };
    all(store, &INDEXES, &[]).await?.iter().map(index).collect()
}

/// Whether transactions of one connection end up in several sessions of the server, or those of two in one: then a pooler in
/// transaction mode is in between.
///
/// # Errors
/// When the database failed.
pub async fn is_pooled(store: &Store) -> Result<bool, Error> {
    /// An idle pooler gives the next transaction the session of the last one; one that is at work needs a few tries.
    const TRIES: usize = 5;
    const SESSION: Statement = statement!("doctor.session", [], "SELECT pg_backend_pid() AS session");
    let (one, other) = (store.pool.open().await?, store.pool.open().await?);
    let (mut of_one, mut of_other) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..TRIES {
        of_one.insert(column::<i32>(&ask(&one, &SESSION, &[]).await?, "session")?);
        of_other.insert(column::<i32>(&ask(&other, &SESSION, &[]).await?, "session")?);
    }
    Ok(of_one.len() > 1 || of_other.len() > 1 || of_one == of_other)
}

/// Reads the database's clock.
///
/// # Errors
/// When the database failed.
pub async fn clock(store: &Store) -> Result<Reading, Error> {
    const CLOCK: Statement =
        statement!("doctor.clock", [TIMESTAMPTZ], "SELECT coalesce($1, clock_timestamp()) /* now */ AS now");
    // A connection of its own, so that only the question is timed.
    let client = store.pool.open().await?;
    let (begun, before) = (Instant::now(), Timestamp::now());
    let row = ask(&client, &CLOCK, &[&store.now()]).await?;
    Ok(Reading::taken(column::<Timestamp>(&row, "now")?.as_millisecond(), before.as_millisecond(), begun.elapsed()))
}

/// Reads what the jobs have left undone for two minutes.
///
/// # Errors
/// When the database failed.
pub async fn undone(store: &Store) -> Result<Undone, Error> {
    const UNDONE: Statement = statement!(
        "doctor.undone",
        [TIMESTAMPTZ],
        "WITH moment AS (
             SELECT coalesce($1, now()) /* now */ - interval '2 minutes' AS then
         )
         SELECT (SELECT count(*) FROM offers WHERE state IN ('SENT', 'VIEWED') AND expires_at <= moment.then) AS offers,
                (SELECT count(*) FROM orders
                 WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE') AND next_round_at <= moment.then) AS orders
         FROM moment"
    );
    let row = one(store, &UNDONE, &[&store.now()]).await?;
    Ok(Undone { offers: column(&row, "offers")?, orders: column(&row, "orders")? })
}

/// Reads the staff who are active, each with the Telegram user, and the cities with masters in which nobody can be called.
///
/// # Errors
/// When the database failed.
pub async fn staff(store: &Store) -> Result<(Staff, Vec<TelegramUserId>), Error> {
    const STAFF: Statement = statement!(
        "doctor.staff",
        [],
        "SELECT id, telegram_user_id, upper(role) = 'ADMIN' AS is_admin, unreachable_since IS NOT NULL AS unreachable
         FROM staff WHERE is_active AND NOT is_program ORDER BY id"
    );
    const UNCALLED: Statement = statement!(
        "doctor.uncalled_cities",
        [],
        "SELECT id FROM cities
         WHERE EXISTS (SELECT FROM masters WHERE city_id = cities.id) AND NOT EXISTS (SELECT FROM staff_on_call(cities.id))
         ORDER BY id"
    );
    let rows = all(store, &STAFF, &[]).await?;
    let person = |row: &Row| {
        let (admin, unreachable) = (column(row, "is_admin")?, column(row, "unreachable")?);
        Ok(Person { id: column(row, "id")?, admin, unreachable })
    };
    let people = rows.iter().map(person).collect::<Result<_, Error>>()?;
    let users = rows.iter().map(|row| Ok(TelegramUserId(column(row, "telegram_user_id")?)));
    let users = users.collect::<Result<_, Error>>()?;
    let cities = all(store, &UNCALLED, &[]).await?;
    let cities = cities.iter().map(|row| column(row, "id")).collect::<Result<_, Error>>()?;
    Ok((Staff { people, cities }, users))
}

/// Reads every master, by what decides whether a search can ask.
///
/// # Errors
/// When the database failed.
pub async fn masters(store: &Store) -> Result<Vec<Master>, Error> {
    const MASTERS: Statement = statement!("doctor.masters", [TIMESTAMPTZ], include_str!("doctor/masters.sql"));
    let master = |row: &Row| {
        Ok(Master {
            id: column(row, "id")?,
            has_trade: column(row, "has_trade")?,
            has_district: column(row, "has_district")?,
            blocked: column(row, "is_blocked")?,
            waits: column(row, "waits")?,
            unreachable: column(row, "unreachable")?,
            no_room: column(row, "no_room")?,
            off_shift: column(row, "off_shift")?,
        })
    };
    all(store, &MASTERS, &[&store.now()]).await?.iter().map(master).collect()
}

/// Reads what waits to be delivered, as the job that measures it does.
///
/// # Errors
/// When the database failed.
pub async fn messages(store: &Store) -> Result<Backlog, Error> {
    let outbox::Backlog { oldest_seconds, unanswered_calls, refused_people } = outbox::backlog(store).await?;
    #[expect(clippy::cast_possible_truncation, reason = "whole seconds, of which there are fewer")]
    let oldest = oldest_seconds as i64;
    Ok(Backlog { oldest, uncalled: unanswered_calls, refused: refused_people })
}

/// Reads the cities whose time zones the server does not know.
///
/// # Errors
/// When the database failed.
pub async fn cities(store: &Store) -> Result<Cities, Error> {
    const CITIES: Statement = statement!(
        "doctor.cities",
        [],
        "SELECT id, CASE WHEN timezone ~ '^[A-Za-z0-9_+/-]{1,64}$' THEN timezone END AS zone,
                known_timezone(timezone) <> timezone AS lost
         FROM cities ORDER BY id"
    );
    let mut cities = Cities::default();
    for row in all(store, &CITIES, &[]).await? {
        cities.count += 1;
        if column(&row, "lost")? {
            cities.lost.push((column(&row, "id")?, column(&row, "zone")?));
        }
    }
    Ok(cities)
}

async fn all(store: &Store, statement: &'static Statement, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Error> {
    store.run(async |connection: Connection| connection.fetch(statement, params).await).await
}

/// The row of a statement that gives one.
async fn one(store: &Store, statement: &'static Statement, params: &[&(dyn ToSql + Sync)]) -> Result<Row, Error> {
    Ok(all(store, statement, params).await?.remove(0))
}

/// The same over a connection beside the pool.
async fn ask(client: &Client, statement: &'static Statement, params: &[&(dyn ToSql + Sync)]) -> Result<Row, Error> {
    let typed: Vec<_> = params.iter().copied().zip(statement.types.iter().cloned()).collect();
    let asked = client.query_typed_one(statement.text, &typed).await;
    asked.map_err(|source| Error::Statement { name: statement.name, source })
}
