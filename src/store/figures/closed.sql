-- A closed order is changed no more, so its last change is its closing.
SELECT coalesce(sum(count), 0)::bigint AS closed, coalesce(round(sum(amount)), 0)::bigint AS rubles
FROM place
CROSS JOIN LATERAL (
    SELECT count(*) AS count, sum(final_amount) AS amount
    FROM orders
    WHERE status = 'CLOSED' AND orders.city_id = place.city_id AND orders.updated_at >= place.since
) AS closed
