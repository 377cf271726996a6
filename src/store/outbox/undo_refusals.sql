-- $1 row, $2 now or null, $3 seconds until the first who was refused is tried again
WITH moment AS (
    SELECT coalesce($2, now()) AS now
), streak AS MATERIALIZED (
    -- Whoever refused was not marked before; transactions that began a little earlier may have marked them.
    SELECT bot, refused, refused_since - interval '1 minute' AS since, refusing_since IS NULL AS begins
    FROM outbox_bots
    WHERE bot = (SELECT bot FROM outbox WHERE id = $1)
), masters_again AS (
    -- At another moment than before, by which the trigger sees that it is withdrawn: nobody loses his place by our fault.
    UPDATE masters
    SET unreachable_since = NULL,
        unreachable_withdrawn_at = greatest(moment.now, unreachable_withdrawn_at + interval '1 microsecond')
    FROM moment
    WHERE id IN (
        -- Whoever holds a row is not waited for: this is done again at every refusal while the streak lasts.
        SELECT masters.id FROM masters JOIN streak ON bot = 'MASTER' AND telegram_user_id = ANY (refused)
        WHERE unreachable_since >= since FOR NO KEY UPDATE OF masters SKIP LOCKED)
), staff_again AS (
    UPDATE staff SET unreachable_since = NULL
    WHERE id IN (
        SELECT staff.id FROM staff JOIN streak ON bot = 'ADMIN' AND telegram_user_id = ANY (refused)
        WHERE unreachable_since >= since FOR NO KEY UPDATE OF staff SKIP LOCKED)
), rows_again AS (
    -- One after another, so that of people who really cannot be reached some deliveries come in between.
    UPDATE outbox
    SET finished_at = NULL, dropped_because = NULL, scheduled = false,
        due_at = moment.now + make_interval(secs => $3 * array_position(streak.refused, outbox.chat_id))
    FROM moment, streak
    WHERE outbox.id IN (
        SELECT outbox.id FROM outbox JOIN streak ON outbox.bot = streak.bot AND chat_id = ANY (refused)
        WHERE dropped_because = 'UNREACHABLE' AND finished_at >= since FOR UPDATE OF outbox SKIP LOCKED)
)
UPDATE outbox_bots SET refusing_since = coalesce(refusing_since, moment.now)
FROM moment, streak
WHERE outbox_bots.bot = streak.bot
RETURNING streak.begins
