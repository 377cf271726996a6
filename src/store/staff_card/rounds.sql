-- $1 staff or null, $2 the staff's Telegram user or null, $3 order, $4 how many
SELECT
    last.round_number,
    last.since AS at,
    last.since AT TIME ZONE cities.shown_timezone AS local,
    -- What somebody wrote oddly is nobody.
    ARRAY (
        SELECT masters.full_name
        FROM jsonb_array_elements_text(CASE jsonb_typeof(last.chosen) WHEN 'array' THEN last.chosen ELSE '[]' END)
            WITH ORDINALITY AS chosen (id, place)
        JOIN masters ON masters.id = CASE WHEN chosen.id ~ '^[0-9]{1,18}$' THEN chosen.id::bigint END
        ORDER BY chosen.place) AS chosen,
    coalesce(last.chosen ->> 0 = orders.preferred_master_id::text, false) AS preferred_first,
    ARRAY (SELECT reason FROM jsonb_object_keys(excluded.reasons) AS reason ORDER BY reason) AS reasons,
    ARRAY (
        SELECT CASE WHEN count ~ '^[0-9]{1,9}$' THEN count::bigint ELSE 0 END
        FROM jsonb_each_text(excluded.reasons) AS each (reason, count) ORDER BY reason) AS counts
FROM staff_right($1, $2) AS who
JOIN orders ON orders.id = $3 AND orders.city_id = ANY (who.cities)
JOIN cities ON cities.id = orders.city_id
CROSS JOIN LATERAL (
    SELECT id, round_number, created_at, chosen, excluded,
           -- An earlier release leaves it when somebody is asked.
           coalesce(CASE WHEN chosen = '[]' THEN empty_since END, created_at) AS since
    FROM dispatch_rounds
    WHERE order_id = orders.id
    ORDER BY search_started_at DESC, round_number DESC
    LIMIT $4
) AS last
CROSS JOIN LATERAL (
    SELECT CASE jsonb_typeof(last.excluded) WHEN 'object' THEN last.excluded ELSE '{}' END AS reasons) AS excluded
ORDER BY last.created_at DESC, last.round_number DESC
