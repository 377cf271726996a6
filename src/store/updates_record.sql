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
), superseded AS (
    -- Also what is about to be sent: its sender looks before.
    UPDATE outbox SET finished_at = moment.now, dropped_because = 'OVERTAKEN', lease = NULL
    FROM moment, sender
    WHERE bot = 'MASTER' AND chat_id = sender.telegram_user_id AND message_id = $9 AND kind IN ('LIST', 'OWN_ORDER', 'MENU', 'ACTIVE', 'CARD', 'QUESTION')
      AND finished_at IS NULL
    RETURNING outbox.id
), released AS (
    -- After the outbox's rows, as when a message is finished.
    DELETE FROM cards USING sender, (SELECT count(*) FROM superseded) AS first
    WHERE chat_id = sender.telegram_user_id AND message_id = $9
), touched AS (
    -- It may be an offer's card of which it is not recorded yet that it was sent.
    UPDATE outbox SET touched = touched || $9
    FROM sender
    WHERE bot = 'MASTER' AND chat_id = sender.telegram_user_id AND lease IS NOT NULL AND finished_at IS NULL
      -- What is shown in the very message is superseded.
      AND (kind = 'OFFER' OR kind = 'CARD' AND message_id IS DISTINCT FROM $9)
      -- A message that was written has touched nothing.
      AND $9 IS NOT NULL AND ($9 = ANY (touched)) IS NOT TRUE
), reached AS (
    -- Somebody who holds the master's row is not waited for; the next update sees to it.
    UPDATE masters SET unreachable_since = NULL, on_shift_since = CASE WHEN on_shift THEN moment.now END
    FROM moment
    WHERE id = (
        SELECT masters.id FROM masters JOIN sender USING (id) WHERE unreachable_since IS NOT NULL
        FOR NO KEY UPDATE OF masters SKIP LOCKED)
), question_left AS (
    UPDATE dialogs SET answered_by = 0
    FROM sender
    -- A question is open for as long as it is the last thing shown.
    WHERE master_id = sender.id AND answered_by IS NULL AND EXISTS (SELECT FROM fresh)
      -- What answers it sees to the question itself; and to be done twice leaves what follows from it.
      AND NOT (order_id IS NOT DISTINCT FROM $4
               AND ($3 IN ('CLOSE', 'CORRECT', 'GIVE_BACK')
                    OR kind = 'AMOUNT' AND $3 = 'PROGRESS' AND $5 = 'ALREADY_THERE'))
      -- Words from before the question leave it open.
      AND date_trunc('second', asked_at) <= coalesce($11, 'infinity')
)
SELECT EXISTS (SELECT FROM fresh) AS fresh
