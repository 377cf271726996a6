//! Messages that call for somebody and do not say what is true any more: whatever it concerns was changed while they were being
//! sent, or a master can be written to again.

use super::{Sweep, statement};
use crate::model::due::BATCH;

/// That a message says something else than it did when it was written, and nobody is about to edit it.
macro_rules! untrue {
    () => {
        "calls.seen <> call_seen(calls.order_id, calls.master_id)
           AND NOT EXISTS (
               SELECT FROM outbox
               WHERE bot = 'ADMIN' AND outbox.chat_id = calls.chat_id AND finished_at IS NULL AND kind = 'CALL'
                 AND outbox.message_id = calls.message_id)"
    };
}

/// By row of the outbox that is the call.
pub static CALL_CHANGES: Sweep = Sweep {
    name: "call_changes",
    find: statement!(
        "call_changes.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT outbox_id AS id FROM calls
         WHERE outbox_id <> ALL ($3) /* except */ AND ",
        untrue!(),
        " LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "call_changes.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "INSERT INTO outbox (bot, chat_id, kind, order_id, message_id, created_at, due_at)
         SELECT DISTINCT ON (calls.chat_id, calls.message_id)
                'ADMIN', calls.chat_id, 'CALL', calls.order_id, calls.message_id, moment.now, moment.now
         FROM (SELECT coalesce($1, now()) /* now */ AS now) AS moment
         CROSS JOIN calls
         WHERE calls.outbox_id = ANY ($2) /* calls */ AND ",
        untrue!(),
        " RETURNING id"
    ),
    batch: BATCH,
};
