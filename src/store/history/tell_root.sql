-- $1 now or null
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), newest AS MATERIALIZED (
    -- It covers those before it. The first of a new database covers nothing.
    SELECT day
    FROM history_roots
    WHERE root IS NOT NULL
      AND (changes > 0 OR EXISTS (SELECT FROM history_roots AS earlier WHERE earlier.day < history_roots.day))
    ORDER BY day DESC
    LIMIT 1
), untold AS (
    SELECT day
    FROM newest
    WHERE NOT EXISTS (
        SELECT FROM outbox WHERE kind = 'HISTORY_ROOT' AND root_day = newest.day AND dropped_because IS NULL)
)
INSERT INTO outbox (bot, chat_id, kind, root_day, created_at, due_at)
SELECT 'ADMIN', staff.telegram_user_id, 'HISTORY_ROOT', untold.day, moment.now, moment.now
FROM untold
CROSS JOIN moment
CROSS JOIN staff
WHERE staff.is_active AND NOT staff.is_program AND staff.unreachable_since IS NULL AND upper(staff.role) = 'ADMIN'
  -- Whom it has just failed to reach has to wait.
  AND NOT EXISTS (
      SELECT FROM outbox
      WHERE kind = 'HISTORY_ROOT' AND root_day = untold.day AND bot = 'ADMIN' AND chat_id = staff.telegram_user_id
        AND finished_at > moment.now - interval '1 hour')
RETURNING id
