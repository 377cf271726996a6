-- How long anybody waited at most while others were asked, for each city and week that the period touches: of the whole week, as
-- the promise is about weeks.
, week AS (
    SELECT place.city_id, place.name AS city, week.begins::date AS week,
           week.begins AT TIME ZONE cities.shown_timezone AS since,
           (week.begins + interval '7 days') AT TIME ZONE cities.shown_timezone AS until
    FROM moment
    CROSS JOIN place
    JOIN cities ON cities.id = place.city_id
    CROSS JOIN LATERAL generate_series(
        date_trunc('week', place.since AT TIME ZONE cities.shown_timezone),
        moment.now AT TIME ZONE cities.shown_timezone, interval '7 days') AS week (begins)
)
SELECT week.city, week.week, longest.seconds, masters.full_name AS name
FROM week
CROSS JOIN LATERAL (
    SELECT passed_over_seconds::bigint AS seconds, passed_over_master_id AS master_id
    FROM dispatch_rounds AS wave
    WHERE wave.city_id = week.city_id AND wave.created_at >= week.since AND wave.created_at < week.until
      AND passed_over_seconds IS NOT NULL
    ORDER BY passed_over_seconds DESC, passed_over_master_id
    LIMIT 1
) AS longest
LEFT JOIN masters ON masters.id = longest.master_id
ORDER BY week.week DESC, week.city, week.city_id
