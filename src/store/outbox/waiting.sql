-- $1 now or null
WITH moment AS (
    SELECT coalesce($1, now()) AS now
)
-- Times may be infinite: a bot that is paused by hand.
SELECT min(greatest(0, extract(epoch FROM
    least(greatest(next.at, outbox_bots.not_before), moment.now + interval '1 day') - moment.now)))::float8 AS seconds
FROM moment
CROSS JOIN outbox_bots
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN EXISTS (SELECT FROM outbox WHERE outbox.bot = outbox_bots.bot AND finished_at IS NULL AND NOT scheduled)
        THEN moment.now
        -- One after the other, as the index has them.
        ELSE least(
            (SELECT ready_at FROM outbox_chats
             WHERE outbox_chats.bot = outbox_bots.bot AND class = 1 AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 1),
            (SELECT ready_at FROM outbox_chats
             WHERE outbox_chats.bot = outbox_bots.bot AND class = 2 AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 1),
            (SELECT ready_at FROM outbox_chats
             WHERE outbox_chats.bot = outbox_bots.bot AND class = 3 AND ready_at IS NOT NULL ORDER BY ready_at LIMIT 1))
    END AS at
) AS next
WHERE next.at IS NOT NULL
