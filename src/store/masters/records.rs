//! Masters with all that is recorded of them, by number, within the cities of whoever reads.

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::managed::{categories, state};
use crate::model::managed::MasterState;
use crate::model::master_record::{MasterRecord, MasterRecords};
use crate::model::{Category, CityId, MasterId, StaffRef, TelegramUserId};
use crate::store::{Connection, Error, Statement, Store, column, statement};

const LIST: Statement = statement!(
    "master_records.list",
    [INT8, INT8, INT8, INT8, TEXT, TEXT, INT8, INT8],
    "WITH reader AS MATERIALIZED (
         SELECT cities FROM staff_right($1 /* staff */, $2 /* user */)
     ), page AS MATERIALIZED (
         SELECT masters.id
         FROM reader
         JOIN masters ON masters.city_id = ANY (reader.cities)
         WHERE masters.id = coalesce($3 /* one */, masters.id)
           AND masters.city_id = coalesce($4 /* city */, masters.city_id)
           AND CASE $5 /* state */
                   WHEN 'WAITING' THEN awaiting_approval_since IS NOT NULL
                   WHEN 'BLOCKED' THEN is_blocked AND awaiting_approval_since IS NULL
                   WHEN 'UNREACHABLE' THEN NOT is_blocked AND unreachable_since IS NOT NULL
                   WHEN 'OFF_SHIFT' THEN NOT is_blocked AND unreachable_since IS NULL AND NOT on_shift
                   WHEN 'ON_SHIFT' THEN NOT is_blocked AND unreachable_since IS NULL AND on_shift
                   ELSE true
               END
           AND ($6::text IS NULL OR EXISTS (
               SELECT FROM master_categories WHERE master_id = masters.id AND category = $6 /* trade */))
           AND masters.id > coalesce($7 /* after */, 0)
         ORDER BY masters.id
         LIMIT $8 /* limit */
     )
     SELECT masters.id, masters.telegram_user_id, masters.full_name, masters.phone, masters.city_id, cities.name AS city,
            masters.on_shift, masters.is_blocked, masters.blocked_reason,
            masters.awaiting_approval_since IS NOT NULL AS is_waiting, masters.unreachable_since IS NOT NULL AS unreachable,
            masters.max_active_orders AS own_limit, coalesce(masters.max_active_orders, policy.max_active_orders, 5) AS order_limit,
            ARRAY (SELECT category FROM master_categories WHERE master_id = masters.id ORDER BY category) AS categories,
            ARRAY (SELECT districts.id FROM master_districts JOIN districts ON districts.id = district_id
                   WHERE master_id = masters.id ORDER BY districts.name, districts.id) AS district_ids,
            ARRAY (SELECT districts.name FROM master_districts JOIN districts ON districts.id = district_id
                   WHERE master_id = masters.id ORDER BY districts.name, districts.id) AS district_names,
            (SELECT count(*) FROM orders
             WHERE assigned_master_id = masters.id AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders,
            (SELECT count(*) FROM offers WHERE master_id = masters.id AND state IN ('SENT', 'VIEWED')) AS live_offers,
            activity.last_asked_at,
            coalesce((SELECT max(id) FROM master_changes WHERE master_id = masters.id), 0) AS seen
     FROM page
     JOIN masters ON masters.id = page.id
     JOIN cities ON cities.id = masters.city_id
     LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
     LEFT JOIN master_activity AS activity ON activity.master_id = masters.id
     ORDER BY masters.id"
);

/// Reads the first masters that are looked for, at most `limit`, by ascending number.
///
/// # Errors
/// When the database failed.
pub(crate) async fn list(
    store: &Store,
    staff: StaffRef,
    which: &MasterRecords,
    limit: i64,
) -> Result<Vec<MasterRecord>, Error> {
    let (one, city) = (which.one.map(|master| master.0), which.city.map(|city| city.0));
    let (state, category) = (which.state.map(MasterState::as_str), which.category.map(Category::as_str));
    let (after, id, user) = (which.after.map(|master| master.0), staff.id(), staff.telegram_user());
    store
        .run(async |connection: Connection| {
            let params: [&(dyn ToSql + Sync); 8] = [&id, &user, &one, &city, &state, &category, &after, &limit];
            connection.fetch(&LIST, &params).await?.iter().map(record).collect()
        })
        .await
}

fn record(row: &Row) -> Result<MasterRecord, Error> {
    let (ids, names): (Vec<i64>, Vec<String>) = (column(row, "district_ids")?, column(row, "district_names")?);
    Ok(MasterRecord {
        id: MasterId(column(row, "id")?),
        user: TelegramUserId(column(row, "telegram_user_id")?),
        full_name: column(row, "full_name")?,
        phone: column(row, "phone")?,
        city: (CityId(column(row, "city_id")?), column(row, "city")?),
        state: state(row)?,
        on_shift: column(row, "on_shift")?,
        is_blocked: column(row, "is_blocked")?,
        blocked_reason: column(row, "blocked_reason")?,
        categories: categories(row)?,
        districts: ids.into_iter().zip(names).collect(),
        active_orders: column(row, "active_orders")?,
        live_offers: column(row, "live_offers")?,
        own_limit: column(row, "own_limit")?,
        limit: column(row, "order_limit")?,
        last_asked_at: column(row, "last_asked_at")?,
        seen: column(row, "seen")?,
    })
}
