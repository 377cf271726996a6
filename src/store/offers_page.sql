-- $1 user, $2 page from 1, $3 offers a page, $4 now or null, $5 message that the list is shown in or null
WITH released AS (
    DELETE FROM cards WHERE chat_id = $1 AND message_id = $5
), live AS (
    SELECT
        row_number() OVER (ORDER BY offers.sent_at DESC, offers.id DESC) AS position,
        count(*) OVER () AS total,
        least(offers.expires_at, '9999-01-01') AS expires_at,
        orders.id,
        orders.category,
        orders.city_id,
        orders.district_id,
        orders.address,
        orders.description,
        orders.timeslot_start,
        orders.timeslot_end
    FROM masters
    JOIN offers ON offers.master_id = masters.id
    JOIN orders ON orders.id = offers.order_id
    WHERE masters.telegram_user_id = $1
      AND offers.state IN ('SENT', 'VIEWED')
      AND offers.expires_at > coalesce($4, now())
      AND orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
)
SELECT
    masters.id AS master_id,
    EXISTS (
        SELECT FROM dialogs
        WHERE dialogs.master_id = masters.id AND kind = 'RETURN_REASON' AND answered_by IS NULL
    ) AS reason_is_awaited,
    live.total,
    (live.position - 1) / $3 + 1 AS page,
    live.id,
    live.category,
    cities.name AS city,
    districts.name AS district,
    live.address,
    live.description,
    live.timeslot_start AT TIME ZONE cities.timezone AS slot_start,
    live.timeslot_end AT TIME ZONE cities.timezone AS slot_end,
    coalesce($4, now()) AT TIME ZONE cities.timezone AS local_now,
    live.expires_at AT TIME ZONE cities.timezone AS expires
FROM masters
-- A page past the end is the last one.
LEFT JOIN live ON (live.position - 1) / $3 = least($2 - 1, (live.total - 1) / $3)
LEFT JOIN cities ON cities.id = live.city_id
LEFT JOIN districts ON districts.id = live.district_id
WHERE masters.telegram_user_id = $1
ORDER BY live.position
