-- $1 row, $2 lease, $3 now or null, $4 whether it is done with, $5 seconds to wait if it is not, $6 why it was dropped or
-- null, $7 message that shows the offer now or null, $8 message that does not any more or null, $9 error or null,
-- $10 whether the whole bot is to wait
WITH moment AS (
    SELECT coalesce($3, now()) AS now
), slowed AS (
    -- Before the row and its chat, in the order in which they are claimed.
    UPDATE outbox_bots SET not_before = greatest(not_before, moment.now + make_interval(secs => $5))
    FROM moment
    WHERE $10 AND bot = (SELECT bot FROM outbox WHERE id = $1)
    RETURNING bot
), finished AS (
    UPDATE outbox
    SET lease = NULL,
        finished_at = CASE WHEN $4 THEN moment.now END,
        dropped_because = $6,
        error = $9,
        due_at = moment.now + make_interval(secs => $5)
    FROM moment, (SELECT count(*) FROM slowed) AS first
    WHERE outbox.id = $1 AND lease = $2::text::uuid AND finished_at IS NULL
    RETURNING outbox.id, outbox.bot, outbox.chat_id, outbox.due_at
), chat AS (
    UPDATE outbox_chats AS chat
    -- Nothing was sent if it was overtaken or set aside: the next message need not wait.
    SET attempted_at = CASE WHEN $6 IN ('OVERTAKEN', 'UNREADABLE') THEN NULL ELSE moment.now END,
        ready_at = CASE
            -- Nothing waits any more, unless a message was scheduled since this statement's snapshot.
            WHEN $4 AND NOT others.wait AND chat.ready_at IS NOT DISTINCT FROM seen.ready_at THEN NULL
            WHEN $6 IN ('OVERTAKEN', 'UNREADABLE') THEN moment.now
            ELSE greatest(finished.due_at, moment.now + interval '1 second')
        END
    FROM finished
    CROSS JOIN moment
    JOIN outbox_chats AS seen ON seen.bot = finished.bot AND seen.chat_id = finished.chat_id
    CROSS JOIN LATERAL (
        SELECT EXISTS (
            SELECT FROM outbox
            WHERE outbox.bot = finished.bot AND outbox.chat_id = finished.chat_id AND outbox.finished_at IS NULL
              AND outbox.id <> finished.id) AS wait
    ) AS others
    WHERE chat.bot = finished.bot AND chat.chat_id = finished.chat_id
), shown AS (
    -- Whoever holds the lease by now: the message is there.
    INSERT INTO cards (chat_id, message_id, offer_id)
    SELECT chat_id, $7, offer_id FROM outbox WHERE id = $1 AND $7 IS NOT NULL
    ON CONFLICT (chat_id, message_id) DO UPDATE SET offer_id = excluded.offer_id
), changed AS (
    DELETE FROM cards USING outbox
    WHERE outbox.id = $1 AND cards.chat_id = outbox.chat_id AND cards.message_id = $8
      AND (outbox.offer_id IS NULL OR cards.offer_id = outbox.offer_id)
    RETURNING cards.message_id
), enqueued AS (
    INSERT INTO outbox (bot, chat_id, kind, order_id, master_id, created_at, due_at)
    SELECT 'ADMIN', staff.telegram_user_id, 'UNREACHABLE', CASE WHEN missed.missed THEN undelivered.order_id END, masters.id,
           moment.now, moment.now
    FROM moment
    JOIN outbox AS undelivered ON undelivered.id = $1 AND undelivered.bot = 'MASTER'
    CROSS JOIN LATERAL (SELECT undelivered.kind IN ('ASSIGNED', 'CANCELED') AS missed) AS missed
    JOIN masters ON masters.telegram_user_id = undelivered.chat_id
    JOIN staff ON staff.is_active
    WHERE $6 = 'UNREACHABLE' AND (masters.unreachable_since IS NULL OR missed.missed)
), unreachable_master AS (
    UPDATE masters SET unreachable_since = moment.now
    FROM outbox, moment
    WHERE $6 = 'UNREACHABLE' AND outbox.id = $1 AND outbox.bot = 'MASTER' AND telegram_user_id = outbox.chat_id
      AND unreachable_since IS NULL
), unreachable_staff AS (
    UPDATE staff SET unreachable_since = moment.now
    FROM outbox, moment
    WHERE $6 = 'UNREACHABLE' AND outbox.id = $1 AND outbox.bot = 'ADMIN' AND telegram_user_id = outbox.chat_id
      AND unreachable_since IS NULL
)
SELECT
    $8 IS NOT NULL AND EXISTS (SELECT FROM finished) AND NOT EXISTS (SELECT FROM changed)
    -- By a list, not by another offer's card.
    AND NOT EXISTS (
        SELECT FROM cards JOIN outbox ON outbox.id = $1 AND cards.chat_id = outbox.chat_id
        WHERE cards.message_id = $8 AND cards.offer_id <> outbox.offer_id) AS taken_over
