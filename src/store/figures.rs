//! Figures for people, by the cities of whoever asks and by period. Each statement has an index, and takes no longer than
//! people wait for a screen; `benches/growth` measures all of them with a month at a million orders.

use jiff::civil::Date;
use tokio::join;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Statement, Store, column, facts, statement};
use crate::model::figures::{
    Bound, Came, Charts, CityChoice, Closed, Figures, Found, LostTaps, MasterFigures, MasterLine, Place, Scope, WAITS,
    Waiting,
};
use crate::model::{CityId, StaffRef};

/// The cities that are counted, each with the moment since when: midnight there, so many days ago. Nothing, if it is no staff who
/// asks, or not theirs. $1 staff, $2 Telegram user, $3 city or null, $4 days, $5 now or null.
macro_rules! of_place {
    () => {
        "WITH moment AS (
             SELECT coalesce($5, now()) AS now
         ), place AS MATERIALIZED (
             SELECT cities.id AS city_id, cities.name, cardinality(who.cities) AS cities,
                    (moment.now AT TIME ZONE cities.shown_timezone)::date AS today,
                    (date_trunc('day', moment.now AT TIME ZONE cities.shown_timezone) - make_interval(days => $4 - 1))
                        AT TIME ZONE cities.shown_timezone AS since
             FROM moment
             CROSS JOIN staff_right($1, $2) AS who
             JOIN cities ON cities.id = ANY (who.cities)
             WHERE $3::bigint IS NULL OR cities.id = $3
         ) "
    };
}

/// Where and when: no row, if nothing of it may be looked at.
pub const PLACE: Statement = statement!(
    "figures.place",
    [INT8, INT8, INT8, INT4, TIMESTAMPTZ],
    of_place!(),
    "SELECT name, cities::bigint AS cities, count(*) OVER () AS counted, today - $4 + 1 AS first_day, today AS last_day
     FROM place ORDER BY city_id LIMIT 1"
);
/// Orders that came.
pub const CAME: Statement =
    statement!("figures.came", [INT8, INT8, INT8, INT4, TIMESTAMPTZ], of_place!(), include_str!("figures/came.sql"));
/// How they found a master.
pub const FOUND: Statement =
    statement!("figures.found", [INT8, INT8, INT8, INT4, TIMESTAMPTZ], of_place!(), include_str!("figures/found.sql"));
/// What was finished.
pub const CLOSED: Statement = statement!(
    "figures.closed",
    [INT8, INT8, INT8, INT4, TIMESTAMPTZ],
    of_place!(),
    include_str!("figures/closed.sql")
);
/// Taps that came too late.
pub const LOST: Statement =
    statement!("figures.lost", [INT8, INT8, INT8, INT4, TIMESTAMPTZ], of_place!(), include_str!("figures/lost.sql"));
/// Who waits longest.
pub const LONGEST: Statement = statement!(
    "figures.longest",
    [INT8, INT8, INT8, INT4, TIMESTAMPTZ],
    of_place!(),
    include_str!("figures/longest.sql")
);
/// How long anybody waited at most while others were asked.
pub const BOUNDS: Statement = statement!(
    "figures.bounds",
    [INT8, INT8, INT8, INT4, TIMESTAMPTZ],
    of_place!(),
    include_str!("figures/bounds.sql")
);
/// What each master did: $6 page, $7 masters on a page.
pub const MASTERS: Statement = statement!(
    "figures.masters",
    [INT8, INT8, INT8, INT4, TIMESTAMPTZ, INT8, INT8],
    of_place!(),
    include_str!("figures/masters.sql")
);

/// What charts show: $6 the bounds of waiting times.
pub const CHARTS: Statement = statement!(
    "figures.charts",
    [INT8, INT8, INT8, INT4, TIMESTAMPTZ, INT8_ARRAY],
    of_place!(),
    include_str!("figures/charts.sql")
);

/// Reads what charts show of a period; nothing where whoever asks may not look.
///
/// # Errors
/// When the database failed.
pub async fn read_charts(store: &Store, staff: StaffRef, scope: Scope) -> Result<Charts, Error> {
    let (id, user, city, days) = asked(staff, scope);
    let (now, waits) = (store.now(), WAITS.as_slice());
    let params: [&(dyn ToSql + Sync); 6] = [&id, &user, &city, &days, &now, &waits];
    let rows = store.run(async |connection: Connection| connection.fetch(&CHARTS, &params).await).await?;
    let charts = |row| Ok(Charts { hours: column(row, "hours")?, waits: column(row, "waits")? });
    rows.first().map_or(Ok(Charts::default()), charts)
}

/// Reads what happened in a period; `None`: whoever asks may not look there.
///
/// # Errors
/// When the database failed.
pub async fn read(store: &Store, staff: StaffRef, scope: Scope) -> Result<Option<Figures>, Error> {
    let (id, user, city, days) = asked(staff, scope);
    store
        .run(async |connection: Connection| {
            let connection = &connection;
            let [place, came, found, closed, lost, longest, bounds] =
                connection.ready([&PLACE, &CAME, &FOUND, &CLOSED, &LOST, &LONGEST, &BOUNDS]).await?;
            let now = store.now();
            let params: [&(dyn ToSql + Sync); 5] = [&id, &user, &city, &days, &now];
            let work = async {
                let (place, came, found, closed, lost, longest, bounds) = join!(
                    connection.query(&place, &params),
                    connection.query(&came, &params),
                    connection.query(&found, &params),
                    connection.query(&closed, &params),
                    connection.query(&lost, &params),
                    connection.query(&longest, &params),
                    connection.query(&bounds, &params),
                );
                Ok([place?, came?, found?, closed?, lost?, longest?, bounds?])
            };
            let [place, came, found, closed, lost, longest, bounds] = Box::pin(connection.alone(work)).await?;
            let Some(place) = place_of(&place, scope)? else { return Ok(None) };
            Ok(Some(Figures {
                place,
                came: came_of(&came)?,
                found: found_of(&found)?,
                closed: closed.first().map_or(Ok(Closed::default()), closed_of)?,
                lost: lost_of(&lost)?,
                longest: longest
                    .first()
                    .map(|row| Ok::<_, Error>(Waiting { name: column(row, "name")?, seconds: column(row, "seconds")? }))
                    .transpose()?,
                bounds: bounds.iter().map(bound_of).collect::<Result<_, Error>>()?,
            }))
        })
        .await
}

/// Reads what each master of a place did in a period; `None`: whoever asks may not look there.
///
/// # Errors
/// When the database failed.
pub async fn read_masters(
    store: &Store,
    staff: StaffRef,
    scope: Scope,
    (page, size): (i64, i64),
) -> Result<Option<MasterFigures>, Error> {
    let (id, user, city, days) = asked(staff, scope);
    store
        .run(async |connection: Connection| {
            let connection = &connection;
            let [place, masters] = connection.ready([&PLACE, &MASTERS]).await?;
            let now = store.now();
            let params: [&(dyn ToSql + Sync); 7] = [&id, &user, &city, &days, &now, &page, &size];
            let work = async {
                let (place, masters) =
                    join!(connection.query(&place, &params[..5]), connection.query(&masters, &params));
                Ok([place?, masters?])
            };
            let [place, masters] = connection.alone(work).await?;
            let (Some(place), Some(first)) = (place_of(&place, scope)?, masters.first()) else { return Ok(None) };
            let (page, total) = (column(first, "page")?, column(first, "total")?);
            let mut lines = Vec::with_capacity(masters.len());
            for row in &masters {
                if let Some(name) = column(row, "name")? {
                    lines.push(line_of(row, name)?);
                }
            }
            Ok(Some(MasterFigures { place, page, total, lines }))
        })
        .await
}

/// Reads the cities to choose from, by name; `None`: it is no staff who asks.
///
/// # Errors
/// When the database failed.
pub async fn read_cities(
    store: &Store,
    staff: StaffRef,
    scope: Scope,
    masters: bool,
) -> Result<Option<CityChoice>, Error> {
    const CITIES: Statement = statement!(
        "figures.cities",
        [INT8, INT8],
        "SELECT cities.id, cities.name
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         LEFT JOIN cities ON cities.id = ANY (who.cities)
         ORDER BY cities.name, cities.id LIMIT 60"
    );
    let (id, user, ..) = asked(staff, scope);
    let rows = store.run(async |connection: Connection| connection.fetch(&CITIES, &[&id, &user]).await).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut cities = Vec::with_capacity(rows.len());
    for row in &rows {
        if let Some(id) = column::<Option<i64>>(row, "id")? {
            cities.push((CityId(id), column(row, "name")?));
        }
    }
    Ok(Some(CityChoice { scope, masters, cities }))
}

fn asked(staff: StaffRef, scope: Scope) -> (Option<i64>, Option<i64>, Option<i64>, i32) {
    (staff.id(), staff.telegram_user(), scope.city.map(|city| city.0), scope.period.days())
}

fn place_of(rows: &[Row], scope: Scope) -> Result<Option<Place>, Error> {
    let Some(row) = rows.first() else { return Ok(None) };
    let name: String = column(row, "name")?;
    let days: (Date, Date) = (column(row, "first_day")?, column(row, "last_day")?);
    let is_one = column::<i64>(row, "counted")? == 1;
    Ok(Some(Place { scope, name: is_one.then_some(name), cities: column(row, "cities")?, days }))
}

fn came_of(rows: &[Row]) -> Result<Came, Error> {
    let mut came = Came::default();
    for row in rows {
        came.by_status.push((facts::status(row)?, column(row, "count")?));
        came.escalated += column::<i64>(row, "escalated")?;
    }
    Ok(came)
}

fn found_of(rows: &[Row]) -> Result<Found, Error> {
    let Some(row) = rows.first() else { return Ok(Found::default()) };
    let seconds: Option<Vec<i64>> = column(row, "seconds")?;
    Ok(Found {
        rounds: [column(row, "first_round")?, column(row, "second_round")?, column(row, "later_rounds")?],
        by_hand: column(row, "by_hand")?,
        seconds: seconds.and_then(|seconds| Some((*seconds.first()?, *seconds.get(1)?))),
    })
}

fn closed_of(row: &Row) -> Result<Closed, Error> {
    Ok(Closed { orders: column(row, "closed")?, rubles: column(row, "rubles")? })
}

fn lost_of(rows: &[Row]) -> Result<LostTaps, Error> {
    let Some(row) = rows.first() else { return Ok(LostTaps::default()) };
    let (median, closest): (Option<i64>, Option<i64>) = (column(row, "median_ms")?, column(row, "closest_ms")?);
    Ok(LostTaps { taps: column(row, "taps")?, behind: median.zip(closest) })
}

fn bound_of(row: &Row) -> Result<Bound, Error> {
    Ok(Bound {
        city: column(row, "city")?,
        week: column(row, "week")?,
        seconds: column(row, "seconds")?,
        name: column(row, "name")?,
    })
}

fn line_of(row: &Row, name: String) -> Result<MasterLine, Error> {
    Ok(MasterLine {
        name,
        asked: column(row, "asked")?,
        took: column(row, "took")?,
        declined: column(row, "declined")?,
        let_pass: column(row, "let_pass")?,
        answer_seconds: column(row, "seconds")?,
        on_shift_seconds: column(row, "on_shift")?,
        passed_over_seconds: column(row, "passed_over")?,
        closed: closed_of(row)?,
    })
}
