//! Deferred orders whose time has come begin their search.

use super::{LOCK_ORDERS, Sweep, statement};
use crate::model::due::BATCH;

/// By order.
pub static WAKE: Sweep = Sweep {
    name: "wake",
    // When a working day begins is judged in the change: times at the end of the calendar can fail to be counted with.
    find: statement!(
        "wake.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT id FROM orders
         WHERE status = 'DEFERRED' AND coalesce(deferred_until, '-infinity') <= coalesce($1, now()) /* now */
           AND id <> ALL ($3) /* except */
         ORDER BY deferred_until NULLS LAST
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!("wake.change", [TIMESTAMPTZ, INT8_ARRAY], include_str!("wake.sql")),
    batch: BATCH,
};
