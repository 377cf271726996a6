-- Of those orders each first master. The city is a copy, and so is the time of the order's creation, in whole seconds.
SELECT count(*) FILTER (WHERE round_number = 1) AS first_round,
       count(*) FILTER (WHERE round_number = 2) AS second_round,
       count(*) FILTER (WHERE round_number >= 3) AS later_rounds,
       count(*) FILTER (WHERE round_number IS NULL) AS by_hand,
       (percentile_disc(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY time_to_assign_seconds))::bigint[] AS seconds
FROM place
JOIN distribution_metrics AS metrics ON metrics.city_id = place.city_id AND metrics.assigned_at >= place.since
WHERE metrics.is_first AND metrics.assigned_at - metrics.time_to_assign_seconds * interval '1 second' >= place.since
