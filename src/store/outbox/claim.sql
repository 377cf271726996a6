-- $1 now or null, $2 seconds of the lease, $3 messages a second, $4 for how many seconds is claimed at once,
-- $5 for how many seconds a lease must have ended before it is taken over
--
-- Nobody who holds a chat or a row is waited for: what is held is skipped, and everything else is claimed.
WITH moment AS MATERIALIZED (
    SELECT coalesce($1, now()) AS now, coalesce($1, clock_timestamp()) AS clock
), locked_bot AS MATERIALIZED (
    -- One claim at a time for each bot; whoever does not get the row's lock finds nothing to do. The row is as its last holder left
    -- it, whatever this statement's snapshot says.
    SELECT bot, slots, probing,
           -- A clock that was put back stops nobody.
           CASE WHEN next_slot > clock + interval '1 minute' THEN clock ELSE greatest(next_slot, clock) END AS slot
    FROM outbox_bots, moment
    WHERE coalesce(not_before, '-infinity') <= moment.now
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
), ready AS MATERIALIZED (
    -- As they are by now, whatever this statement's snapshot says.
    SELECT pace.bot, chat.chat_id, chat.ready_at
    FROM pace
    CROSS JOIN moment
    CROSS JOIN LATERAL (
        SELECT chat_id, ready_at
        FROM (
            SELECT chat_id, ready_at, class, row_number() OVER (PARTITION BY class ORDER BY ready_at) AS place
            FROM (
                SELECT * FROM (
                    SELECT chat_id, ready_at, class FROM outbox_chats
                    WHERE outbox_chats.bot = pace.bot AND class = 1 AND ready_at <= moment.now
                    ORDER BY ready_at LIMIT pace.free FOR UPDATE SKIP LOCKED) AS of_class_1
                UNION ALL
                SELECT * FROM (
                    SELECT chat_id, ready_at, class FROM outbox_chats
                    WHERE outbox_chats.bot = pace.bot AND class = 2 AND ready_at <= moment.now
                    ORDER BY ready_at LIMIT pace.free FOR UPDATE SKIP LOCKED) AS of_class_2
                UNION ALL
                SELECT * FROM (
                    SELECT chat_id, ready_at, class FROM outbox_chats
                    WHERE outbox_chats.bot = pace.bot AND class = 3 AND ready_at <= moment.now
                    ORDER BY ready_at LIMIT pace.free FOR UPDATE SKIP LOCKED) AS of_class_3
            ) AS first
        ) AS candidate
        -- Of five slots the fourth is an offer's and the fifth a correction's, if such wait: no flood starves another.
        ORDER BY NOT (class = 2 AND place <= (pace.slots + pace.free + 1) / 5 - (pace.slots + 1) / 5
                   OR class = 3 AND place <= (pace.slots + pace.free) / 5 - pace.slots / 5), class, ready_at
        LIMIT pace.free
    ) AS chat
), head AS MATERIALIZED (
    -- In a chat one after another.
    SELECT ready.bot, ready.chat_id, ready.ready_at, next.id, next.kind, next.class, next.due_at, next.leased
    FROM ready
    CROSS JOIN moment
    -- What happened in a chat since the snapshot cannot be seen: the next claim looks at it.
    JOIN outbox_chats AS seen
        ON seen.bot = ready.bot AND seen.chat_id = ready.chat_id AND seen.ready_at = ready.ready_at
    LEFT JOIN LATERAL outbox_next(ready.bot, ready.chat_id, moment.now, '{}') AS next ON true
), taken AS MATERIALIZED (
    SELECT head.bot, head.chat_id, head.id, head.kind, gen_random_uuid() AS lease,
           row_number() OVER (PARTITION BY head.bot ORDER BY head.class, head.ready_at, head.chat_id) AS place
    FROM head, moment
    WHERE head.due_at <= moment.now - CASE WHEN head.leased THEN make_interval(secs => $5) ELSE interval '0' END
), together AS MATERIALIZED (
    SELECT id, id AS first, lease, place FROM taken
    UNION ALL
    -- What staff are told of the same kind is said in the same message, of as many as it has room to name.
    SELECT other.id, taken.id, taken.lease, taken.place
    FROM taken
    CROSS JOIN moment
    CROSS JOIN LATERAL (
        SELECT id FROM outbox
        WHERE outbox.bot = taken.bot AND outbox.chat_id = taken.chat_id AND finished_at IS NULL AND outbox.kind = taken.kind
          AND outbox.id <> taken.id
          AND due_at <= moment.now - CASE WHEN outbox.lease IS NULL THEN interval '0' ELSE make_interval(secs => $5) END
        ORDER BY id LIMIT 29
    ) AS other
    WHERE taken.kind IN ('RETURNED', 'ESCALATED', 'UNREACHABLE', 'LATE')
), free_row AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE id = ANY (ARRAY (SELECT id FROM together)) AND finished_at IS NULL
    FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE outbox
    SET lease = together.lease, due_at = moment.now + make_interval(secs => $2), scheduled = true,
        attempts = least(greatest(attempts, 0), 1000000) + 1
    FROM moment, together
    WHERE outbox.id = ANY (ARRAY (SELECT id FROM free_row)) AND outbox.id = together.id
      AND together.first IN (SELECT id FROM free_row) AND finished_at IS NULL AND outbox.due_at <= moment.now
    RETURNING outbox.id, outbox.bot, outbox.chat_id, outbox.kind, outbox.order_id, outbox.offer_id,
              outbox.message_id, outbox.lease, outbox.due_at, together.place
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
    UPDATE outbox_chats
    SET ready_at = CASE
            WHEN head.id IS NULL THEN NULL
            WHEN claimed.id IS NOT NULL THEN claimed.due_at
            -- Its sender may be about to say what became of it.
            WHEN head.leased AND taken.id IS NULL THEN greatest(head.due_at, moment.now + interval '5 seconds')
            -- Somebody holds the row: others have their turn first.
            WHEN taken.id IS NOT NULL THEN moment.now + interval '1 second'
            ELSE greatest(head.due_at, moment.now)
        END,
        attempted_at = CASE WHEN claimed.id IS NULL THEN outbox_chats.attempted_at ELSE moment.now END,
        class = coalesce(head.class, outbox_chats.class)
    FROM moment, head
    LEFT JOIN claimed ON claimed.id = head.id
    LEFT JOIN taken ON taken.id = head.id
    WHERE outbox_chats.bot = head.bot AND outbox_chats.chat_id = head.chat_id
      -- Unless a message was scheduled or finished there since this statement's snapshot.
      AND (claimed.id IS NOT NULL OR outbox_chats.ready_at = head.ready_at)
), paced AS (
    UPDATE outbox_bots
    SET next_slot = pace.slot + claims.count * make_interval(secs => 1 / $3::float8), slots = pace.slots + claims.count
    FROM pace
    JOIN (SELECT bot, max(place) AS count FROM claimed GROUP BY bot) AS claims USING (bot)
    WHERE outbox_bots.bot = pace.bot
)
SELECT claimed.id, claimed.lease::text,
       -- From the moment of the answer, however long this has taken.
       extract(epoch FROM pace.slot - coalesce($1, clock_timestamp()))::float8 + (claimed.place - 1) / $3::float8 AS wait
FROM claimed
JOIN pace USING (bot)
ORDER BY claimed.place, claimed.lease, claimed.id
