//! Offers that a blocked master cannot take are recalled. An order that nobody is asked about any more, or whose search
//! widens, is due at once.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::due::BATCH;

/// By order.
pub static RECALL: Sweep = Sweep {
    name: "recall",
    find: statement!(
        "recall.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT DISTINCT offers.order_id AS id
         FROM masters
         JOIN offers ON offers.master_id = masters.id
         WHERE masters.is_blocked AND offers.state IN ('SENT', 'VIEWED')
           -- Those past their deadline are another sweep's.
           AND offers.expires_at > coalesce($1, now()) /* now */
           AND offers.order_id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "recall.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "WITH useless AS MATERIALIZED (
             -- A card that is being opened is left to the next pass.
             SELECT offers.id FROM offers JOIN masters ON masters.id = offers.master_id
             WHERE order_id = ANY ($2) /* orders */ AND state IN ('SENT', 'VIEWED') AND masters.is_blocked
             FOR NO KEY UPDATE OF offers SKIP LOCKED
         ), recalled AS (
             UPDATE offers SET state = 'CANCELED', responded_at = coalesce($1, now()) /* now */
             WHERE id IN (SELECT id FROM useless)
             RETURNING id, order_id
         ), enqueued AS (
             INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
             SELECT DISTINCT 'MASTER', chat_id, 'OFFER_ENDED', order_id, recalled.id, coalesce($1, now()), coalesce($1, now())
             FROM recalled CROSS JOIN LATERAL offer_on_screens(recalled.id)
         ), due AS (
             UPDATE orders SET next_round_at = coalesce($1, now())
             WHERE id = ANY ($2) AND next_round_at > coalesce($1, now()) AND (widens_at IS NOT NULL OR NOT EXISTS (
                 SELECT FROM offers
                 WHERE order_id = orders.id AND state IN ('SENT', 'VIEWED') AND expires_at > coalesce($1, now())
                   AND offers.id NOT IN (SELECT id FROM useless)))
         )
         SELECT id FROM recalled"
    ),
    batch: BATCH,
};
