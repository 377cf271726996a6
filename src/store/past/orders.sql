-- $1 city, $2 from, $3 until, $4 at most: orders whose first search began then, and what came of it.
SELECT
    orders.id, orders.district_id, orders.category, orders.preferred_master_id, orders.was_escalated,
    began.at AS began_at,
    ended.created_at AS ended_at,
    found.master_id AS found_master_id,
    found.round_number IS NULL AS by_hand,
    extract(epoch FROM released.created_at - ended.created_at)::float8 AS work_seconds
FROM orders
LEFT JOIN LATERAL (
    SELECT from_status, to_status, created_at FROM order_status_history
    WHERE order_id = orders.id ORDER BY order_status_history.id LIMIT 1
) AS first_change ON true
CROSS JOIN LATERAL (
    -- A deferred order is searched for when it wakes.
    SELECT CASE
        WHEN coalesce(first_change.from_status, orders.status) <> 'DEFERRED' THEN orders.created_at
        WHEN first_change.to_status IN ('SEARCHING', 'GUARANTEE') THEN first_change.created_at
    END AS at
) AS began
LEFT JOIN LATERAL (
    SELECT order_status_history.id, to_status, created_at FROM order_status_history
    WHERE order_id = orders.id AND to_status NOT IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
    ORDER BY order_status_history.id LIMIT 1
) AS ended ON true
LEFT JOIN LATERAL (
    SELECT master_id, round_number FROM distribution_metrics
    WHERE order_id = orders.id ORDER BY distribution_metrics.id LIMIT 1
) AS found ON ended.to_status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
LEFT JOIN LATERAL (
    SELECT created_at FROM order_status_history
    WHERE order_id = orders.id AND order_status_history.id > ended.id
      AND to_status NOT IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
    ORDER BY order_status_history.id LIMIT 1
) AS released ON true
-- Hardly any order waits for days before it is searched for.
WHERE orders.city_id = $1 AND orders.created_at >= $2 - interval '3 days' AND orders.created_at < $3
  AND began.at >= $2 AND began.at < $3
ORDER BY began.at, orders.id
LIMIT $4
