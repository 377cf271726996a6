-- $1 row, $2 lease, $3 now or null, $4 what became of it: SENT, MORE, LATER or DROPPED, $5 seconds to wait, $6 why it was
-- dropped or null, $7 message that shows the offer now or null, $8 message that does not any more or null, $9 whether
-- the person turned out to be unreachable
WITH moment AS (
    SELECT coalesce($3, now()) AS now
), finished AS (
    UPDATE outbox
    SET lease = NULL,
        finished_at = CASE WHEN $4 IN ('SENT', 'DROPPED') THEN moment.now END,
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
    WHERE outbox.id = $1 AND cards.chat_id = outbox.chat_id AND cards.message_id = $8 AND cards.offer_id = outbox.offer_id
    RETURNING cards.message_id
), unreachable AS (
    UPDATE masters SET unreachable_since = moment.now
    FROM outbox, moment
    WHERE $9 AND outbox.id = $1 AND outbox.bot = 'MASTER' AND telegram_user_id = outbox.chat_id
      AND unreachable_since IS NULL
    RETURNING masters.id
), told AS (
    INSERT INTO outbox (bot, chat_id, kind, master_id, created_at, due_at)
    SELECT 'ADMIN', staff.telegram_user_id, 'UNREACHABLE', unreachable.id, moment.now, moment.now
    FROM unreachable, staff, moment
    WHERE staff.is_active
)
SELECT $8 IS NOT NULL AND EXISTS (SELECT FROM finished) AND NOT EXISTS (SELECT FROM changed) AS taken_over
