//! Searches that have taken longer than their policy allows need a dispatcher.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::due::BATCH;

/// By order.
pub static ESCALATE: Sweep = Sweep {
    name: "escalate",
    find: statement!(
        "escalate.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT orders.id
         FROM orders
         -- A policy that is not there is the default one.
         LEFT JOIN dispatch_policies AS policy ON policy.id = orders.policy_id
         WHERE status IN ('SEARCHING', 'GUARANTEE') AND escalated_at IS NULL
           AND search_started_at <= coalesce($1, now()) /* now */
               - make_interval(secs => coalesce(policy.escalate_after_seconds, 600))
           AND orders.id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "escalate.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "UPDATE orders SET escalated_at = coalesce($1, now()) /* now */, escalation_reason = 'TIME'
         WHERE id = ANY ($2) /* orders */ AND status IN ('SEARCHING', 'GUARANTEE') AND escalated_at IS NULL
         RETURNING id"
    ),
    batch: BATCH,
};
