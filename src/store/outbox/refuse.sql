-- $1 row, $2 lease, $3 now or null
WITH moment AS (
    SELECT coalesce($3, now()) AS now
), undelivered AS (
    SELECT bot, chat_id,
           -- Whom the bot could not write to before says nothing about the bot.
           EXISTS (SELECT FROM masters
                   WHERE bot = 'MASTER' AND telegram_user_id = chat_id AND masters.unreachable_since IS NOT NULL)
           OR EXISTS (SELECT FROM staff
                      WHERE bot = 'ADMIN' AND telegram_user_id = chat_id AND staff.unreachable_since IS NOT NULL) AS known
    FROM outbox
    WHERE id = $1 AND lease = $2::text::uuid AND finished_at IS NULL
)
UPDATE outbox_bots AS bot
SET refused = CASE
        WHEN undelivered.chat_id = ANY (bot.refused) OR cardinality(bot.refused) >= 1000 THEN bot.refused
        -- Some that are far apart are no streak.
        WHEN bot.refusing_since IS NULL AND bot.refused_since < moment.now - interval '1 hour' THEN ARRAY[undelivered.chat_id]
        ELSE bot.refused || undelivered.chat_id
    END,
    refused_since = CASE
        WHEN bot.refused = '{}' OR bot.refusing_since IS NULL AND bot.refused_since < moment.now - interval '1 hour' THEN moment.now
        ELSE bot.refused_since
    END
FROM undelivered, moment
WHERE bot.bot = undelivered.bot AND (undelivered.chat_id = ANY (bot.refused) OR NOT undelivered.known)
RETURNING cardinality(bot.refused) AS people
