-- $1 now or null, $2 orders
WITH orders AS MATERIALIZED (
    SELECT *
    FROM orders
    WHERE id = ANY ($2) AND status IN ('CREATED', 'SEARCHING', 'GUARANTEE') AND next_round_at <= coalesce($1, now())
    ORDER BY next_round_at, id
    FOR UPDATE SKIP LOCKED
)
SELECT
    orders.id,
    orders.status,
    orders.version,
    orders.city_id,
    orders.district_id,
    orders.category,
    orders.preferred_master_id,
    search.goes_on,
    CASE WHEN search.goes_on THEN orders.last_round ELSE 0 END AS last_round,
    search.goes_on AND orders.escalated_at IS NOT NULL AS escalated,
    policy.id AS policy_id,
    policy.offer_ttl_seconds,
    policy.preferred_ttl_seconds,
    policy.masters_per_round,
    policy.max_rounds,
    moment.now
FROM orders
CROSS JOIN (SELECT coalesce($1, now()) AS now) AS moment
CROSS JOIN LATERAL (
    -- An order that was assigned since has gone back to the search: that is another one.
    SELECT orders.search_started_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM distribution_metrics
        WHERE order_id = orders.id AND assigned_at >= orders.search_started_at
    ) AS goes_on
) AS search
CROSS JOIN LATERAL (
    SELECT * FROM dispatch_policies
    WHERE NOT search.goes_on OR orders.policy_id IS NULL OR id = orders.policy_id
    ORDER BY id DESC
    LIMIT 1
) AS policy
ORDER BY orders.next_round_at, orders.id
