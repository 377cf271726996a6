//! What staff are to know and nobody was there to be told: an order that was given back, a master who cannot be written to, or who
//! waits to be let in.
//! It is told to those on duty who may act in that city when somebody is, once; calls about orders are [`CALL`](super::CALL)'s and
//! [`LATE`](super::LATE)'s.
//!
//! For a week, which is how long it is remembered who was told.

use super::{LOCK_ORDERS, Statement, Sweep, statement};
use crate::model::due::BATCH;

/// That a message of the outbox has told somebody, or still may.
macro_rules! may_have_told {
    () => {
        "(dropped_because IN ('UNREACHABLE', 'ABANDONED', 'OVERTAKEN')) IS NOT TRUE"
    };
}

/// Orders that are searched for because their master gave them back, each with that change.
macro_rules! returned {
    () => {
        "FROM orders
         CROSS JOIN LATERAL (
             SELECT history.id, history.changed_by_master_id, history.actor_type, history.created_at
             FROM order_status_history AS history WHERE history.order_id = orders.id ORDER BY history.id DESC LIMIT 1
         ) AS change
         WHERE orders.status IN ('SEARCHING', 'GUARANTEE') AND change.actor_type = 'MASTER'
           AND change.created_at > coalesce($1, now()) /* now */ - interval '7 days'
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE kind = 'RETURNED' AND outbox.master_id = change.changed_by_master_id
                 AND outbox.history_id = change.id AND "
    };
}

/// By order.
pub static RETURNED: Sweep = Sweep {
    name: "returned",
    find: statement!(
        "returned.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT orders.id ",
        returned!(),
        may_have_told!(),
        ") AND orders.id <> ALL ($3) /* except */
           AND EXISTS (SELECT FROM staff_on_call(orders.city_id)) LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "returned.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "INSERT INTO outbox (bot, chat_id, kind, order_id, master_id, history_id, created_at, due_at)
         SELECT 'ADMIN', called.chat_id, 'RETURNED', untold.order_id, untold.master_id, untold.history_id,
                coalesce($1, now()), coalesce($1, now())
         FROM (SELECT orders.id AS order_id, orders.city_id, change.changed_by_master_id AS master_id, change.id AS history_id ",
        returned!(),
        may_have_told!(),
        ") AND orders.id = ANY ($2) /* orders */) AS untold
         CROSS JOIN LATERAL staff_on_call(untold.city_id) AS called
         RETURNING id"
    ),
    batch: BATCH,
};

/// Masters whose row is free.
const LOCK_MASTERS: Statement = statement!(
    "sweeps.lock_masters",
    [INT8_ARRAY],
    "SELECT id FROM masters WHERE id = ANY ($1) /* masters */ ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
);

/// Masters who cannot be written to, and of each the orders, given or taken away, that they do not know of.
macro_rules! unreachable {
    () => {
        "FROM masters
         CROSS JOIN LATERAL (
             SELECT NULL::bigint AS order_id, masters.unreachable_since AS since
             UNION
             SELECT missed.order_id, missed.finished_at
             FROM outbox AS missed
             WHERE missed.bot = 'MASTER' AND missed.chat_id = masters.telegram_user_id
               AND missed.dropped_because = 'UNREACHABLE' AND missed.kind IN ('ASSIGNED', 'CHANGED', 'CANCELED')
               AND missed.finished_at >= masters.unreachable_since
         ) AS news
         WHERE masters.unreachable_since > coalesce($1, now()) /* now */ - interval '7 days'
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE kind = 'UNREACHABLE' AND outbox.master_id = masters.id AND outbox.created_at >= news.since
                 AND (news.order_id IS NULL OR outbox.order_id = news.order_id) AND "
    };
}

/// By master.
pub static UNREACHABLE: Sweep = Sweep {
    name: "unreachable",
    find: statement!(
        "unreachable.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT DISTINCT masters.id ",
        unreachable!(),
        may_have_told!(),
        ") AND masters.id <> ALL ($3) /* except */
           AND EXISTS (SELECT FROM staff_on_call(masters.city_id)) LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_MASTERS),
    change: statement!(
        "unreachable.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "INSERT INTO outbox (bot, chat_id, kind, order_id, master_id, created_at, due_at)
         SELECT 'ADMIN', called.chat_id, 'UNREACHABLE', untold.order_id, untold.master_id,
                coalesce($1, now()), coalesce($1, now())
         FROM (SELECT masters.id AS master_id, masters.city_id, news.order_id,
                      -- Which master it is stands beside each order.
                      bool_or(news.order_id IS NOT NULL) OVER (PARTITION BY masters.id) AS has_orders ",
        unreachable!(),
        may_have_told!(),
        ") AND masters.id = ANY ($2) /* masters */) AS untold
         CROSS JOIN LATERAL staff_on_call(untold.city_id) AS called
         WHERE untold.order_id IS NOT NULL OR NOT untold.has_orders
         RETURNING id"
    ),
    batch: BATCH,
};

/// Masters who wait to be let in, of whom nobody was told who could decide.
macro_rules! waiting {
    () => {
        "FROM masters
         WHERE masters.awaiting_approval_since > coalesce($1, now()) /* now */ - interval '7 days'
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE kind = 'STAFF_SCREEN' AND place = 'MASTER' AND outbox.master_id = masters.id
                 AND outbox.created_at >= masters.awaiting_approval_since
                 AND outbox.chat_id IN (SELECT chat_id FROM staff_on_call(masters.city_id)) AND "
    };
}

/// By master.
pub static NEWCOMERS: Sweep = Sweep {
    name: "newcomers",
    find: statement!(
        "newcomers.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT masters.id ",
        waiting!(),
        may_have_told!(),
        ") AND masters.id <> ALL ($3) /* except */
           AND EXISTS (SELECT FROM staff_on_call(masters.city_id)) LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_MASTERS),
    change: statement!(
        "newcomers.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "INSERT INTO outbox (bot, chat_id, kind, master_id, place, created_at, due_at)
         SELECT 'ADMIN', called.chat_id, 'STAFF_SCREEN', untold.master_id, 'MASTER', coalesce($1, now()), coalesce($1, now())
         FROM (SELECT masters.id AS master_id, masters.city_id ",
        waiting!(),
        may_have_told!(),
        ") AND masters.id = ANY ($2) /* masters */) AS untold
         CROSS JOIN LATERAL staff_on_call(untold.city_id) AS called
         RETURNING id"
    ),
    batch: BATCH,
};
