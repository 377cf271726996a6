    -- `counts`: whether more is asked about than what would keep the master away anyway. $4, or null: the master whom no trade keeps away.
    SELECT masters.*,
           $3::text IS NULL OR masters.id IS NOT DISTINCT FROM $4::bigint OR EXISTS (
               SELECT FROM master_categories WHERE master_id = masters.id AND category = $3
           ) OR masters.id IN (
               SELECT master_id FROM master_changes
               WHERE created_at >= $2 AND what = 'TRADE' AND $3 IN (from_value, to_value)
           ) AS counts
    FROM masters
    WHERE masters.city_id = $1 OR masters.id IN (
        SELECT master_id FROM master_changes
        WHERE created_at >= $2 AND what = 'CITY' AND from_value = ($1::bigint)::text)
