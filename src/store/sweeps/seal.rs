//! Rows of the history from before rows were sealed are sealed, an order at a time, until the first root covers them. After that
//! a row without a seal is one from which it was taken away, and stays as it is.

use super::super::history::says;
use super::{LOCK_ORDERS, Sweep, statement};

/// By order; with its row locked nobody adds to its history meanwhile.
pub static SEAL: Sweep = Sweep {
    name: "seal",
    find: statement!(
        "seal.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT DISTINCT order_id AS id
         FROM (
             -- By the index, and not all that there is.
             SELECT order_id
             FROM order_status_history
             WHERE seal IS NULL AND order_id <> ALL ($3) /* except */
               AND (SELECT root IS NULL FROM history_roots ORDER BY day LIMIT 1)
             ORDER BY order_id
             LIMIT 5000
         ) AS first
         ORDER BY order_id
         LIMIT $2 /* at most */"
    ),
    lock: Some(&LOCK_ORDERS),
    change: statement!(
        "seal.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "WITH RECURSIVE unsealed AS MATERIALIZED (
             SELECT id, order_id, row_number() OVER (PARTITION BY order_id ORDER BY id) AS place,
                    convert_to(",
        says!("reason"),
        ", 'UTF8') AS says
             FROM order_status_history
             WHERE order_id = ANY ($2) /* orders */ AND seal IS NULL
               AND (SELECT root IS NULL FROM history_roots ORDER BY day LIMIT 1)
         ), sealed AS (
             SELECT unsealed.id, order_id, place, sha256(coalesce(previous.seal, '') || says) AS seal
             FROM unsealed
             LEFT JOIN LATERAL (
                 SELECT seal FROM order_status_history AS earlier
                 WHERE earlier.order_id = unsealed.order_id AND earlier.id < unsealed.id ORDER BY earlier.id DESC LIMIT 1
             ) AS previous ON true
             WHERE place = 1
             UNION ALL
             SELECT unsealed.id, unsealed.order_id, unsealed.place, sha256(sealed.seal || says)
             FROM sealed JOIN unsealed ON unsealed.order_id = sealed.order_id AND unsealed.place = sealed.place + 1
         )
         UPDATE order_status_history SET seal = sealed.seal
         FROM sealed
         WHERE order_status_history.id = sealed.id AND order_status_history.seal IS NULL
         RETURNING order_status_history.order_id AS id"
    ),
    batch: 200,
};
