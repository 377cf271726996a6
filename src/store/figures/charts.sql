-- In which hours orders came, on the clocks of their cities; and how many found their first master below each bound and above
-- the last: $6, in seconds.
, hours AS (
    SELECT extract(hour FROM orders.created_at AT TIME ZONE cities.shown_timezone)::integer AS hour, count(*) AS orders
    FROM place
    JOIN cities ON cities.id = place.city_id
    JOIN orders ON orders.city_id = place.city_id AND orders.created_at >= place.since
    GROUP BY 1
), waits AS (
    SELECT width_bucket(metrics.time_to_assign_seconds::bigint, $6::bigint[]) AS bucket, count(*) AS orders
    FROM place
    JOIN distribution_metrics AS metrics ON metrics.city_id = place.city_id AND metrics.assigned_at >= place.since
    WHERE metrics.is_first AND metrics.assigned_at - metrics.time_to_assign_seconds * interval '1 second' >= place.since
    GROUP BY 1
)
SELECT ARRAY (
           SELECT coalesce(hours.orders, 0)
           FROM generate_series(0, 23) AS clock (hour)
           LEFT JOIN hours USING (hour)
           ORDER BY hour
       ) AS hours,
       ARRAY (
           SELECT coalesce(waits.orders, 0)
           FROM generate_series(0, cardinality($6::bigint[])) AS all_of (bucket)
           LEFT JOIN waits USING (bucket)
           ORDER BY bucket
       ) AS waits
