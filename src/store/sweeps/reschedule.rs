//! Messages that wait and that no chat knows of are scheduled anew: somebody has put a finished row back by hand, say
//! `UPDATE outbox SET finished_at = NULL, dropped_because = NULL`, so that it is sent after all.

use super::{Sweep, statement};

/// By row of the outbox.
pub static RESCHEDULE: Sweep = Sweep {
    name: "reschedule",
    find: statement!(
        "reschedule.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT outbox.id
         FROM outbox
         LEFT JOIN outbox_chats AS chat USING (bot, chat_id)
         WHERE finished_at IS NULL AND scheduled AND chat.ready_at IS NULL
           AND due_at <= coalesce($1, now()) /* now */ AND outbox.id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "reschedule.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "UPDATE outbox SET scheduled = false
         WHERE id IN (
             SELECT id FROM outbox
             WHERE id = ANY ($2) /* rows */ AND finished_at IS NULL AND due_at <= coalesce($1, now()) /* now */
             FOR UPDATE SKIP LOCKED)
         RETURNING id"
    ),
    batch: 2000,
};
