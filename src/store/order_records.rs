//! Orders with all that is recorded of them, newest first, within the cities of whoever reads.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Statement, Store, column, facts, orders_not_over, statement};
use crate::model::order::{OrderStatus, Stage};
use crate::model::order_record::{OrderFilter, OrderRecord};
use crate::model::policy::Escalation;
use crate::model::{CityId, MasterId, OrderId, StaffId, StaffRef, Version};

/// A statement that lists orders out of `$source`: the numbers, cities and statuses of some, of which indexes give the newest.
macro_rules! list {
    ($name:literal, $($source:tt)+) => {
        statement!(
            $name,
            [INT8, INT8, TEXT_ARRAY, INT8, INT8, INT8, INT8_ARRAY, INT8],
            "WITH reader AS MATERIALIZED (
                 SELECT cities FROM staff_right($1 /* staff */, $2 /* user */)
             ), page AS MATERIALIZED (
                 SELECT orders.id
                 FROM reader
                 JOIN (",
            $($source)+,
            ") AS orders ON orders.city_id = ANY (reader.cities)
                 WHERE (cardinality($3::text[]) = 0 OR orders.status = ANY ($3 /* statuses */))
                   AND ($4::bigint IS NULL OR orders.city_id = $4 /* city */)
                   AND orders.id < coalesce($6 /* after */, 9223372036854775807)
                 ORDER BY orders.id DESC
                 LIMIT $8 /* limit */
             )
             SELECT reader.cities IS NOT NULL AS is_staff, orders.id, orders.version, orders.revision, orders.status,
                    orders.category, orders.city_id, orders.district_id, orders.address, orders.description,
                    orders.client_name, orders.client_phone, orders.timeslot_start, orders.timeslot_end, orders.soon,
                    orders.comment, orders.final_amount::text AS amount_text, orders.assigned_master_id,
                    orders.preferred_master_id, orders.guarantee_of, orders.created_at, orders.updated_at,
                    orders.created_by_staff_id, orders.claimed_by_staff_id, orders.escalated_at, orders.escalation_reason,
                    cities.name AS city, cities.shown_timezone,
                    orders.created_at AT TIME ZONE cities.shown_timezone AS local_created,
                    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS local_start,
                    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS local_end,
                    districts.name AS district, masters.full_name AS master,
                    creator.full_name AS creator, claimer.full_name AS claimer,
                    orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free
             FROM reader
             LEFT JOIN page ON true
             LEFT JOIN orders ON orders.id = page.id
             LEFT JOIN cities ON cities.id = orders.city_id
             LEFT JOIN districts ON districts.id = orders.district_id
             LEFT JOIN masters ON masters.id = orders.assigned_master_id
             LEFT JOIN staff AS creator ON creator.id = orders.created_by_staff_id
             LEFT JOIN staff AS claimer ON claimer.id = orders.claimed_by_staff_id
             ORDER BY orders.id DESC"
        )
    };
}

/// Those that are not over, which are few.
macro_rules! not_over {
    () => {
        concat!("SELECT id, city_id, status FROM (\n", orders_not_over!(), "\n) AS orders")
    };
}

/// Of those that are named.
const NAMED: Statement = list!(
    "order_records.named",
    "SELECT id, city_id, status FROM orders
     WHERE id = ANY ($7 /* among */) AND ($5::bigint IS NULL OR assigned_master_id = $5 /* master */)"
);
/// Of those that are not over.
const NOT_OVER: Statement = list!("order_records.not_over", not_over!());
/// Of all: of what is over, so many of each city as are wanted of all. One city's may lie far back among the others'.
const OF_ALL: Statement = list!(
    "order_records.of_all",
    not_over!(),
    " UNION ALL
     SELECT newest.id, place.city_id, ended.status
     FROM reader
     CROSS JOIN unnest(reader.cities) AS place (city_id)
     CROSS JOIN (VALUES ('CLOSED'), ('CANCELED')) AS ended (status)
     CROSS JOIN LATERAL (
         SELECT over.id
         FROM orders AS over
         WHERE over.status IN ('CLOSED', 'CANCELED') AND over.status = ended.status AND over.city_id = place.city_id
           AND over.id < coalesce($6, 9223372036854775807)
         ORDER BY over.id DESC
         LIMIT $8
     ) AS newest
     WHERE ($4 IS NULL OR place.city_id = $4) AND (cardinality($3) = 0 OR ended.status = ANY ($3))"
);
/// Of one master's.
const OF_MASTER: Statement = list!(
    "order_records.of_master",
    "SELECT id, city_id, status FROM orders
     WHERE status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND assigned_master_id = $5 /* master */
     UNION ALL
     SELECT id, city_id, status FROM orders WHERE status IN ('CLOSED', 'CANCELED') AND assigned_master_id = $5"
);

/// Reads the newest orders that are looked for, at most `limit`. `None`: it is nobody of the staff who asks.
///
/// # Errors
/// When the database failed.
pub async fn list(
    store: &Store,
    staff: StaffRef,
    filter: &OrderFilter,
    limit: i64,
) -> Result<Option<Vec<OrderRecord>>, Error> {
    let is_over = |status: &OrderStatus| status.stage() == Stage::Final;
    let statement = match filter {
        OrderFilter { among: Some(_), .. } => &NAMED,
        OrderFilter { master: Some(_), .. } => &OF_MASTER,
        OrderFilter { statuses, .. } if !statuses.is_empty() && !statuses.iter().any(is_over) => &NOT_OVER,
        _ => &OF_ALL,
    };
    let statuses: Vec<&str> = filter.statuses.iter().map(|status| status.as_str()).collect();
    let (city, master, after) =
        (filter.city.map(|city| city.0), filter.master.map(|master| master.0), filter.after.map(|order| order.0));
    let among: Option<Vec<i64>> = filter.among.as_ref().map(|orders| orders.iter().map(|order| order.0).collect());
    let (id, user) = (staff.id(), staff.telegram_user());
    store
        .run(async |connection: Connection| {
            let params: [&(dyn ToSql + Sync); 8] = [&id, &user, &statuses, &city, &master, &after, &among, &limit];
            let rows = connection.fetch(statement, &params).await?;
            let is_staff = rows.first().map(|row| column::<bool>(row, "is_staff")).transpose()?.unwrap_or(false);
            // What a later release has put there, or somebody wrote oddly, must not hide the rest.
            let read = |row: &Row| {
                record(row)
                    .inspect_err(|error| tracing::error!(%error, "an order is left out of a list"))
                    .ok()
                    .flatten()
            };
            let records = rows.iter().filter_map(read).collect();
            Ok(is_staff.then_some(records))
        })
        .await
}

/// Reads one order; `None`: there is no such order in the cities of that person.
///
/// # Errors
/// When the database failed.
pub async fn one(store: &Store, staff: StaffRef, order: OrderId) -> Result<Option<OrderRecord>, Error> {
    let filter = OrderFilter { among: Some(vec![order]), ..OrderFilter::default() };
    Ok(list(store, staff, &filter, 1).await?.and_then(|mut found| found.pop()))
}

fn record(row: &Row) -> Result<Option<OrderRecord>, Error> {
    let Some(id) = column::<Option<i64>>(row, "id")? else { return Ok(None) };
    let named = |id, name| Ok::<_, Error>(column::<Option<i64>>(row, id)?.zip(column::<Option<String>>(row, name)?));
    let reason = column::<Option<&str>>(row, "escalation_reason")?;
    Ok(Some(OrderRecord {
        id: OrderId(id),
        version: Version { version: column(row, "version")?, revision: column(row, "revision")? },
        status: facts::status(row)?,
        category: facts::category(row)?,
        city: (CityId(column(row, "city_id")?), column(row, "city")?, column(row, "shown_timezone")?),
        local_created: column(row, "local_created")?,
        local_slot: (column(row, "local_start")?, column(row, "local_end")?),
        district: named("district_id", "district")?,
        address: column(row, "address")?,
        description: column(row, "description")?,
        client: facts::client(row)?,
        slot: (column(row, "timeslot_start")?, column(row, "timeslot_end")?),
        soon: column(row, "soon")?,
        is_free: column(row, "is_free")?,
        comment: column(row, "comment")?,
        amount: column::<Option<&str>>(row, "amount_text")?.and_then(crate::model::Amount::parse),
        master: named("assigned_master_id", "master")?.map(|(id, name)| (MasterId(id), name)),
        preferred: column::<Option<i64>>(row, "preferred_master_id")?.map(MasterId),
        guarantee_of: column::<Option<i64>>(row, "guarantee_of")?.map(OrderId),
        created_at: column(row, "created_at")?,
        updated_at: column(row, "updated_at")?,
        created_by: named("created_by_staff_id", "creator")?.map(|(id, name)| (StaffId(id), name)),
        claimed_by: named("claimed_by_staff_id", "claimer")?.map(|(id, name)| (StaffId(id), name)),
        escalated: column::<Option<jiff::Timestamp>>(row, "escalated_at")?
            .map(|at| (at, reason.and_then(Escalation::parse).unwrap_or(Escalation::Time))),
    }))
}
