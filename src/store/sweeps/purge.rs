//! Retention: finished orders are deleted with all that belongs to them, if the newest policy says after how many days
//! (`dispatch_policies.keep_finished_days`). By default everything is kept. Of their history the seals stay, for the roots of days.

use super::{Statement, Sweep, statement};

/// Locks orders with all that belongs to them; those of which somebody holds a part are left out.
const LOCK_WHOLE: Statement = statement!("purge.lock_whole", [INT8_ARRAY], include_str!("purge_lock.sql"));

/// How long finished orders are kept; null: for ever. A number that is no sane one must not delete anything.
macro_rules! days_kept {
    () => {
        "(SELECT CASE WHEN keep_finished_days BETWEEN 8 AND 36500 THEN keep_finished_days END AS days
               FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy"
    };
}

/// By order.
pub static PURGE: Sweep = Sweep {
    name: "purge",
    find: statement!(
        "purge.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT orders.id
         FROM ",
        days_kept!(),
        "
         JOIN orders ON status IN ('CLOSED', 'CANCELED')
                    AND updated_at < coalesce($1, now()) /* now */ - make_interval(days => policy.days)
         WHERE orders.id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_WHOLE),
    change: statement!(
        "purge.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "WITH old AS MATERIALIZED (
             SELECT orders.id
             FROM ",
        days_kept!(),
        "
             JOIN orders ON orders.id = ANY ($2) /* orders */ AND status IN ('CLOSED', 'CANCELED')
                        AND updated_at < coalesce($1, now()) /* now */ - make_interval(days => policy.days)
         ), screens AS (
             DELETE FROM cards USING offers, old WHERE offers.order_id = old.id AND cards.offer_id = offers.id
         ), asked AS (
             DELETE FROM offers USING old WHERE order_id = old.id
         ), changes AS (
             DELETE FROM order_status_history USING old WHERE order_id = old.id RETURNING order_status_history.id, seal
         ), kept AS (
             -- For the root that covers it.
             INSERT INTO history_purged (id, seal, purged_at) SELECT id, seal, coalesce($1, now()) FROM changes
             ON CONFLICT (id) DO NOTHING
         ), measured AS (
             DELETE FROM distribution_metrics USING old WHERE order_id = old.id
         ), rounds AS (
             DELETE FROM dispatch_rounds USING old WHERE order_id = old.id
         ), edits AS (
             DELETE FROM order_edits USING old WHERE order_id = old.id
         )
         -- Foreign keys are checked when the statement ends.
         DELETE FROM orders USING old WHERE orders.id = old.id
         RETURNING orders.id"
    ),
    batch: 200,
};
