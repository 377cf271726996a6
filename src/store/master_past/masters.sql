-- $1 city, $2 a moment, $3 a trade or null, $4 the preferred master or null: who is in the city, or was in it since then, as they are now. Of those who have not had
-- the trade since, no districts and no waits.
, of_category AS (
    SELECT master_id, array_agg(category) AS categories FROM master_categories GROUP BY master_id
)
SELECT
    known.id,
    known.full_name,
    known.city_id,
    known.created_at,
    known.on_shift,
    known.is_blocked,
    known.awaiting_approval_since IS NOT NULL AS is_waiting,
    known.unreachable_since IS NOT NULL AS unreachable,
    CASE WHEN known.rating BETWEEN 0 AND 5 THEN (known.rating * 100)::integer ELSE 0 END AS rating,
    known.max_active_orders::bigint AS own_limit,
    -- The last time before that moment: what is read here comes later for whoever was asked since.
    CASE
        WHEN NOT known.counts THEN NULL
        WHEN activity.last_asked_at >= $2 THEN greatest(
            (SELECT max(sent_at) FROM offers WHERE offers.master_id = known.id AND sent_at < $2),
            (SELECT max(assigned_at) FROM distribution_metrics AS metrics
             WHERE metrics.master_id = known.id AND round_number IS NULL AND assigned_at < $2))
        ELSE activity.last_asked_at
    END AS asked_before,
    CASE WHEN NOT known.counts THEN NULL
         WHEN known.on_shift_since <= $2 THEN known.on_shift_since
         ELSE (SELECT created_at FROM master_changes
               WHERE master_id = known.id AND created_at <= $2
                 AND (what = 'SHIFT' AND to_value = 'on' OR what = 'BLOCKED' AND to_value IS NULL
                      OR what = 'REACHABLE' AND to_value = 'yes')
               ORDER BY id DESC
               LIMIT 1)
    END AS came_before,
    CASE WHEN known.counts THEN ARRAY (SELECT district_id FROM master_districts WHERE master_id = known.id) ELSE '{}' END AS districts,
    coalesce(of_category.categories, '{}') AS categories
FROM known
LEFT JOIN master_activity AS activity ON activity.master_id = known.id
LEFT JOIN of_category ON of_category.master_id = known.id
ORDER BY known.id
