-- $1 now or null, $2 at most
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), locked_bot AS MATERIALIZED (
    SELECT bot FROM outbox_bots FOR UPDATE SKIP LOCKED
), fresh AS MATERIALIZED (
    SELECT next.id
    FROM locked_bot
    CROSS JOIN LATERAL (
        SELECT id FROM outbox WHERE outbox.bot = locked_bot.bot AND finished_at IS NULL AND NOT scheduled ORDER BY id LIMIT $2
    ) AS next
), scheduled AS (
    UPDATE outbox SET scheduled = true
    WHERE id IN (SELECT id FROM outbox WHERE id IN (SELECT id FROM fresh) AND finished_at IS NULL FOR UPDATE SKIP LOCKED)
    RETURNING bot, chat_id, kind, due_at
)
INSERT INTO outbox_chats AS chat (bot, chat_id, ready_at, urgent)
SELECT bot, chat_id, greatest(min(due_at), moment.now), bool_or(kind <> 'OFFER')
FROM scheduled, moment
GROUP BY bot, chat_id, moment.now
ORDER BY bot, chat_id
ON CONFLICT (bot, chat_id) DO UPDATE
    SET ready_at = greatest(least(chat.ready_at, excluded.ready_at), chat.attempted_at + interval '1 second'),
        urgent = chat.urgent AND chat.ready_at IS NOT NULL OR excluded.urgent
