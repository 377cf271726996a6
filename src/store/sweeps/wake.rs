//! Deferred orders whose time has come begin their search.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::due::BATCH;

/// Deferred orders whose time has come, or whose city's working day has begun since they were made.
macro_rules! due {
    () => {
        include_str!("wake_due.sql")
    };
}

/// By order.
pub static WAKE: Sweep = Sweep {
    name: "wake",
    // Only those that are due: a city where it is still night would stand in the way of one where it is day.
    find: statement!(
        "wake.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "WITH moment AS (
             SELECT coalesce($1, now()) AS now /* now */
         )
         SELECT orders.id
         ",
        due!(),
        "
           AND orders.id <> ALL ($3) /* except */
         ORDER BY orders.id
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "wake.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "WITH moment AS (
             SELECT coalesce($1, now()) AS now /* now */
         ), ready AS MATERIALIZED (
             SELECT orders.id
         ",
        due!(),
        "
               AND orders.id = ANY ($2) /* orders */
         ), woken AS (
             UPDATE orders
             SET status = CASE WHEN orders.guarantee_of IS NULL THEN 'SEARCHING' ELSE 'GUARANTEE' END,
                 version = version + 1, next_round_at = moment.now, updated_at = moment.now
             FROM moment, ready
             WHERE orders.id = ready.id AND status = 'DEFERRED'
             RETURNING orders.id, orders.status
         )
         INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, created_at)
         SELECT id, 'DEFERRED', status, 'SYSTEM', moment.now
         FROM woken, moment
         RETURNING order_id AS id"
    ),
    batch: BATCH,
};
