-- $1 cities: their masters, and how much there is on each one's hands.
SELECT
    masters.id,
    masters.city_id,
    masters.on_shift,
    masters.is_blocked,
    masters.awaiting_approval_since IS NOT NULL AS is_waiting,
    masters.unreachable_since IS NOT NULL AS unreachable,
    -- What is no rating or no time is the worst one, or never.
    CASE WHEN masters.rating BETWEEN 0 AND 5 THEN (masters.rating * 100)::integer ELSE 0 END AS rating,
    coalesce(masters.max_active_orders, policy.max_active_orders, 5) AS max_active_orders,
    (SELECT count(*) FROM orders
     WHERE assigned_master_id = masters.id AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT'))
        + (SELECT count(*) FROM offers WHERE master_id = masters.id AND state IN ('SENT', 'VIEWED')) AS load,
    CASE WHEN activity.last_asked_at BETWEEN '2000-01-01' AND '9999-12-01' THEN activity.last_asked_at END AS last_asked,
    CASE WHEN masters.on_shift_since BETWEEN '2000-01-01' AND '9999-12-01' THEN masters.on_shift_since END AS on_shift_since,
    ARRAY (SELECT district_id FROM master_districts WHERE master_id = masters.id) AS districts,
    ARRAY (SELECT category FROM master_categories WHERE master_id = masters.id) AS categories
FROM masters
LEFT JOIN master_activity AS activity ON activity.master_id = masters.id
LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
WHERE masters.city_id = ANY ($1)
