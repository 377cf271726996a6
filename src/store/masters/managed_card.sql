-- $1 staff or null, $2 the person's Telegram user or null, $3 master
SELECT
    masters.id,
    masters.telegram_user_id,
    masters.full_name,
    masters.phone,
    masters.city_id,
    cities.name AS city,
    masters.on_shift,
    masters.is_blocked,
    masters.blocked_reason,
    masters.awaiting_approval_since IS NOT NULL AS is_waiting,
    masters.unreachable_since IS NOT NULL AS unreachable,
    masters.max_active_orders AS own_limit,
    coalesce(masters.max_active_orders, policy.max_active_orders, 5) AS order_limit,
    ARRAY (SELECT category FROM master_categories WHERE master_id = masters.id ORDER BY category) AS categories,
    ARRAY (SELECT district_id FROM master_districts WHERE master_id = masters.id) AS own_districts,
    ARRAY (SELECT districts.id FROM districts WHERE districts.city_id = masters.city_id
           ORDER BY districts.name, districts.id) AS district_ids,
    ARRAY (SELECT districts.name FROM districts WHERE districts.city_id = masters.city_id
           ORDER BY districts.name, districts.id) AS district_names,
    active.orders,
    active.statuses,
    (SELECT count(*) FROM offers WHERE master_id = masters.id AND state IN ('SENT', 'VIEWED')) AS live_offers,
    coalesce((SELECT max(id) FROM master_changes WHERE master_id = masters.id), 0) AS seen
FROM staff_right($1, $2) AS who
JOIN masters ON masters.city_id = ANY (who.cities)
JOIN cities ON cities.id = masters.city_id
LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(orders.id ORDER BY orders.id), '{}') AS orders,
           coalesce(array_agg(orders.status ORDER BY orders.id), '{}') AS statuses
    FROM orders
    WHERE assigned_master_id = masters.id AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
) AS active
WHERE masters.id = $3
