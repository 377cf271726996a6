-- $1 staff or null, $2 the person's Telegram user or null, $3 master, $4 what is to be changed, $5 which trade or district or null
SELECT
    who.acts,
    masters.on_shift,
    masters.is_blocked,
    masters.blocked_reason,
    masters.awaiting_approval_since IS NOT NULL AS is_waiting,
    masters.max_active_orders AS own_limit,
    ARRAY (SELECT category FROM master_categories WHERE master_id = masters.id ORDER BY category) AS categories,
    ARRAY (SELECT district_id FROM master_districts WHERE master_id = masters.id) AS own_districts,
    ARRAY (SELECT districts.id FROM districts WHERE districts.city_id = masters.city_id) AS district_ids,
    last.id AS change,
    last.what,
    last.from_value,
    last.to_value,
    last.changed_by,
    last.changed_by_staff_id,
    staff.full_name AS staff_name,
    last.created_at AT TIME ZONE cities.shown_timezone AS changed_at
FROM staff_right($1, $2) AS who
JOIN masters ON masters.city_id = ANY (who.cities)
JOIN cities ON cities.id = masters.city_id
LEFT JOIN LATERAL (
    SELECT *
    FROM master_changes
    -- Who was let in is not blocked any more, and the other way round.
    WHERE master_id = masters.id AND (what = $4 OR what = 'BLOCKED' AND $4 = 'APPROVED')
      AND ($5 IS NULL OR coalesce(from_value, to_value) = $5)
    ORDER BY id DESC
    LIMIT 1
) AS last ON true
LEFT JOIN staff ON staff.id = last.changed_by_staff_id
WHERE masters.id = $3
