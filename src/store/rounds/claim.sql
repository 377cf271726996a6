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
    CASE WHEN search.goes_on THEN orders.widens_at END AS widens_at,
    policy.id AS policy_id,
    policy.offer_ttl_seconds,
    policy.preferred_ttl_seconds,
    policy.masters_per_round,
    policy.max_rounds,
    policy.first_masters,
    policy.widen_every_seconds,
    policy.widen_by,
    policy.max_live_offers,
    -- The preferred master's time begins with the search.
    NOT search.goes_on
        OR orders.search_started_at > moment.now - make_interval(secs => policy.preferred_ttl_seconds) AS preferred_first,
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
    -- The one that the search began with, else the newest.
    SELECT * FROM dispatch_policies
    ORDER BY search.goes_on AND id IS NOT DISTINCT FROM orders.policy_id DESC, id DESC
    LIMIT 1
) AS policy
ORDER BY orders.next_round_at, orders.id
