-- $1 now or null
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), covered AS MATERIALIZED (
    SELECT due.day, due.up_to, coalesce(previous.up_to, 0) AS after, coalesce(previous.root, '') AS previous
    FROM history_roots AS due
    LEFT JOIN LATERAL (
        SELECT up_to, root FROM history_roots WHERE history_roots.day < due.day ORDER BY history_roots.day DESC LIMIT 1
    ) AS previous ON true
    WHERE due.root IS NULL
), blocks AS (
    SELECT id / 65536 AS block, count(*) AS changes, sha256(string_agg(coalesce(seal, ''), ''::bytea ORDER BY id)) AS digest
    FROM covered
    JOIN (SELECT id, seal FROM order_status_history UNION ALL SELECT id, seal FROM history_purged) AS change
         ON id > covered.after AND id <= covered.up_to
    GROUP BY 1
), total AS (
    SELECT coalesce(sum(changes), 0)::bigint AS changes,
           sha256(coalesce(string_agg(digest, ''::bytea ORDER BY block), '')) AS digest
    FROM blocks
)
UPDATE history_roots
SET changes = total.changes, digest = total.digest, closed_at = moment.now,
    root = sha256(covered.previous || convert_to(to_char(covered.day, 'YYYY-MM-DD'), 'UTF8')
                  || int8send(covered.up_to) || int8send(total.changes) || total.digest)
FROM covered, total, moment
WHERE history_roots.day = covered.day AND history_roots.root IS NULL
RETURNING history_roots.day, history_roots.changes, history_roots.root
