-- $1 orders, $2 now or null
SELECT
    orders.id AS order_id,
    -- Whom an offer never reached was not asked.
    coalesce(array_agg(offers.master_id) FILTER (
        WHERE offers.sent_at >= orders.search_started_at
          AND offers.id NOT IN (SELECT id FROM unreached)), '{}') AS asked,
    -- One master cannot have two offers of an order that live or are accepted; and who gave it back, or whom staff took it
    -- from, is not asked again.
    coalesce(array_agg(offers.master_id) FILTER (WHERE offers.state IN ('SENT', 'VIEWED', 'ACCEPTED')), '{}')
        || ARRAY (
            SELECT CASE WHEN context ->> 'master_id' ~ '^[0-9]{1,18}$' THEN (context ->> 'master_id')::bigint ELSE 0 END
            FROM order_status_history
            WHERE order_id = orders.id AND to_status IN ('SEARCHING', 'GUARANTEE') AND context ? 'master_id'
        ) AS never,
    -- An offer may have no deadline.
    max(least(offers.expires_at, '9999-01-01')) FILTER (
        WHERE offers.state IN ('SENT', 'VIEWED') AND offers.expires_at > coalesce($2, now())) AS live_until,
    (count(*) FILTER (
        WHERE offers.state IN ('SENT', 'VIEWED') AND offers.expires_at > coalesce($2, now()) AND masters.can_be_asked))::integer
        AS live,
    -- Places that became free before their time in this search, and that nobody has filled.
    coalesce(array_agg(offers.id ORDER BY offers.id) FILTER (
        WHERE offers.sent_at >= orders.search_started_at AND NOT offers.replaced
          AND (offers.state IN ('DECLINED', 'CANCELED')
            OR offers.state IN ('SENT', 'VIEWED') AND NOT masters.can_be_asked)), '{}') AS vacated
FROM orders
LEFT JOIN offers ON offers.order_id = orders.id
LEFT JOIN LATERAL (
    SELECT on_shift AND NOT is_blocked AND unreachable_since IS NULL AS can_be_asked
    FROM masters WHERE id = offers.master_id
) AS masters ON true
WHERE orders.id = ANY ($1)
GROUP BY orders.id
