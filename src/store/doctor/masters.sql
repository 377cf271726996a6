-- $1 now or null
SELECT
    masters.id,
    masters.is_blocked,
    masters.awaiting_approval_since IS NOT NULL AS waits,
    masters.unreachable_since IS NOT NULL AS unreachable,
    coalesce(masters.max_active_orders, policy.max_active_orders, 5) = 0 AS no_room,
    EXISTS (SELECT FROM master_categories WHERE master_id = masters.id) AS has_trade,
    NOT EXISTS (SELECT FROM districts WHERE districts.city_id = masters.city_id)
        OR EXISTS (SELECT FROM master_districts JOIN districts ON districts.id = district_id
                   WHERE master_id = masters.id AND districts.city_id = masters.city_id) AS has_district,
    CASE WHEN NOT masters.on_shift THEN greatest(0, extract(epoch FROM coalesce($1, now()) - coalesce(
        (SELECT max(created_at) FROM master_changes WHERE master_id = masters.id AND what = 'SHIFT'),
        masters.created_at)))::bigint END AS off_shift
FROM masters
LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
ORDER BY masters.id
