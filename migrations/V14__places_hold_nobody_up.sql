-- Whoever holds a city's or a district's row would stop every acceptance there. What distribution_metrics says of the place is a
-- copy.

ALTER TABLE distribution_metrics
    DROP CONSTRAINT IF EXISTS distribution_metrics_city_id_fkey,
    DROP CONSTRAINT IF EXISTS distribution_metrics_district_id_fkey;
COMMENT ON COLUMN distribution_metrics.city_id IS 'As the order had it then';
