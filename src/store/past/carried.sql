-- $1 city, $2 from: orders of any city that its masters had at that moment, and when each was off the master's hands, if it was. An
-- order that was over by then was not touched since.
touched AS MATERIALIZED (
    SELECT id FROM orders_not_over AS orders
    WHERE created_at < $2
      AND (city_id = $1 OR assigned_master_id IN (SELECT masters.id FROM masters WHERE masters.city_id = $1))
    UNION ALL
    SELECT id FROM orders
    WHERE status IN ('CLOSED', 'CANCELED') AND updated_at >= $2 AND created_at < $2
      AND (city_id = $1 OR assigned_master_id IN (SELECT masters.id FROM masters WHERE masters.city_id = $1))
)
SELECT found.master_id, released.created_at AS released_at
FROM touched
CROSS JOIN LATERAL (
    SELECT master_id, assigned_at FROM distribution_metrics
    WHERE order_id = touched.id AND assigned_at < $2
    ORDER BY distribution_metrics.id DESC LIMIT 1
) AS found
LEFT JOIN LATERAL (
    SELECT created_at FROM order_status_history
    WHERE order_id = touched.id AND created_at >= found.assigned_at
      AND to_status NOT IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
    ORDER BY order_status_history.id LIMIT 1
) AS released ON true
WHERE released.created_at IS NULL OR released.created_at > $2
