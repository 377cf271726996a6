-- $1 city, $2 from: its masters as they are now, when each had last been asked by then, and had come on shift.
SELECT
    masters.id,
    masters.on_shift,
    masters.is_blocked,
    masters.unreachable_since IS NOT NULL AS unreachable,
    CASE WHEN masters.rating BETWEEN 0 AND 5 THEN (masters.rating * 100)::integer ELSE 0 END AS rating,
    masters.max_active_orders,
    greatest(
        (SELECT sent_at FROM offers WHERE master_id = masters.id AND sent_at < $2 ORDER BY sent_at DESC LIMIT 1),
        (SELECT assigned_at FROM distribution_metrics WHERE master_id = masters.id AND assigned_at < $2 AND round_number IS NULL
         ORDER BY assigned_at DESC LIMIT 1)) AS last_asked,
    CASE WHEN masters.on_shift_since BETWEEN '2000-01-01Z' AND $2 THEN masters.on_shift_since
         ELSE (SELECT created_at FROM master_changes
               WHERE master_id = masters.id AND what = 'SHIFT' AND to_value = 'on' AND created_at < $2
               ORDER BY master_changes.id DESC LIMIT 1)
    END AS on_shift_since,
    ARRAY (SELECT district_id FROM master_districts WHERE master_id = masters.id ORDER BY district_id) AS districts,
    ARRAY (SELECT category FROM master_categories WHERE master_id = masters.id ORDER BY category) AS categories
FROM masters
WHERE masters.city_id = $1
ORDER BY masters.id
