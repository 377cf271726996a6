-- The next blocks that have rows, of what retention has deleted too; so few that it takes a second or two
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
), beginning AS MATERIALIZED (
    SELECT least(
        (SELECT id FROM order_status_history WHERE id > covered.after AND id <= covered.up_to ORDER BY id LIMIT 1),
        (SELECT id FROM history_purged WHERE id > covered.after AND id <= covered.up_to ORDER BY id LIMIT 1)
    ) / 65536 AS block
    FROM covered
)
INSERT INTO history_blocks (day, block, changes, digest)
SELECT covered.day, number, digested.changes, digested.digest
FROM covered
CROSS JOIN beginning
CROSS JOIN LATERAL generate_series(beginning.block, least(beginning.block + 15, covered.up_to / 65536)) AS number
CROSS JOIN LATERAL (
    SELECT count(*) AS changes, sha256(coalesce(string_agg(coalesce(seal, ''), ''::bytea ORDER BY id), '')) AS digest
    FROM (
        SELECT id, seal FROM order_status_history
        WHERE id > covered.after AND id <= covered.up_to AND id BETWEEN number * 65536 AND number * 65536 + 65535
        UNION ALL
        SELECT id, seal FROM history_purged
        WHERE id > covered.after AND id <= covered.up_to AND id BETWEEN number * 65536 AND number * 65536 + 65535
    ) AS change
) AS digested
WHERE digested.changes > 0
