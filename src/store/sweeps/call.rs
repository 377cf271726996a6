//! Calls for staff. That an order needs somebody is a fact of the order, for whoever may act in its city: who has not been
//! notified of it and can be reached is notified, also who comes on duty or opens the bot later. Within an hour
//! after somebody has said to see to it, nobody else is called. A call that was overtaken found nobody who was concerned in that chat.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::due::BATCH;

/// Whom an order's call is for and who has not got it since `$since`, as `called`.
macro_rules! uncalled {
    ($kind:literal, $since:literal) => {
        concat!(
            "staff_on_call(orders.city_id) AS called
             WHERE (
                 orders.claimed_by_staff_id IS NULL OR orders.claimed_by_staff_id = called.staff_id
                 OR orders.claimed_at <= coalesce($1, now()) - interval '1 hour'
                 -- Nor does a program that has said so see to it, or somebody who may not any more, or cannot be told.
                 OR NOT EXISTS (
                     SELECT FROM staff_on_call(orders.city_id) AS claimer
                     WHERE claimer.staff_id = orders.claimed_by_staff_id))
               AND NOT EXISTS (
                   SELECT FROM outbox
                   WHERE kind = '",
            $kind,
            "' AND outbox.order_id = orders.id AND outbox.chat_id = called.chat_id AND outbox.created_at >= ",
            $since,
            " AND (dropped_because IN ('UNREACHABLE', 'ABANDONED', 'OVERTAKEN')) IS NOT TRUE)"
        )
    };
}

/// That an order's search does not find anybody by itself.
macro_rules! escalated {
    () => {
        "status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AND escalated_at <= coalesce($1, now()) /* now */"
    };
}

/// That the client's time has passed, within the time for which it is remembered who was called, and nobody has come.
macro_rules! late {
    () => {
        "status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED', 'ASSIGNED', 'EN_ROUTE')
           AND coalesce(timeslot_end, timeslot_start) <= coalesce($1, now()) /* now */
           AND coalesce(timeslot_end, timeslot_start) > coalesce($1, now()) - interval '6 days'"
    };
}

/// A sweep that calls for orders of that kind.
macro_rules! calls {
    ($name:literal, $find:literal, $change:literal, $kind:literal, $is_so:expr, $uncalled:expr) => {
        Sweep {
            name: $name,
            find: statement!(
                $find,
                [TIMESTAMPTZ, INT4, INT8_ARRAY],
                "SELECT orders.id FROM orders WHERE ",
                $is_so,
                " AND orders.id <> ALL ($3) /* except */ AND EXISTS (SELECT FROM ",
                $uncalled,
                ") LIMIT $2 /* at most */"
            ),
            lock: Some(&LOCK_ORDERS),
            change: statement!(
                $change,
                [TIMESTAMPTZ, INT8_ARRAY],
                "INSERT INTO outbox (bot, chat_id, kind, order_id, history_id, created_at, due_at)
                 SELECT 'ADMIN', uncalled.chat_id, '",
                $kind,
                "', orders.id,
                        -- What comes after it is what became of the call.
                        (SELECT max(id) FROM order_status_history WHERE order_id = orders.id), moment.now, moment.now
                 FROM (SELECT coalesce($1, now()) AS now) AS moment
                 CROSS JOIN orders
                 CROSS JOIN LATERAL (SELECT called.chat_id FROM ",
                $uncalled,
                ") AS uncalled
                 WHERE orders.id = ANY ($2) /* orders */ AND ",
                $is_so,
                " RETURNING id"
            ),
            batch: BATCH,
        }
    };
}

/// Orders that do not find a master; by order.
pub static CALL: Sweep = calls!(
    "call",
    "call.find",
    "call.change",
    "ESCALATED",
    escalated!(),
    uncalled!("ESCALATED", "orders.escalated_at")
);

/// Orders to which nobody came in the client's time; by order. A new time is a new call.
pub static LATE: Sweep = calls!(
    "late",
    "late.find",
    "late.change",
    "LATE",
    late!(),
    uncalled!("LATE", "coalesce(orders.timeslot_end, orders.timeslot_start)")
);
