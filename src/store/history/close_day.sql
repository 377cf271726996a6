-- $1 now or null
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), due AS MATERIALIZED (
    -- Whoever is at it already is left alone. The numbers of a server that the database was moved to begin anew.
    SELECT day, up_to
    FROM history_roots, moment
    WHERE root IS NULL AND opened_at <= moment.now - interval '1 minute'
      AND (settled_by <= pg_snapshot_xmin(pg_current_snapshot()) OR settled_by > pg_snapshot_xmax(pg_current_snapshot()))
      -- What was there before is sealed first.
      AND (EXISTS (SELECT FROM history_roots AS earlier WHERE earlier.day < history_roots.day)
           OR NOT EXISTS (SELECT FROM order_status_history WHERE seal IS NULL))
    ORDER BY day
    LIMIT 1
    FOR UPDATE OF history_roots SKIP LOCKED
), covered AS MATERIALIZED (
    SELECT due.day, due.up_to, coalesce(previous.up_to, 0) AS after, coalesce(previous.root, '') AS previous
    FROM due
    LEFT JOIN LATERAL (
        SELECT up_to, root FROM history_roots WHERE history_roots.day < due.day ORDER BY history_roots.day DESC LIMIT 1
    ) AS previous ON true
), blocks AS (
    SELECT id / 65536 AS block, count(*) AS changes, sha256(string_agg(coalesce(seal, ''), ''::bytea ORDER BY id)) AS digest
    FROM covered JOIN order_status_history ON id > covered.after AND id <= covered.up_to
    GROUP BY 1
), total AS (
    SELECT coalesce(sum(changes), 0)::bigint AS changes,
           sha256(coalesce(string_agg(digest, ''::bytea ORDER BY block), '')) AS digest
    FROM blocks
), closed AS (
    UPDATE history_roots
    SET changes = total.changes, digest = total.digest, closed_at = moment.now,
        root = sha256(covered.previous || convert_to(to_char(covered.day, 'YYYY-MM-DD'), 'UTF8')
                      || int8send(covered.up_to) || int8send(total.changes) || total.digest)
    FROM covered, total, moment
    WHERE history_roots.day = covered.day AND history_roots.root IS NULL
    RETURNING history_roots.day, history_roots.changes, history_roots.root
), enqueued AS (
    INSERT INTO outbox (bot, chat_id, kind, root_day, created_at, due_at)
    SELECT 'ADMIN', staff.telegram_user_id, 'HISTORY_ROOT', closed.day, moment.now, moment.now
    FROM closed
    CROSS JOIN moment
    CROSS JOIN staff
    WHERE staff.is_active AND NOT staff.is_program AND staff.unreachable_since IS NULL AND upper(staff.role) = 'ADMIN'
    RETURNING id
)
SELECT day, changes, root, (SELECT count(*) FROM enqueued) AS enqueued FROM closed
