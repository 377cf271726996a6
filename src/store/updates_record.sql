-- $1 bot, $2 update, $3 action, $4 order or null, $5 outcome, $6 now or null, $7 master or null,
-- $8 the master's Telegram user or null, $9 message tapped or null, $10 whether it must not be lost,
-- $11 when it was written or null
WITH moment AS (
    SELECT coalesce($6, now()) AS now,
           CASE WHEN NOT $10 THEN set_config('synchronous_commit', 'off', true) END AS commit
), sender AS (
    SELECT id, telegram_user_id FROM masters
    WHERE id = coalesce($7, (SELECT id FROM masters WHERE telegram_user_id = $8))
), fresh AS (
    INSERT INTO processed_updates (bot, update_key, action, order_id, outcome, processed_at)
    SELECT $1, $2, $3, $4, $5, moment.now
    FROM moment
    -- Strangers are not kept a record of.
    WHERE $1 <> 'MASTER' OR EXISTS (SELECT FROM sender)
    ON CONFLICT DO NOTHING
    RETURNING update_key
), released AS (
    DELETE FROM cards USING sender WHERE chat_id = sender.telegram_user_id AND message_id = $9
), superseded AS (
    UPDATE outbox SET finished_at = moment.now, dropped_because = 'OVERTAKEN'
    FROM moment, sender
    WHERE bot = 'MASTER' AND chat_id = sender.telegram_user_id AND message_id = $9 AND kind IN ('LIST', 'OWN_ORDER')
      AND finished_at IS NULL AND lease IS NULL
), reached AS (
    -- Somebody who holds the master's row is not waited for; the next update sees to it.
    UPDATE masters SET unreachable_since = NULL
    WHERE id = (
        SELECT masters.id FROM masters JOIN sender USING (id) WHERE unreachable_since IS NOT NULL
        FOR NO KEY UPDATE OF masters SKIP LOCKED)
), question_left AS (
    UPDATE dialogs SET answered_by = 0
    FROM sender
    WHERE master_id = sender.id AND kind = 'RETURN_REASON' AND answered_by IS NULL AND EXISTS (SELECT FROM fresh)
      -- What gives the order back, or tries to, sees to the question itself.
      AND $3 <> 'GIVE_BACK'
      -- Words from before the question leave it open.
      AND date_trunc('second', asked_at) <= coalesce($11, 'infinity')
)
SELECT EXISTS (SELECT FROM fresh) AS fresh
