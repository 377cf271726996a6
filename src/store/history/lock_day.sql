-- $1 now or null
WITH moment AS (
    SELECT coalesce($1, now()) AS now
)
-- The newest is the only one that may be open. The numbers of a server that the database was moved to begin anew.
SELECT root IS NULL AND opened_at <= moment.now - interval '1 minute'
       AND (settled_by <= pg_snapshot_xmin(pg_current_snapshot()) OR settled_by > pg_snapshot_xmax(pg_current_snapshot()))
       -- What was there before is sealed first.
       AND (EXISTS (SELECT FROM history_roots AS earlier WHERE earlier.day < history_roots.day)
            OR NOT EXISTS (SELECT FROM order_status_history WHERE seal IS NULL)) AS is_due
FROM history_roots, moment
WHERE day = (SELECT max(day) FROM history_roots)
-- Whoever is at it already is left alone.
FOR UPDATE OF history_roots SKIP LOCKED
