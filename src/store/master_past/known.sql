    SELECT masters.*
    FROM masters
    WHERE masters.city_id = $1 OR masters.id IN (
        SELECT master_id FROM master_changes
        WHERE created_at > $2 AND what = 'CITY' AND from_value = ($1::bigint)::text)
