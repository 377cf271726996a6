//! What is kept only for a while: messages that were sent or dropped, updates that were processed, chats without messages.

use super::{Sweep, statement};

/// Messages that ended more than a week ago; by row of the outbox.
pub static FORGET_MESSAGES: Sweep = Sweep {
    name: "forget_messages",
    find: statement!(
        "forget_messages.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT id FROM outbox
         WHERE finished_at < coalesce($1, now()) /* now */ - interval '7 days' AND id <> ALL ($3) /* except */
           -- Who was called for an order is remembered while it needs somebody.
           AND NOT (kind = 'ESCALATED' AND EXISTS (
               SELECT FROM orders
               WHERE orders.id = outbox.order_id AND status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
                 AND escalated_at IS NOT NULL))
         ORDER BY finished_at
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_messages.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "DELETE FROM outbox
         WHERE id IN (
             SELECT id FROM outbox
             WHERE id = ANY ($2) /* rows */ AND finished_at < coalesce($1, now()) /* now */ - interval '7 days'
             FOR UPDATE SKIP LOCKED)
         RETURNING id"
    ),
    batch: 2000,
};

/// Updates processed more than 8 days ago: Telegram delivers nothing again after one. By the minute, since a row's key is no
/// number and nothing is done to a single one.
pub static FORGET_UPDATES: Sweep = Sweep {
    name: "forget_updates",
    find: statement!(
        "forget_updates.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT DISTINCT floor(extract(epoch FROM processed_at) / 60)::bigint AS id
         FROM (SELECT processed_at FROM processed_updates
               WHERE processed_at < coalesce($1, now()) /* now */ - interval '8 days'
                 AND floor(extract(epoch FROM processed_at) / 60)::bigint <> ALL ($3) /* except */
               LIMIT 1000 * $2) AS old
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_updates.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "WITH minutes AS (
             SELECT to_timestamp(minute * 60) AS start FROM unnest($2::bigint[]) AS minute
         ), deleted AS (
             DELETE FROM processed_updates USING minutes
             WHERE processed_at >= start AND processed_at < start + interval '1 minute'
               AND processed_at < coalesce($1, now()) /* now */ - interval '8 days'
         )
         SELECT start FROM minutes"
    ),
    batch: 1,
};

/// Chats to which nothing was sent for a day; by chat, of both bots.
pub static FORGET_CHATS: Sweep = Sweep {
    name: "forget_chats",
    find: statement!(
        "forget_chats.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT DISTINCT chat_id AS id FROM outbox_chats
         WHERE ready_at IS NULL AND coalesce(attempted_at, '-infinity') < coalesce($1, now()) /* now */ - interval '1 day'
           AND chat_id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_chats.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "DELETE FROM outbox_chats
         WHERE (bot, chat_id) IN (
             SELECT bot, chat_id FROM outbox_chats
             WHERE chat_id = ANY ($2) /* chats */ AND ready_at IS NULL
               AND coalesce(attempted_at, '-infinity') < coalesce($1, now()) /* now */ - interval '1 day'
             FOR UPDATE SKIP LOCKED)
         RETURNING chat_id"
    ),
    batch: 2000,
};
