-- $1 user, $2 page from 1, $3 orders a page, $4 now or null
WITH active AS (
    SELECT
        row_number() OVER (ORDER BY orders.timeslot_start NULLS LAST, orders.id) AS position,
        count(*) OVER () AS total,
        orders.*
    FROM masters
    JOIN orders ON orders.assigned_master_id = masters.id
    WHERE masters.telegram_user_id = $1
      AND orders.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
)
SELECT
    active.total,
    (active.position - 1) / $3 + 1 AS page,
    active.id,
    active.status,
    active.category,
    cities.name AS city,
    districts.name AS district,
    active.address,
    active.description,
    active.timeslot_start AT TIME ZONE cities.timezone AS slot_start,
    active.timeslot_end AT TIME ZONE cities.timezone AS slot_end,
    coalesce($4, now()) AT TIME ZONE cities.timezone AS local_now
FROM masters
-- A page past the end is the last one.
LEFT JOIN active ON (active.position - 1) / $3 = least($2 - 1, (active.total - 1) / $3)
LEFT JOIN cities ON cities.id = active.city_id
LEFT JOIN districts ON districts.id = active.district_id
WHERE masters.telegram_user_id = $1
ORDER BY active.position
