//! Offers past their deadline end. An order that nobody is asked about any more is due at once.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::due::BATCH;

/// By order.
pub static EXPIRE: Sweep = Sweep {
    name: "expire",
    find: statement!(
        "expire.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT DISTINCT order_id AS id
         FROM (SELECT order_id FROM offers
               WHERE state IN ('SENT', 'VIEWED') AND expires_at <= coalesce($1, now()) /* now */
                 AND order_id <> ALL ($3) /* except */
               -- By its index, and not by any other.
               ORDER BY expires_at
               LIMIT 10 * $2) AS overdue
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "expire.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "WITH overdue AS MATERIALIZED (
             -- A card that is being opened is left to the next pass.
             SELECT id FROM offers
             WHERE order_id = ANY ($2) /* orders */ AND state IN ('SENT', 'VIEWED')
               AND expires_at <= coalesce($1, now()) /* now */
             FOR NO KEY UPDATE SKIP LOCKED
         ), expired AS (
             UPDATE offers SET state = 'EXPIRED', responded_at = coalesce($1, now())
             WHERE id IN (SELECT id FROM overdue)
             RETURNING id, order_id
         ), enqueued AS (
             INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
             SELECT DISTINCT 'MASTER', chat_id, 'OFFER_ENDED', order_id, id, coalesce($1, now()), coalesce($1, now())
             FROM expired CROSS JOIN LATERAL offer_on_screens(id)
         ), due AS (
             UPDATE orders SET next_round_at = coalesce($1, now())
             WHERE id = ANY ($2) AND next_round_at > coalesce($1, now()) AND NOT EXISTS (
                 SELECT FROM offers
                 WHERE order_id = orders.id AND state IN ('SENT', 'VIEWED') AND expires_at > coalesce($1, now()))
         )
         SELECT id FROM expired"
    ),
    batch: BATCH,
};
