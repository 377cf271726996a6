-- $1 staff or null, $2 the staff's Telegram user or null, $3 order, $4 now or null, $5 how many
SELECT
    last.total,
    last.id,
    last.master_id,
    masters.full_name AS master,
    last.round_number,
    last.state,
    last.sent_at,
    last.sent_at AT TIME ZONE cities.shown_timezone AS sent_local,
    last.viewed_at,
    last.viewed_at AT TIME ZONE cities.shown_timezone AS viewed_local,
    last.responded_at,
    last.responded_at AT TIME ZONE cities.shown_timezone AS responded_local,
    least(last.expires_at, '9999-01-01') AS expires_at,
    least(last.expires_at, '9999-01-01') AT TIME ZONE cities.shown_timezone AS expires,
    last.expires_at <= coalesce($4, now()) AS overdue,
    -- Of the message that brought it; the row is kept for a week.
    message.delivered,
    message.failed
FROM staff_right($1, $2) AS who
JOIN orders ON orders.id = $3 AND orders.city_id = ANY (who.cities)
JOIN cities ON cities.id = orders.city_id
CROSS JOIN LATERAL (
    SELECT offers.*, count(*) OVER () AS total
    FROM offers
    WHERE offers.order_id = orders.id
    ORDER BY offers.id DESC
    LIMIT $5
) AS last
JOIN masters ON masters.id = last.master_id
LEFT JOIN LATERAL (
    SELECT finished_at IS NOT NULL AND dropped_because IS NULL AS delivered, dropped_because IS NOT NULL AS failed
    FROM outbox
    WHERE outbox.offer_id = last.id AND kind = 'OFFER'
    ORDER BY outbox.id DESC
    LIMIT 1
) AS message ON true
ORDER BY last.id DESC
