-- $1 now or null, $2 at most of each class
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), locked_bot AS MATERIALIZED (
    SELECT bot FROM outbox_bots FOR UPDATE SKIP LOCKED
), fresh AS MATERIALIZED (
    SELECT next.id, next.bot, next.chat_id
    FROM locked_bot
    CROSS JOIN LATERAL (
        -- No flood of one class is before another class.
        (SELECT id, bot, chat_id FROM outbox
         WHERE outbox.bot = locked_bot.bot AND finished_at IS NULL AND NOT scheduled AND outbox_class(kind) = 1
         ORDER BY id LIMIT $2)
        UNION ALL
        (SELECT id, bot, chat_id FROM outbox
         WHERE outbox.bot = locked_bot.bot AND finished_at IS NULL AND NOT scheduled AND outbox_class(kind) = 2
         ORDER BY id LIMIT $2)
        UNION ALL
        (SELECT id, bot, chat_id FROM outbox
         WHERE outbox.bot = locked_bot.bot AND finished_at IS NULL AND NOT scheduled AND outbox_class(kind) = 3
         ORDER BY id LIMIT $2)
    ) AS next
), free_chat AS MATERIALIZED (
    -- Whoever holds a chat or a row is not waited for: that message is looked at again by the next claim, and no other waits.
    SELECT chat.bot, chat.chat_id
    FROM (SELECT DISTINCT bot, chat_id FROM fresh) AS wanted
    JOIN outbox_chats AS chat USING (bot, chat_id)
    FOR UPDATE OF chat SKIP LOCKED
), free_row AS MATERIALIZED (
    SELECT id FROM outbox
    WHERE id IN (
            SELECT id FROM fresh
            WHERE (bot, chat_id) IN (SELECT bot, chat_id FROM free_chat)
               OR NOT EXISTS (
                   SELECT FROM outbox_chats AS chat WHERE chat.bot = fresh.bot AND chat.chat_id = fresh.chat_id))
      AND finished_at IS NULL
    FOR UPDATE SKIP LOCKED
), scheduled AS (
    UPDATE outbox SET scheduled = true
    WHERE id IN (SELECT id FROM free_row)
    RETURNING bot, chat_id, kind, due_at
)
INSERT INTO outbox_chats AS chat (bot, chat_id, ready_at, class)
SELECT bot, chat_id, greatest(min(due_at), moment.now), min(outbox_class(kind))
FROM scheduled, moment
GROUP BY bot, chat_id, moment.now
ORDER BY bot, chat_id
ON CONFLICT (bot, chat_id) DO UPDATE
    -- A time that somebody has written by hand, and no check allows by now, is no reason to fail.
    SET attempted_at = CASE WHEN chat.attempted_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' THEN chat.attempted_at END,
        ready_at = greatest(
            least(chat.ready_at, excluded.ready_at), least(chat.attempted_at, excluded.ready_at) + interval '1 second'),
        class = CASE WHEN chat.ready_at IS NULL THEN excluded.class ELSE least(chat.class, excluded.class) END
