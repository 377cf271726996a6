-- $1 rows that were said in one message, the first of them first, $2 lease
--
-- Locks the rows, their chat and the person, before the bot's row is: that one stops all claims, and whoever holds it waits for
-- nobody.
WITH attempted AS MATERIALIZED (
    SELECT id, bot, chat_id FROM outbox
    WHERE id = ANY ($1) AND lease = $2::text::uuid AND finished_at IS NULL
    ORDER BY id
    FOR UPDATE
), chat AS MATERIALIZED (
    SELECT chat.bot, chat.chat_id
    FROM (SELECT DISTINCT bot, chat_id FROM attempted) AS wanted
    JOIN outbox_chats AS chat USING (bot, chat_id)
    FOR UPDATE OF chat
), free_masters AS MATERIALIZED (
    SELECT masters.id FROM masters JOIN chat ON bot = 'MASTER' AND telegram_user_id = chat_id
    FOR NO KEY UPDATE OF masters SKIP LOCKED
), free_staff AS MATERIALIZED (
    SELECT staff.id FROM staff JOIN chat ON bot = 'ADMIN' AND telegram_user_id = chat_id
    FOR NO KEY UPDATE OF staff SKIP LOCKED
)
SELECT EXISTS (
        SELECT FROM chat JOIN masters ON bot = 'MASTER' AND telegram_user_id = chat_id
        WHERE masters.id NOT IN (SELECT id FROM free_masters))
    OR EXISTS (
        SELECT FROM chat JOIN staff ON bot = 'ADMIN' AND telegram_user_id = chat_id
        WHERE staff.id NOT IN (SELECT id FROM free_staff)) AS person_is_held
