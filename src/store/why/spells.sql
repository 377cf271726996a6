-- $1 city, $2 and $5 the first moment that is asked about and the last, $3 the trade, $4 the preferred master: which orders masters had on their hands in
-- between, whatever city these are of, for that is how a wave counts. An order that ended before the first was not touched since, and one
-- that was made after the last was nobody's yet.
had AS MATERIALIZED (
    -- Orders of other cities that were off those masters' hands again: who had one for longer than that has hardly given it back.
    SELECT taken.order_id
    FROM known
    CROSS JOIN LATERAL (
        SELECT order_id FROM offers
        WHERE master_id = known.id AND sent_at > $2 - interval '7 days' AND sent_at <= $5
          AND (state = 'ACCEPTED' OR responded_tap IS NOT NULL)
        UNION ALL
        SELECT order_id FROM distribution_metrics
        WHERE master_id = known.id AND round_number IS NULL AND assigned_at > $2 - interval '7 days' AND assigned_at <= $5
    ) AS taken
    WHERE known.counts
), touched AS MATERIALIZED (
    SELECT id, status, assigned_master_id, created_at FROM orders_not_over AS orders
    WHERE created_at <= $5
      AND (city_id = $1 OR assigned_master_id IN (SELECT id FROM known WHERE counts) OR id IN (SELECT order_id FROM had))
    UNION ALL
    SELECT id, status, assigned_master_id, created_at
    FROM orders
    WHERE status IN ('CLOSED', 'CANCELED') AND updated_at >= $2 AND created_at <= $5
      AND (city_id = $1 OR assigned_master_id IN (SELECT id FROM known WHERE counts) OR id IN (SELECT order_id FROM had))
), begun AS MATERIALIZED (
    SELECT history.order_id, history.id, history.created_at, history.actor_type <> 'MASTER' AND to_status = 'ASSIGNED' AS given
    FROM touched
    -- By the index, and not all that there is.
    CROSS JOIN LATERAL (SELECT * FROM order_status_history WHERE order_id = touched.id OFFSET 0) AS history
    WHERE history.created_at <= $5
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
