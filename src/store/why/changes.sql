-- $1 order, $2 how many: its last changes, the first one first.
SELECT *
FROM (
    SELECT
        history.id,
        history.to_status,
        history.actor_type,
        -- What somebody wrote oddly is nobody.
        CASE WHEN history.context ->> 'master_id' ~ '^[0-9]{1,18}$' THEN (history.context ->> 'master_id')::bigint END AS master_id,
        CASE WHEN history.context ->> 'offer_id' ~ '^[0-9]{1,18}$' THEN (history.context ->> 'offer_id')::bigint END AS offer_id,
        history.created_at AS at,
        history.created_at AT TIME ZONE cities.shown_timezone AS local
    FROM orders
    JOIN cities ON cities.id = orders.city_id
    JOIN order_status_history AS history ON history.order_id = orders.id
    WHERE orders.id = $1
    ORDER BY history.id DESC
    LIMIT $2
) AS last
ORDER BY id
