-- $1 master or null, $2 the master's Telegram user or null, $3 page from 1, $4 orders a page, $5 now or null
WITH reader AS MATERIALIZED (
    SELECT id FROM masters WHERE id = coalesce($1, (SELECT id FROM masters WHERE telegram_user_id = $2))
), active AS (
    SELECT
        row_number() OVER (ORDER BY orders.timeslot_start NULLS LAST, orders.id) AS position,
        count(*) OVER () AS total,
        orders.*
    FROM reader
    JOIN orders ON orders.assigned_master_id = reader.id
    WHERE orders.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
)
SELECT
    active.total,
    (active.position - 1) / $4 + 1 AS page,
    active.id,
    active.status,
    active.category,
    cities.name AS city,
    districts.name AS district,
    active.address,
    active.description,
    active.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    active.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    active.soon,
    active.guarantee_of IS NOT NULL AS is_free,
    coalesce($5, now()) AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc
FROM reader
-- A page past the end is the last one.
LEFT JOIN active ON (active.position - 1) / $4 = least($3 - 1, (active.total - 1) / $4)
LEFT JOIN cities ON cities.id = active.city_id
LEFT JOIN districts ON districts.id = active.district_id
ORDER BY active.position
