//! Orders that are to be made: what stands against each, and making them, many in one statement.

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::{Connection, Error, Ready, Statement, column, statement};
use crate::model::new_order::{Checked, NewOrder, Visit};
use crate::model::{OrderId, StaffRef};

/// The orders as statements read them.
macro_rules! said {
    ($parameter:literal) => {
        concat!(
            "said AS MATERIALIZED (
                 SELECT *
                 FROM jsonb_to_recordset($",
            $parameter,
            "::text::jsonb) AS said (
                     line integer, status text, city_id bigint, district_id bigint, category text, address text,
                     description text, client_name text, client_phone text, soon boolean, local_start timestamp,
                     local_end timestamp, slot_start timestamptz, slot_end timestamptz, preferred_master_id bigint,
                     guarantee_of bigint)
             )"
        )
    };
}

/// Looks at what orders are to be made of. No row: the person may not make orders.
pub(crate) const CHECK: Statement = statement!(
    "new_orders.check",
    [INT8, INT8, TEXT, TIMESTAMPTZ, INT4],
    "WITH ",
    said!(3),
    "
     SELECT cities.id IS NOT NULL AS city_known,
            said.district_id IS NULL OR EXISTS (
                SELECT FROM districts WHERE districts.id = said.district_id AND districts.city_id = said.city_id) AS district_known,
            said.preferred_master_id IS NULL OR EXISTS (
                SELECT FROM masters
                WHERE masters.id = said.preferred_master_id AND masters.city_id = said.city_id AND NOT masters.is_blocked
            ) AS preferred_may,
            said.guarantee_of IS NULL OR EXISTS (
                SELECT FROM orders AS before
                WHERE before.id = said.guarantee_of AND before.status = 'CLOSED' AND before.city_id = ANY (who.cities)
            ) AS guarantee_stands,
            coalesce(slot.ends <= moment.now, false) AS slot_is_past,
            coalesce(slot.starts > moment.now + make_interval(days => $5) /* days ahead */, false) AS slot_is_far
     FROM staff_right($1 /* staff */, $2 /* user */) AS who
     CROSS JOIN (SELECT coalesce($4, now()) /* now */ AS now) AS moment
     CROSS JOIN said
     LEFT JOIN cities ON cities.id = said.city_id AND cities.id = ANY (who.cities)
     CROSS JOIN LATERAL (
         SELECT coalesce(said.slot_start, said.local_start AT TIME ZONE cities.shown_timezone) AS starts,
                coalesce(said.slot_end, said.local_end AT TIME ZONE cities.shown_timezone) AS ends) AS slot
     WHERE who.acts
     ORDER BY said.line"
);

/// Runs [`CHECK`]; what is known of each, in their order. `None`: the person may not make orders.
pub(crate) async fn check(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    orders: &[NewOrder],
    days_ahead: i32,
    now: Option<Timestamp>,
) -> Result<Option<Vec<Checked>>, Error> {
    let said = said(orders);
    let params = [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &said, &now, &days_ahead];
    let checked = |row: &Row| {
        Ok(Checked {
            city_known: column(row, "city_known")?,
            district_known: column(row, "district_known")?,
            preferred_may: column(row, "preferred_may")?,
            guarantee_stands: column(row, "guarantee_stands")?,
            slot_is_past: column(row, "slot_is_past")?,
            slot_is_far: column(row, "slot_is_far")?,
        })
    };
    let rows = connection.query(statement, &params).await?;
    let checked = rows.iter().map(checked).collect::<Result<Vec<_>, Error>>()?;
    Ok((checked.len() == orders.len()).then_some(checked))
}

/// Makes orders, by who may, in cities of the person's own; of a draft once, under its lock.
pub(crate) const MAKE: Statement = statement!(
    "new_orders.make",
    [INT8, INT8, TEXT, TEXT, INT8, INT4, TIMESTAMPTZ],
    "WITH moment AS (
         SELECT coalesce($7, now()) /* now */ AS now
     ), ",
    said!(3),
    ", made AS (
         INSERT INTO orders (
             status, city_id, district_id, category, address, description, client_name, client_phone, timeslot_start,
             timeslot_end, soon, preferred_master_id, guarantee_of, created_by_staff_id, created_at, updated_at, next_round_at)
         SELECT
             said.status, said.city_id, said.district_id, said.category, said.address, said.description,
             coalesce(said.client_name, $4 /* nameless */), said.client_phone,
             coalesce(said.slot_start, said.local_start AT TIME ZONE cities.shown_timezone),
             -- The clocks may go forward within it.
             greatest(coalesce(said.slot_start, said.local_start AT TIME ZONE cities.shown_timezone),
                      coalesce(said.slot_end, said.local_end AT TIME ZONE cities.shown_timezone)),
             said.soon,
             -- Whoever did the job is asked first, unless somebody else is wanted.
             coalesce(said.preferred_master_id, (
                 SELECT masters.id FROM orders AS before JOIN masters ON masters.id = before.assigned_master_id
                 WHERE before.id = said.guarantee_of AND masters.city_id = said.city_id AND NOT masters.is_blocked)),
             said.guarantee_of, who.staff_id, moment.now, moment.now, moment.now
         FROM staff_right($1 /* staff */, $2 /* user */) AS who
         CROSS JOIN moment
         CROSS JOIN said
         JOIN cities ON cities.id = said.city_id
         WHERE who.acts AND said.city_id = ANY (who.cities)
           AND ($5 /* draft */ IS NULL OR EXISTS (
               SELECT FROM order_drafts AS draft
               WHERE draft.id = $5 AND draft.staff_id = who.staff_id AND draft.revision = $6 /* its revision */
                 AND draft.order_id IS NULL))
         -- Numbers are given in this order.
         ORDER BY said.line
         RETURNING id, created_by_staff_id
     ), done AS (
         UPDATE order_drafts SET order_id = made.id, touched_at = moment.now FROM made, moment WHERE order_drafts.id = $5
     ), answered AS (
         DELETE FROM staff_dialogs USING made
         WHERE $5 IS NOT NULL AND staff_id = made.created_by_staff_id AND question = 'NEW_ORDER'
     )
     SELECT id FROM made ORDER BY id"
);

/// Runs [`MAKE`]; the orders, in their order: fewer than there were to be if the right, or the draft, is another one by now.
/// `nameless`: what a client is called who gave no name. `draft`: what the one order is made of, as it was shown.
pub(crate) async fn make(
    connection: &Connection,
    statement: &Ready,
    staff: StaffRef,
    orders: &[NewOrder],
    nameless: &str,
    draft: Option<(i64, i32)>,
    now: Option<Timestamp>,
) -> Result<Vec<OrderId>, Error> {
    let (draft, revision) = draft.unzip();
    let said = said(orders);
    let params =
        [&staff.id() as &(dyn ToSql + Sync), &staff.telegram_user(), &said, &nameless, &draft, &revision, &now];
    let rows = connection.query(statement, &params).await?;
    rows.iter().map(|row| Ok(OrderId(column(row, "id")?))).collect()
}

fn said(orders: &[NewOrder]) -> String {
    let said = |(line, order): (usize, &NewOrder)| {
        let (mut local, mut between) = (None, None);
        match order.visit {
            Visit::Unsaid | Visit::Soon => {}
            Visit::Local(start, end) => local = Some((start.to_string(), end.to_string())),
            Visit::Between(start, end) => between = Some((start.to_string(), end.to_string())),
        }
        let ((local_start, local_end), (slot_start, slot_end)) = (local.unzip(), between.unzip());
        json!({
            "line": line,
            "status": order.status().as_str(),
            "city_id": order.city.0,
            "district_id": order.district,
            "category": order.category.as_str(),
            "address": order.address,
            "description": order.description,
            "client_name": order.name,
            "client_phone": order.phone.as_e164(),
            "soon": order.visit == Visit::Soon,
            "local_start": local_start,
            "local_end": local_end,
            "slot_start": slot_start,
            "slot_end": slot_end,
            "preferred_master_id": order.preferred.map(|master| master.0),
            "guarantee_of": order.guarantee_of.map(|order| order.0),
        })
    };
    Value::Array(orders.iter().enumerate().map(said).collect()).to_string()
}
