-- How long anybody waited at most while others were asked, for each city and week that the period touches.
, waited AS (
    SELECT place.city_id, place.name AS city,
           date_trunc('week', wave.created_at AT TIME ZONE cities.shown_timezone)::date AS week,
           -- The longest wait, and whose it was.
           max(ARRAY[wave.passed_over_seconds::bigint, wave.passed_over_master_id]) AS longest
    FROM place
    JOIN cities ON cities.id = place.city_id
    JOIN dispatch_rounds AS wave ON wave.city_id = place.city_id AND wave.created_at >= place.since
    WHERE wave.passed_over_seconds IS NOT NULL
    GROUP BY 1, 2, 3
)
SELECT waited.city, waited.week, waited.longest[1] AS seconds, masters.full_name AS name
FROM waited
LEFT JOIN masters ON masters.id = waited.longest[2]
ORDER BY waited.week DESC, waited.city, waited.city_id
