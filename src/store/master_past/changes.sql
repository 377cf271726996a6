-- $1 city, $2 a moment: what was changed of those masters from then on, the last change first.
SELECT master_id, what, from_value, to_value, created_at
FROM master_changes
WHERE created_at >= $2 AND master_id IN (SELECT id FROM known)
ORDER BY id DESC
