-- $1 city, $2 and $3 the first moment that is asked about and the last: which orders masters had on their hands in between. An
-- order that ended before the first was not touched since, and one that was made after the last was nobody's yet.
touched AS MATERIALIZED (
    SELECT id, status, assigned_master_id, created_at FROM orders_not_over AS orders
    WHERE city_id = $1 AND created_at <= $3
    UNION ALL
    SELECT id, status, assigned_master_id, created_at
    FROM orders
    WHERE city_id = $1 AND status IN ('CLOSED', 'CANCELED') AND updated_at >= $2 AND created_at <= $3
), begun AS MATERIALIZED (
    SELECT history.order_id, history.id, history.created_at, history.actor_type <> 'MASTER' AND to_status = 'ASSIGNED' AS given
    FROM touched
    -- By the index, and not all that there is.
    CROSS JOIN LATERAL (SELECT * FROM order_status_history WHERE order_id = touched.id OFFSET 0) AS history
    WHERE history.created_at <= $3
      AND (to_status = 'ASSIGNED' OR from_status = 'CLOSED' AND to_status = 'PAYMENT')
)
SELECT assigned.master_id, begun.order_id, begun.created_at AS began_at, ended.created_at AS ended_at, begun.given
FROM begun
CROSS JOIN LATERAL (
    SELECT CASE WHEN context ->> 'master_id' ~ '^[0-9]{1,18}$' THEN (context ->> 'master_id')::bigint ELSE 0 END AS master_id
    FROM order_status_history AS history
    WHERE history.order_id = begun.order_id AND history.id <= begun.id AND to_status = 'ASSIGNED'
    ORDER BY history.id DESC
    LIMIT 1
) AS assigned
LEFT JOIN LATERAL (
    SELECT history.created_at
    FROM order_status_history AS history
    WHERE history.order_id = begun.order_id AND history.id > begun.id
      AND (to_status = 'ASSIGNED' OR to_status NOT IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT'))
    ORDER BY history.id
    LIMIT 1
) AS ended ON true
WHERE ended.created_at IS NULL OR ended.created_at >= $2
UNION ALL
-- Somebody has made them so, without a history.
SELECT assigned_master_id, id, created_at, NULL, false
FROM touched
WHERE status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
  AND NOT EXISTS (SELECT FROM order_status_history AS history WHERE history.order_id = touched.id AND to_status = 'ASSIGNED')
