-- $1 staff or null, $2 the person's Telegram user or null, $3 bot, $4 update, $5 when it was written or null, $6 now or null,
-- $7 whether it leaves the open question, $8 message tapped or null, $9 unless it is this one, or null
WITH moment AS (
    SELECT coalesce($6, now()) AS now
), who AS MATERIALIZED (
    SELECT * FROM staff_right($1, $2)
), reached AS (
    -- Somebody who holds the row is not waited for; the next update sees to it.
    UPDATE staff SET unreachable_since = NULL
    WHERE id = (
        SELECT staff.id FROM staff JOIN who ON who.staff_id = staff.id WHERE staff.unreachable_since IS NOT NULL
        FOR NO KEY UPDATE OF staff SKIP LOCKED)
), earlier AS (
    SELECT action, order_id, outcome FROM processed_updates WHERE bot = $3 AND update_key = $4
), overtaken AS (
    -- What the person is shown now is newer than what could not be shown before. Also what is about to be sent: its sender looks.
    UPDATE outbox SET finished_at = moment.now, dropped_because = 'OVERTAKEN', lease = NULL
    FROM moment, who, staff
    WHERE staff.id = who.staff_id AND bot = 'ADMIN' AND chat_id = staff.telegram_user_id AND kind = 'STAFF_SCREEN' AND finished_at IS NULL
      -- That a master waits for a decision is news until there is one.
      AND NOT EXISTS (
          SELECT FROM masters WHERE masters.id = outbox.master_id AND masters.awaiting_approval_since IS NOT NULL)
), released AS (
    -- A message that called for somebody is about to be another screen.
    DELETE FROM calls USING who, staff
    WHERE staff.id = who.staff_id AND calls.chat_id = staff.telegram_user_id AND calls.message_id = $8
), touched AS (
    -- It may be one of which it is not recorded yet that it was sent.
    UPDATE outbox SET touched = touched || $8
    FROM who, staff
    WHERE staff.id = who.staff_id AND bot = 'ADMIN' AND chat_id = staff.telegram_user_id
      AND kind IN ('RETURNED', 'ESCALATED', 'UNREACHABLE', 'LATE') AND lease IS NOT NULL AND finished_at IS NULL
      AND $8 IS NOT NULL AND ($8 = ANY (touched)) IS NOT TRUE
), question_left AS (
    DELETE FROM staff_dialogs USING who
    WHERE staff_dialogs.staff_id = who.staff_id AND $7 AND question IS DISTINCT FROM $9 AND NOT EXISTS (SELECT FROM earlier)
), day_left AS (
    UPDATE staff_dialogs SET day = NULL
    FROM who
    WHERE staff_dialogs.staff_id = who.staff_id AND $7 AND question = $9 AND day IS NOT NULL AND NOT EXISTS (SELECT FROM earlier)
)
SELECT
    who.*,
    dialog.question,
    dialog.order_id,
    dialog.master_id,
    dialog.seen,
    dialog.day,
    -- What was written before the question is no answer to it. Telegram's dates are whole seconds.
    date_trunc('second', dialog.asked_at) <= coalesce($5, 'infinity') AS answers,
    earlier.action,
    earlier.order_id AS about_order,
    earlier.outcome AS processed
FROM who
LEFT JOIN earlier ON true
LEFT JOIN staff_dialogs AS dialog ON dialog.staff_id = who.staff_id
