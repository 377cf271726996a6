-- $1 master or null, $2 the master's Telegram user or null, $3 bot, $4 update, $5 when it was written or null, $6 now or null
WITH writer AS (
    SELECT * FROM masters WHERE id = coalesce($1, (SELECT id FROM masters WHERE telegram_user_id = $2))
), reached AS (
    UPDATE masters SET unreachable_since = NULL, on_shift_since = CASE WHEN on_shift THEN coalesce($6, now()) END
    WHERE id = (
        SELECT masters.id FROM masters JOIN writer USING (id) WHERE masters.unreachable_since IS NOT NULL
        FOR NO KEY UPDATE OF masters SKIP LOCKED)
)
SELECT
    writer.id AS master_id,
    writer.full_name,
    writer.on_shift,
    writer.is_blocked,
    writer.blocked_reason,
    writer.awaiting_approval_since IS NOT NULL AS is_waiting,
    writer.is_blocked AND was_never_let_in(writer.id) AS is_refused,
    (SELECT count(*) FROM orders
     WHERE assigned_master_id = writer.id
       AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders,
    dialog.kind AS question,
    dialog.order_id,
    dialog.written,
    dialog.written_in,
    dialog.shown_in,
    -- What was written before the question is no answer to it. Telegram's dates are whole seconds.
    date_trunc('second', dialog.asked_at) <= coalesce($5, 'infinity') AS answers,
    earlier.action,
    earlier.order_id AS about_order,
    earlier.outcome AS processed
FROM writer
LEFT JOIN processed_updates AS earlier ON earlier.bot = $3 AND earlier.update_key = $4
LEFT JOIN dialogs AS dialog ON dialog.master_id = writer.id
    AND dialog.answered_by IS NULL
    -- A reason is not waited for so long that something else may be meant.
    AND (kind <> 'RETURN_REASON' OR asked_at > coalesce($6, now()) - interval '1 hour')
