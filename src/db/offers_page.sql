-- $1 user, $2 page from 1, $3 offers a page, $4 now or null
WITH moment AS (
    SELECT coalesce($4, now()) AS now
), live AS (
    SELECT
        offers.order_id,
        offers.expires_at,
        row_number() OVER (ORDER BY offers.sent_at DESC, offers.id DESC) AS position,
        count(*) OVER () AS total
    FROM masters
    CROSS JOIN moment
    JOIN offers ON offers.master_id = masters.id
    JOIN orders ON orders.id = offers.order_id
    WHERE masters.telegram_user_id = $1
      AND offers.state IN ('SENT', 'VIEWED')
      AND offers.expires_at > moment.now
      AND orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
), shown AS (
    SELECT
        live.position,
        live.total,
        (live.position - 1) / $3 + 1 AS page,
        orders.id,
        orders.category,
        cities.name AS city,
        districts.name AS district,
        orders.address,
        orders.description,
        orders.timeslot_start AT TIME ZONE cities.timezone AS slot_start,
        orders.timeslot_end AT TIME ZONE cities.timezone AS slot_end,
        moment.now AT TIME ZONE cities.timezone AS local_now,
        live.expires_at AT TIME ZONE cities.timezone AS expires
    FROM live
    CROSS JOIN moment
    JOIN orders ON orders.id = live.order_id
    JOIN cities ON cities.id = orders.city_id
    LEFT JOIN districts ON districts.id = orders.district_id
    -- A page past the end is the last one.
    WHERE (live.position - 1) / $3 = least($2 - 1, (live.total - 1) / $3)
)
SELECT masters.id AS master_id, shown.*
FROM masters
LEFT JOIN shown ON true
WHERE masters.telegram_user_id = $1
ORDER BY shown.position
