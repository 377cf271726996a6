-- $1 city, $2 the first moment that is asked about: what was changed of those masters since then, the last change first.
SELECT master_id, what, from_value, to_value, created_at
FROM master_changes
WHERE created_at > $2 AND master_id IN (SELECT id FROM known)
ORDER BY id DESC
