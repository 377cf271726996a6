-- $1 user, $2 full name, $3 phone or null, $4 city, $5 time zone or null, $6 categories, comma-separated
WITH there AS (
    SELECT id FROM masters WHERE telegram_user_id = $1
), known_city AS (
    SELECT id, timezone FROM cities WHERE name = $4 ORDER BY id LIMIT 1
), new_city AS (
    INSERT INTO cities (name, timezone)
    SELECT $4, $5
    -- Names only: PostgreSQL would take UTC+5 too, and mean the other side of Greenwich.
    WHERE EXISTS (SELECT FROM pg_timezone_names WHERE name = $5)
      AND NOT EXISTS (SELECT FROM known_city) AND NOT EXISTS (SELECT FROM there)
    RETURNING id
), city AS (
    SELECT id FROM known_city WHERE timezone = coalesce($5, timezone) UNION ALL SELECT id FROM new_city
), added AS (
    INSERT INTO masters (telegram_user_id, full_name, phone, city_id)
    SELECT $1, $2, $3, city.id FROM city WHERE NOT EXISTS (SELECT FROM there)
    RETURNING id
), trades AS (
    INSERT INTO master_categories (master_id, category)
    SELECT DISTINCT added.id, category FROM added, unnest(string_to_array($6, ',')) AS category
)
SELECT id, false AS added, NULL AS other_timezone FROM there
UNION ALL
SELECT id, true, NULL FROM added
UNION ALL
SELECT NULL, false, timezone FROM known_city WHERE timezone <> $5 AND NOT EXISTS (SELECT FROM there)
