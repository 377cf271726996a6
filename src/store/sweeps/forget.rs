//! What is kept only for a while: messages that were sent or dropped, updates that were processed, chats without messages,
//! drafts of orders, sessions.

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
        "WITH old AS MATERIALIZED (
             SELECT id FROM outbox
             WHERE id = ANY ($2) /* rows */ AND finished_at < coalesce($1, now()) /* now */ - interval '7 days'
             FOR UPDATE SKIP LOCKED
         ), calling AS (
             -- The message stays as it is.
             DELETE FROM calls USING old WHERE calls.outbox_id = old.id
         )
         DELETE FROM outbox USING old WHERE outbox.id = old.id
         RETURNING outbox.id"
    ),
    batch: 2000,
};

/// Updates of this kind that were processed so long ago. By the minute, since a row's key is no number and nothing is done to a
/// single one.
macro_rules! forget_updates {
    ($name:literal, $find:literal, $change:literal, $kind:literal, $age:literal) => {
        Sweep {
            name: $name,
            find: statement!(
                $find,
                [TIMESTAMPTZ, INT4, INT8_ARRAY],
                // What is noted before the year 2000, or before all time, counts as noted then.
                "SELECT DISTINCT minute AS id
                 FROM (SELECT minute
                       FROM processed_updates
                       CROSS JOIN LATERAL (
                           SELECT floor(extract(epoch FROM greatest(processed_at, '2000-01-01Z')) / 60)::bigint AS minute
                       ) AS noted
                       WHERE processed_at < coalesce($1, now()) /* now */ - interval '",
                $age,
                "' AND ",
                $kind,
                " AND minute <> ALL ($3) /* except */
                       LIMIT 1000 * $2) AS old
                 LIMIT $2 /* at most */"
            ),
            lock: None,
            change: statement!(
                $change,
                [TIMESTAMPTZ, INT8_ARRAY],
                "WITH minutes AS (
                     SELECT CASE WHEN start > '2000-01-01Z' THEN start ELSE '-infinity' END AS start,
                            start + interval '1 minute' AS until
                     FROM unnest($2::bigint[]) AS minute
                     CROSS JOIN LATERAL to_timestamp(minute * 60) AS start
                 ), old AS MATERIALIZED (
                     SELECT bot, update_key
                     FROM processed_updates
                     JOIN minutes ON processed_at >= minutes.start AND processed_at < minutes.until
                     WHERE processed_at < coalesce($1, now()) /* now */ - interval '",
                $age,
                "' AND ",
                $kind,
                " FOR UPDATE OF processed_updates SKIP LOCKED
                 ), deleted AS (
                     DELETE FROM processed_updates USING old
                     WHERE processed_updates.bot = old.bot AND processed_updates.update_key = old.update_key
                 )
                 SELECT start FROM minutes"
            ),
            batch: 1,
        }
    };
}

/// Updates that changed an order or a master, after 8 days: Telegram delivers nothing again after one.
pub static FORGET_UPDATES: Sweep =
    forget_updates!("forget_updates", "forget_updates.find", "forget_updates.change", "action <> 'SHOW'", "8 days");

/// Updates that only showed or asked something, which most are, after a day: delivered again, they would show or ask it again.
pub static FORGET_SHOWN: Sweep =
    forget_updates!("forget_shown", "forget_shown.find", "forget_shown.change", "action = 'SHOW'", "25 hours");

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

/// Taps that lost a race and that no figures show any more, after 40 days; by row.
pub static FORGET_LOST_TAPS: Sweep = Sweep {
    name: "forget_lost_taps",
    find: statement!(
        "forget_lost_taps.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT id FROM lost_taps
         WHERE tapped_at < coalesce($1, now()) /* now */ - interval '40 days' AND id <> ALL ($3) /* except */
         ORDER BY tapped_at
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_lost_taps.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "DELETE FROM lost_taps
         WHERE id IN (
             SELECT id FROM lost_taps
             WHERE id = ANY ($2) /* rows */ AND tapped_at < coalesce($1, now()) /* now */ - interval '40 days'
             FOR UPDATE SKIP LOCKED)
         RETURNING id"
    ),
    batch: 2000,
};

/// What people have told who followed an invitation and did not go on for a week, name and phone among it; by Telegram's user.
pub static FORGET_ONBOARDINGS: Sweep = Sweep {
    name: "forget_onboardings",
    find: statement!(
        "forget_onboardings.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT telegram_user_id AS id FROM onboardings
         WHERE changed_at < coalesce($1, now()) /* now */ - interval '7 days' AND telegram_user_id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_onboardings.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "DELETE FROM onboardings
         WHERE telegram_user_id IN (
             SELECT telegram_user_id FROM onboardings
             WHERE telegram_user_id = ANY ($2) /* users */
               AND changed_at < coalesce($1, now()) /* now */ - interval '7 days'
             FOR UPDATE SKIP LOCKED)
         RETURNING telegram_user_id"
    ),
    batch: 500,
};

/// What staff have searched for, which may be a client's phone, a day after they last looked at the queue; by staff.
pub static FORGET_SEARCHES: Sweep = Sweep {
    name: "forget_searches",
    find: statement!(
        "forget_searches.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT staff_id AS id FROM staff_queues
         WHERE sought IS NOT NULL AND changed_at < coalesce($1, now()) /* now */ - interval '1 day'
           AND staff_id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_searches.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "UPDATE staff_queues SET sought = NULL
         WHERE staff_id IN (
             SELECT staff_id FROM staff_queues
             WHERE staff_id = ANY ($2) /* staff */ AND sought IS NOT NULL
               AND changed_at < coalesce($1, now()) /* now */ - interval '1 day'
             FOR UPDATE SKIP LOCKED)
         RETURNING staff_id"
    ),
    batch: 500,
};

/// Drafts of orders that nobody has touched for a day; those that an order was made of after 8 days: until then a button of theirs
/// may be tapped, and Telegram may deliver the tap again. Clients are in them.
pub static FORGET_DRAFTS: Sweep = Sweep {
    name: "forget_drafts",
    find: statement!(
        "forget_drafts.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT id FROM order_drafts
         WHERE touched_at < coalesce($1, now()) /* now */ - interval '1 day'
           AND (order_id IS NULL OR touched_at < coalesce($1, now()) - interval '8 days')
           AND id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_drafts.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "DELETE FROM order_drafts
         WHERE id IN (
             SELECT id FROM order_drafts
             WHERE id = ANY ($2) /* drafts */ AND touched_at < coalesce($1, now()) /* now */ - interval '1 day'
             FOR UPDATE SKIP LOCKED)
         RETURNING id"
    ),
    batch: 500,
};

/// Sessions and links a day after they have ended; programs' tokens stay, as what they did does.
pub static FORGET_SESSIONS: Sweep = Sweep {
    name: "forget_sessions",
    find: statement!(
        "forget_sessions.find",
        [TIMESTAMPTZ, INT4, INT8_ARRAY],
        "SELECT id FROM access_tokens
         WHERE kind <> 'TOKEN' AND expires_at < coalesce($1, now()) /* now */ - interval '1 day' AND id <> ALL ($3) /* except */
         LIMIT $2 /* at most */"
    ),
    lock: None,
    change: statement!(
        "forget_sessions.change",
        [TIMESTAMPTZ, INT8_ARRAY],
        "DELETE FROM access_tokens
         WHERE id IN (
             SELECT id FROM access_tokens
             WHERE id = ANY ($2) /* tokens */ AND kind <> 'TOKEN'
               AND expires_at < coalesce($1, now()) /* now */ - interval '1 day'
             FOR UPDATE SKIP LOCKED)
         RETURNING id"
    ),
    batch: 500,
};
