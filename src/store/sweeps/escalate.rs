//! Searches that have taken longer than their policy allows need a dispatcher.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::due::BATCH;

/// Whether an order of `orders`, joined with its `policy`, has been searched for too long. A policy that is not there is the
/// default one.
macro_rules! is_overdue {
    () => {
        "status IN ('SEARCHING', 'GUARANTEE') AND escalated_at IS NULL
           AND search_started_at <= coalesce($1, now()) /* now */
               - make_interval(secs => coalesce(policy.escalate_after_seconds, 600))"
    };
}

/// By order.
pub static ESCALATE: Sweep = Sweep {
    name: "escalate",
    find: statement!(
        "escalate.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        concat!(
            "SELECT orders.id
             FROM orders LEFT JOIN dispatch_policies AS policy ON policy.id = orders.policy_id
             WHERE ",
            is_overdue!(),
            "
               AND orders.id <> ALL ($3) /* except */
             LIMIT $2 /* at most */"
        )
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "escalate.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        // The search may have begun anew since it was found.
        concat!(
            "UPDATE orders SET escalated_at = coalesce($1, now()), escalation_reason = 'TIME'
             WHERE id IN (
                 SELECT orders.id
                 FROM orders LEFT JOIN dispatch_policies AS policy ON policy.id = orders.policy_id
                 WHERE orders.id = ANY ($2) /* orders */ AND ",
            is_overdue!(),
            ")
             RETURNING id"
        )
    ),
    batch: BATCH,
};
