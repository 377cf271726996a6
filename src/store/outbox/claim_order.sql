-- $1 now or null, $2 seconds of the lease, $3 messages a second, $4 for how many seconds is claimed at once, $5 order
WITH moment AS MATERIALIZED (
    SELECT coalesce($1, now()) AS now, coalesce($1, clock_timestamp()) AS clock
), due AS MATERIALIZED (
    -- The order's rows are few. Of a chat the row whose turn it is, unless something was sent there within the last second.
    SELECT outbox.id, outbox.bot, outbox.chat_id, outbox_class(outbox.kind) AS class
    FROM moment
    CROSS JOIN outbox
    LEFT JOIN outbox_chats AS chat USING (bot, chat_id)
    WHERE order_id = $5 AND finished_at IS NULL AND lease IS NULL AND due_at <= moment.now
      AND coalesce(chat.attempted_at, '-infinity') <= moment.now - interval '1 second'
      AND outbox.id = (SELECT next.id FROM outbox_next(outbox.bot, outbox.chat_id, moment.now, '{}') AS next)
), locked_bot AS MATERIALIZED (
    SELECT bot, slots, probing,
           CASE WHEN next_slot > clock + interval '1 minute' THEN clock ELSE greatest(next_slot, clock) END AS slot
    FROM outbox_bots, moment
    WHERE coalesce(not_before, '-infinity') <= moment.now AND bot IN (SELECT bot FROM due)
    FOR UPDATE OF outbox_bots SKIP LOCKED
), pace AS MATERIALIZED (
    SELECT bot, slots, slot, least(
        greatest(floor((extract(epoch FROM clock - slot)::float8 + $4) * $3 + 0.001), 0),
        CASE
            WHEN NOT probing THEN $3
            WHEN EXISTS (SELECT FROM outbox WHERE outbox.bot = locked_bot.bot AND lease IS NOT NULL AND due_at > moment.now) THEN 0
            ELSE 1
        END)::integer AS free
    FROM locked_bot, moment
), chosen AS MATERIALIZED (
    SELECT pace.bot, next.chat_id, next.id, row_number() OVER (PARTITION BY pace.bot ORDER BY next.class, next.id) AS place
    FROM pace
    CROSS JOIN moment
    CROSS JOIN LATERAL (
        SELECT id, chat_id, class
        FROM (SELECT id, chat_id, class, row_number() OVER (PARTITION BY class ORDER BY id) AS nth FROM due WHERE due.bot = pace.bot)
            AS candidate
        -- Corrections keep to their share while anything is waited for.
        WHERE class < 3 OR nth <= (pace.slots + pace.free) / 5 - pace.slots / 5 OR NOT EXISTS (
            SELECT FROM outbox_chats AS other WHERE other.bot = pace.bot AND other.class < 3 AND other.ready_at <= moment.now)
        ORDER BY class, id
        LIMIT pace.free
    ) AS next
), free_chat AS MATERIALIZED (
    -- Nobody who holds a chat or a row is waited for.
    SELECT chat.bot, chat.chat_id
    FROM (SELECT DISTINCT bot, chat_id FROM chosen) AS wanted
    JOIN outbox_chats AS chat USING (bot, chat_id)
    FOR UPDATE OF chat SKIP LOCKED
), free_row AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE id = ANY (ARRAY (
            SELECT id FROM chosen
            WHERE (bot, chat_id) IN (SELECT bot, chat_id FROM free_chat)
               OR NOT EXISTS (
                   SELECT FROM outbox_chats AS chat WHERE chat.bot = chosen.bot AND chat.chat_id = chosen.chat_id)))
      AND finished_at IS NULL
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE outbox
    SET lease = gen_random_uuid(), due_at = moment.now + make_interval(secs => $2), scheduled = true,
        attempts = least(greatest(attempts, 0), 1000000) + 1
    FROM moment, chosen
    WHERE outbox.id = ANY (ARRAY (SELECT id FROM free_row)) AND outbox.id = chosen.id
      AND finished_at IS NULL AND lease IS NULL AND due_at <= moment.now
    RETURNING outbox.id, outbox.bot, outbox.chat_id, outbox.kind, outbox.order_id, outbox.offer_id,
              outbox.message_id, outbox.lease, outbox.due_at, chosen.place
), covered AS (
    -- Of corrections of the same message, and of changes of the same order, one is enough; and what is shown in a message next
    -- covers what was to be shown there before.
    UPDATE outbox SET finished_at = moment.now, dropped_because = 'OVERTAKEN'
    FROM moment
    WHERE finished_at IS NULL AND lease IS NULL AND id = ANY (ARRAY (
        SELECT id FROM outbox
        WHERE lease IS NULL AND id = ANY (ARRAY (
            SELECT older.id
            FROM claimed
            CROSS JOIN LATERAL (
                SELECT waiting.id FROM outbox AS waiting
                WHERE waiting.bot = claimed.bot AND waiting.chat_id = claimed.chat_id AND waiting.finished_at IS NULL
                  AND waiting.lease IS NULL AND waiting.id <> claimed.id
                  AND (waiting.message_id = claimed.message_id AND waiting.id < claimed.id
                    OR waiting.kind = 'CHANGED' AND waiting.kind = claimed.kind AND waiting.order_id = claimed.order_id
                    OR waiting.kind = 'OFFER_ENDED' AND waiting.kind = claimed.kind
                       AND waiting.offer_id = claimed.offer_id)
                LIMIT 1000
            ) AS older
            WHERE claimed.message_id IS NOT NULL OR claimed.kind = 'OFFER_ENDED' OR claimed.kind = 'CHANGED'))
        FOR UPDATE SKIP LOCKED))
), chats AS (
    INSERT INTO outbox_chats AS chat (bot, chat_id, attempted_at, ready_at, class)
    SELECT bot, chat_id, moment.now, due_at, outbox_class(kind) FROM claimed, moment ORDER BY bot, chat_id
    ON CONFLICT (bot, chat_id) DO UPDATE
        SET attempted_at = excluded.attempted_at, ready_at = excluded.ready_at, class = excluded.class
), paced AS (
    UPDATE outbox_bots
    SET next_slot = pace.slot + claims.count * make_interval(secs => 1 / $3::float8), slots = pace.slots + claims.count
    FROM pace
    JOIN (SELECT bot, max(place) AS count FROM claimed GROUP BY bot) AS claims USING (bot)
    WHERE outbox_bots.bot = pace.bot
)
SELECT claimed.id, claimed.lease::text,
       extract(epoch FROM pace.slot - coalesce($1, clock_timestamp()))::float8 + (claimed.place - 1) / $3::float8 AS wait
FROM claimed
JOIN pace USING (bot)
ORDER BY claimed.place, claimed.id
