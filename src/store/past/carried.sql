-- $1 city, $2 from: orders that its masters had at that moment, and when each was off the master's hands, if it was.
SELECT found.master_id, released.created_at AS released_at
FROM orders
CROSS JOIN LATERAL (
    SELECT master_id, assigned_at FROM distribution_metrics
    WHERE order_id = orders.id AND assigned_at < $2
    ORDER BY distribution_metrics.id DESC LIMIT 1
) AS found
LEFT JOIN LATERAL (
    SELECT created_at FROM order_status_history
    WHERE order_id = orders.id AND created_at >= found.assigned_at
      AND to_status NOT IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
    ORDER BY order_status_history.id LIMIT 1
) AS released ON true
-- What takes longer than that is hardly on anybody's hands.
WHERE orders.city_id = $1 AND orders.created_at >= $2 - interval '14 days' AND orders.created_at < $2
  AND (released.created_at IS NULL OR released.created_at > $2)
