-- $1 now or null, $2 orders, locked
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), ready AS MATERIALIZED (
    SELECT orders.id
    FROM orders
    JOIN cities ON cities.id = orders.city_id
    CROSS JOIN moment
    CROSS JOIN (SELECT workday_start, workday_end FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy
    CROSS JOIN LATERAL (SELECT orders.created_at AT TIME ZONE cities.shown_timezone AS created) AS local
    WHERE orders.id = ANY ($2) AND orders.status = 'DEFERRED' AND moment.now >= coalesce(orders.deferred_until, (
        CASE
            WHEN local.created::time < policy.workday_start THEN local.created::date + policy.workday_start
            WHEN local.created::time < policy.workday_end THEN local.created
            ELSE local.created::date + 1 + policy.workday_start
        END) AT TIME ZONE cities.shown_timezone)
), woken AS (
    UPDATE orders
    SET status = CASE WHEN orders.guarantee_of IS NULL THEN 'SEARCHING' ELSE 'GUARANTEE' END,
        version = version + 1, next_round_at = moment.now, updated_at = moment.now
    FROM moment, ready
    WHERE orders.id = ready.id AND status = 'DEFERRED'
    RETURNING orders.id, orders.status
)
INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, created_at)
SELECT id, 'DEFERRED', status, 'SYSTEM', moment.now
FROM woken, moment
RETURNING order_id AS id
