//! `order_edits`: what is changed of an order beside its status and master, in the transaction that changes it.

use jiff::Timestamp;

use super::{Connection, Error, Ready, Statement, statement};
use crate::model::{Amount, MasterId, OrderId};

/// Corrects what the client paid for a closed order, under its lock.
pub(crate) const CORRECT_AMOUNT: Statement = statement!(
    "edits.correct_amount",
    [INT8, INT8, TEXT, TIMESTAMPTZ],
    "WITH before AS (
         SELECT final_amount FROM orders WHERE id = $1 /* order */
     ), corrected AS (
         UPDATE orders SET final_amount = $3::text::numeric /* amount */
         FROM before
         WHERE id = $1 AND status = 'CLOSED' AND assigned_master_id = $2 /* master */
         RETURNING id, before.final_amount AS was
     )
     INSERT INTO order_edits (order_id, field, old_value, new_value, changed_by_master_id, created_at)
     SELECT id, 'final_amount', was::text, $3, $2, coalesce($4, now()) /* now */ FROM corrected
     RETURNING id"
);

/// Runs [`CORRECT_AMOUNT`].
pub(crate) async fn correct_amount(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    master: MasterId,
    amount: Amount,
    now: Option<Timestamp>,
) -> Result<(), Error> {
    connection.query(statement, &[&order.0, &master.0, &amount.to_string(), &now]).await.map(drop)
}

/// Corrects why a master gave an order back, if that was not long ago; the messages that call staff are edited.
pub(crate) const CORRECT_REASON: Statement = statement!(
    "edits.correct_reason",
    [INT8, INT8, TEXT, TIMESTAMPTZ],
    "WITH moment AS (
         SELECT coalesce($4, now()) AS now
     ), given_back AS (
         SELECT id, order_id, reason, changed_by_master_id FROM order_status_history, moment
         WHERE order_id = $1 /* order */ AND changed_by_master_id = $2 /* master */
           AND to_status IN ('SEARCHING', 'GUARANTEE') AND created_at > moment.now - interval '15 minutes'
         ORDER BY id DESC LIMIT 1
     ), corrected AS (
         UPDATE order_status_history SET reason = $3 /* reason */
         FROM given_back
         WHERE order_status_history.id = given_back.id AND given_back.reason IS DISTINCT FROM $3
         RETURNING order_status_history.id
     ), kept AS (
         INSERT INTO order_edits (order_id, field, old_value, new_value, changed_by_master_id, created_at)
         SELECT given_back.order_id, 'return_reason', given_back.reason, $3, $2, moment.now
         FROM moment, given_back JOIN corrected USING (id)
     ), notified AS (
         -- Where it is said; what is yet to be sent says it by itself.
         INSERT INTO outbox (bot, chat_id, kind, order_id, message_id, created_at, due_at)
         SELECT DISTINCT 'ADMIN', calls.chat_id, 'CALL', $1, calls.message_id, moment.now, moment.now
         FROM moment, corrected
         JOIN outbox AS said ON said.history_id = corrected.id AND said.kind = 'RETURNED' AND said.master_id = $2
         JOIN calls ON calls.outbox_id = said.id
     )
     SELECT id FROM given_back"
);

/// Runs [`CORRECT_REASON`]; whether it was in time.
pub(crate) async fn correct_reason(
    connection: &Connection,
    statement: &Ready,
    order: OrderId,
    master: MasterId,
    reason: &str,
    now: Option<Timestamp>,
) -> Result<bool, Error> {
    Ok(!connection.query(statement, &[&order.0, &master.0, &reason, &now]).await?.is_empty())
}
