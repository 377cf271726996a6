-- Orders that came, as they are now.
SELECT status, sum(count)::bigint AS count, sum(escalated)::bigint AS escalated
FROM place
CROSS JOIN LATERAL (
    SELECT status, count(*) AS count, count(*) FILTER (WHERE was_escalated) AS escalated
    FROM orders
    WHERE orders.city_id = place.city_id AND orders.created_at >= place.since
    GROUP BY status
) AS came
GROUP BY status
