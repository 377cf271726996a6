//! Calls for a dispatcher. A call that was overtaken found nobody on duty in that chat. That an order needs one is a fact of the order; whoever of the staff has not been notified of it and
//! can be reached is notified, also who comes on duty or opens the bot later.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::policy::BATCH;

/// By order.
pub static CALL: Sweep = Sweep {
    name: "call",
    find: statement!(
        "call.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT orders.id
         FROM orders
         WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AND escalated_at <= coalesce($1, now()) /* now */
           AND orders.id <> ALL ($3) /* except */
           AND EXISTS (
               SELECT FROM staff
               WHERE is_active AND staff.unreachable_since IS NULL AND NOT EXISTS (
                   SELECT FROM outbox
                   WHERE kind = 'ESCALATED' AND outbox.order_id = orders.id AND chat_id = staff.telegram_user_id
                     AND outbox.created_at >= orders.escalated_at
                     AND (dropped_because IN ('UNREACHABLE', 'ABANDONED', 'OVERTAKEN')) IS NOT TRUE))
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "call.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "INSERT INTO outbox (bot, chat_id, kind, order_id, created_at, due_at)
         SELECT 'ADMIN', staff.telegram_user_id, 'ESCALATED', orders.id, moment.now, moment.now
         FROM (SELECT coalesce($1, now()) AS now) AS moment
         CROSS JOIN orders
         JOIN staff ON is_active AND staff.unreachable_since IS NULL
         WHERE orders.id = ANY ($2) /* orders */ AND status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
           AND escalated_at <= moment.now
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE kind = 'ESCALATED' AND outbox.order_id = orders.id AND chat_id = staff.telegram_user_id
                 AND outbox.created_at >= orders.escalated_at
                 AND (dropped_because IN ('UNREACHABLE', 'ABANDONED', 'OVERTAKEN')) IS NOT TRUE)
         RETURNING id"
    ),
    batch: BATCH,
};
