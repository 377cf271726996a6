-- $1 city, $2 and $5 the first moment that is asked about and the last, $3 a trade or null, $4 the preferred master or null: what was
-- changed of those masters from the first on, the last change first. Of what was changed after the last moment, the first change of each thing tells what it
-- was until then.
, changed AS MATERIALIZED (
    SELECT changes.id, changes.master_id, changes.what, changes.from_value, changes.to_value, changes.created_at
    FROM master_changes AS changes
    JOIN known ON known.id = changes.master_id AND (known.counts OR changes.what IN ('CITY', 'BLOCKED', 'APPROVED'))
    WHERE changes.created_at >= $2 AND changes.what <> 'ACCOUNT'
)
SELECT master_id, what, from_value, to_value, created_at
FROM changed
WHERE created_at <= $5 OR id IN (
    SELECT min(id) FROM changed
    WHERE created_at > $5
    GROUP BY master_id, what, CASE WHEN what IN ('TRADE', 'DISTRICT') THEN coalesce(from_value, to_value) END)
ORDER BY id DESC
