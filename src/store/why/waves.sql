-- $1 order, $2 how many: its last waves, each with who could not be asked because of what this order's offers were then.
SELECT
    last.round_number,
    last.search_started_at,
    last.turn,
    last.city_id,
    last.created_at AS at,
    last.created_at AT TIME ZONE cities.shown_timezone AS local,
    last.empty_since,
    last.empty_since AT TIME ZONE cities.shown_timezone AS empty_since_local,
    -- What somebody wrote oddly is nobody.
    ARRAY (
        SELECT CASE WHEN chosen.id ~ '^[0-9]{1,18}$' THEN chosen.id::bigint ELSE 0 END
        FROM jsonb_array_elements_text(CASE jsonb_typeof(last.chosen) WHEN 'array' THEN last.chosen ELSE '[]' END)
            WITH ORDINALITY AS chosen (id, place)
        ORDER BY chosen.place) AS chosen,
    ARRAY (SELECT reason FROM jsonb_object_keys(excluded.reasons) AS reason ORDER BY reason) AS reasons,
    ARRAY (
        SELECT CASE WHEN count ~ '^[0-9]{1,9}$' THEN count::bigint ELSE 0 END
        FROM jsonb_each_text(excluded.reasons) AS each (reason, count) ORDER BY reason) AS counts,
    coalesce((
        SELECT max_active_orders FROM dispatch_policies WHERE created_at <= last.created_at ORDER BY id DESC LIMIT 1
    ), 5)::bigint AS max_active_orders,
    -- By the same rule as in rounds/asked.sql, at that moment.
    ARRAY (
        SELECT offers.master_id
        FROM offers
        WHERE offers.order_id = $1 AND offers.sent_at < last.created_at
          AND (offers.sent_at >= last.search_started_at
               AND NOT (offers.responded_at <= last.created_at AND offers.id IN (SELECT id FROM unreached))
            OR offers.responded_at IS NULL OR offers.responded_at > last.created_at OR offers.state = 'ACCEPTED')
        UNION
        SELECT CASE WHEN context ->> 'master_id' ~ '^[0-9]{1,18}$' THEN (context ->> 'master_id')::bigint ELSE 0 END
        FROM order_status_history AS history
        WHERE history.order_id = $1 AND to_status IN ('SEARCHING', 'GUARANTEE') AND context ? 'master_id'
          AND history.created_at <= last.created_at
    ) AS asked
FROM orders
JOIN cities ON cities.id = orders.city_id
CROSS JOIN LATERAL (
    SELECT round_number, search_started_at, turn, city_id, created_at, chosen, excluded,
           -- An earlier release leaves it when somebody is asked.
           CASE WHEN chosen = '[]' THEN empty_since END AS empty_since
    FROM dispatch_rounds
    WHERE order_id = orders.id
    ORDER BY created_at DESC, round_number DESC
    LIMIT $2
) AS last
CROSS JOIN LATERAL (
    SELECT CASE jsonb_typeof(last.excluded) WHEN 'object' THEN last.excluded ELSE '{}' END AS reasons) AS excluded
WHERE orders.id = $1
ORDER BY last.created_at, last.round_number
