-- $1 master or null, $2 the master's Telegram user or null, $3 page from 1, $4 offers a page, $5 now or null,
-- $6 message that the list is shown in or null
WITH reader AS MATERIALIZED (
    SELECT id, telegram_user_id, on_shift, is_blocked, blocked_reason, awaiting_approval_since
    FROM masters WHERE id = coalesce($1, (SELECT id FROM masters WHERE telegram_user_id = $2))
), released AS (
    DELETE FROM cards USING reader WHERE chat_id = reader.telegram_user_id AND message_id = $6
), live AS (
    SELECT
        row_number() OVER (ORDER BY offers.sent_at DESC, offers.id DESC) AS position,
        count(*) OVER () AS total,
        least(greatest(offers.expires_at, '2000-01-01'), '9999-01-01') AS expires_at,
        orders.id,
        orders.category,
        orders.city_id,
        orders.district_id,
        orders.address,
        orders.description,
        orders.timeslot_start,
        orders.timeslot_end,
        orders.soon,
        orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free
    FROM reader
    JOIN offers ON offers.master_id = reader.id
    JOIN orders ON orders.id = offers.order_id
    -- Who is blocked sees nobody's address.
    WHERE NOT reader.is_blocked
      AND offers.state IN ('SENT', 'VIEWED')
      AND offers.expires_at > coalesce($5, now())
      AND orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')
)
SELECT
    reader.id AS master_id,
    live.total,
    (live.position - 1) / $4 + 1 AS page,
    live.id,
    live.category,
    cities.name AS city,
    districts.name AS district,
    live.address,
    live.description,
    live.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    live.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    live.soon,
    live.is_free,
    coalesce($5, now()) AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc,
    live.expires_at,
    live.expires_at AT TIME ZONE cities.shown_timezone AS expires,
    reader.is_blocked,
    reader.blocked_reason,
    reader.awaiting_approval_since IS NOT NULL AS is_waiting,
    reader.is_blocked AND was_never_let_in(reader.id) AS is_refused,
    reader.on_shift
FROM reader
-- A page past the end is the last one.
LEFT JOIN live ON (live.position - 1) / $4 = least($3 - 1, (live.total - 1) / $4)
LEFT JOIN cities ON cities.id = live.city_id
LEFT JOIN districts ON districts.id = live.district_id
ORDER BY live.position
