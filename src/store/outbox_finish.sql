-- $1 row, $2 lease, $3 now or null, $4 whether it is done with, $5 seconds to wait if it is not, $6 why it was dropped or
-- null, $7 message that shows the offer now or null, $8 message that does not any more or null, $9 whether the person
-- turned out to be unreachable
WITH moment AS (
    SELECT coalesce($3, now()) AS now
), finished AS (
    UPDATE outbox
    SET lease = NULL,
        finished_at = CASE WHEN $4 THEN moment.now END,
        dropped_because = $6,
        due_at = moment.now + make_interval(secs => $5),
        -- Nothing was sent: the next message need not wait.
        attempted_at = CASE WHEN $6 IS DISTINCT FROM 'OVERTAKEN' THEN moment.now END
    FROM moment
    WHERE outbox.id = $1 AND lease = $2::text::uuid AND finished_at IS NULL
    RETURNING outbox.id
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
), told AS (
    INSERT INTO outbox (bot, chat_id, kind, order_id, master_id, created_at, due_at)
    SELECT 'ADMIN', staff.telegram_user_id, 'UNREACHABLE', CASE WHEN missed.missed THEN untold.order_id END, masters.id,
           moment.now, moment.now
    FROM moment
    JOIN outbox AS untold ON untold.id = $1 AND untold.bot = 'MASTER'
    CROSS JOIN LATERAL (SELECT untold.kind IN ('ASSIGNED', 'CANCELED') AS missed) AS missed
    JOIN masters ON masters.telegram_user_id = untold.chat_id
    JOIN staff ON staff.is_active
    WHERE $9 AND (masters.unreachable_since IS NULL OR missed.missed)
), unreachable AS (
    UPDATE masters SET unreachable_since = moment.now
    FROM outbox, moment
    WHERE $9 AND outbox.id = $1 AND outbox.bot = 'MASTER' AND telegram_user_id = outbox.chat_id
      AND unreachable_since IS NULL
)
SELECT
    $8 IS NOT NULL AND EXISTS (SELECT FROM finished) AND NOT EXISTS (SELECT FROM changed)
    -- By a list, not by another offer's card.
    AND NOT EXISTS (
        SELECT FROM cards JOIN outbox ON outbox.id = $1 AND cards.chat_id = outbox.chat_id
        WHERE cards.message_id = $8 AND cards.offer_id <> outbox.offer_id) AS taken_over
