SELECT count(*) AS taps, percentile_disc(0.5) WITHIN GROUP (ORDER BY behind_ms) AS median_ms, min(behind_ms) AS closest_ms
FROM place
JOIN lost_taps ON lost_taps.city_id = place.city_id AND lost_taps.tapped_at >= place.since
