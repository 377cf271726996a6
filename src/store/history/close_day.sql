-- $1 now or null
WITH covered AS MATERIALIZED (
    -- What is left of it, after what has been digested.
    SELECT due.day, due.up_to, coalesce(previous.root, '') AS previous,
           greatest(coalesce(previous.up_to, 0),
                    (SELECT max(block) * 65536 + 65535 FROM history_blocks WHERE history_blocks.day = due.day)) AS after
    FROM history_roots AS due
    LEFT JOIN LATERAL (
        SELECT up_to, root FROM history_roots WHERE history_roots.day < due.day ORDER BY history_roots.day DESC LIMIT 1
    ) AS previous ON true
    WHERE due.root IS NULL
), total AS (
    SELECT coalesce(sum(changes), 0)::bigint AS changes,
           sha256(coalesce(string_agg(digest, ''::bytea ORDER BY block), '')) AS digest
    FROM covered JOIN history_blocks USING (day)
), closed AS (
    UPDATE history_roots
    SET changes = total.changes, digest = total.digest, closed_at = coalesce($1, now()),
        root = sha256(covered.previous || convert_to(to_char(covered.day, 'YYYY-MM-DD'), 'UTF8')
                      || int8send(covered.up_to) || int8send(total.changes) || total.digest)
    FROM covered, total
    WHERE history_roots.day = covered.day AND history_roots.root IS NULL
      -- Everything has been digested.
      AND NOT EXISTS (SELECT FROM order_status_history WHERE id > covered.after AND id <= covered.up_to)
      AND NOT EXISTS (SELECT FROM history_purged WHERE id > covered.after AND id <= covered.up_to)
    RETURNING history_roots.day, history_roots.changes, history_roots.root
), cleared AS (
    DELETE FROM history_blocks USING closed WHERE history_blocks.day = closed.day
)
SELECT day, changes, root FROM closed
