-- $1 order, $2 version, $3 staff or null, $4 the person's Telegram user or null, $5 which detail, $6 its new text or null,
-- $7 and $8 its new slot on the city's clocks or null, $9 now or null
WITH moment AS (
    SELECT coalesce($9, now()) AS now
), before AS (
    SELECT
        orders.id, who.staff_id, slot.starts, slot.ends,
        CASE $5
            WHEN 'address' THEN orders.address
            WHEN 'client_name' THEN orders.client_name
            WHEN 'client_phone' THEN orders.client_phone
            WHEN 'description' THEN orders.description
            WHEN 'comment' THEN orders.comment
            ELSE orders.timeslot_start::text || ' ' || coalesce(orders.timeslot_end::text, '')
        END AS old_value
    FROM staff_right($3, $4) AS who
    JOIN orders ON orders.id = $1 AND orders.city_id = ANY (who.cities)
    JOIN cities ON cities.id = orders.city_id
    CROSS JOIN LATERAL (
        -- The clocks may go forward within it.
        SELECT $7::timestamp AT TIME ZONE cities.shown_timezone AS starts,
               greatest($7::timestamp AT TIME ZONE cities.shown_timezone, $8::timestamp AT TIME ZONE cities.shown_timezone) AS ends
    ) AS slot
    WHERE who.acts
), changed AS (
    UPDATE orders
    SET address = CASE WHEN $5 = 'address' THEN $6 ELSE address END,
        client_name = CASE WHEN $5 = 'client_name' THEN $6 ELSE client_name END,
        client_phone = CASE WHEN $5 = 'client_phone' THEN $6 ELSE client_phone END,
        description = CASE WHEN $5 = 'description' THEN $6 ELSE description END,
        comment = CASE WHEN $5 = 'comment' THEN $6 ELSE comment END,
        timeslot_start = CASE WHEN $5 = 'timeslot' THEN before.starts ELSE timeslot_start END,
        timeslot_end = CASE WHEN $5 = 'timeslot' THEN before.ends ELSE timeslot_end END,
        -- Without a slot it is to be as soon as possible.
        soon = CASE WHEN $5 = 'timeslot' THEN before.starts IS NULL ELSE soon END,
        updated_at = moment.now
    FROM before, moment
    WHERE orders.id = before.id AND version = $2 AND status NOT IN ('CLOSED', 'CANCELED')
    RETURNING orders.id, before.staff_id, before.old_value, before.starts, before.ends
)
INSERT INTO order_edits (order_id, field, old_value, new_value, changed_by_staff_id, created_at)
SELECT
    changed.id, $5, changed.old_value,
    CASE WHEN $5 = 'timeslot' THEN changed.starts::text || ' ' || coalesce(changed.ends::text, '') ELSE $6 END,
    changed.staff_id, moment.now
FROM changed, moment
RETURNING id
