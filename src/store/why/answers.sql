-- $1 order, $2 now: its offers, and how they were answered.
SELECT
    offers.id,
    offers.master_id,
    offers.state,
    offers.sent_at,
    offers.sent_at AT TIME ZONE cities.shown_timezone AS sent_local,
    offers.responded_at,
    offers.responded_at AT TIME ZONE cities.shown_timezone AS responded_local,
    offers.expires_at <= $2 AS overdue
FROM orders
JOIN cities ON cities.id = orders.city_id
JOIN offers ON offers.order_id = orders.id
WHERE orders.id = $1
ORDER BY offers.id
