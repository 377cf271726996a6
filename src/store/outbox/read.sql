-- $1 now or null, $2 rows
SELECT
    outbox.id AS outbox_id,
    outbox.bot,
    outbox.chat_id,
    outbox.kind,
    outbox.attempts,
    outbox.message_id,
    outbox.created_at < moment.now - interval '1 day' AS stale,
    outbox.created_at > moment.now - interval '10 minutes' AS recent,
    orders.id,
    orders.status,
    orders.category,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    orders.description,
    orders.client_name,
    orders.client_phone,
    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    moment.now AT TIME ZONE cities.shown_timezone AS local_now,
    coalesce(orders.assigned_master_id = recipient.id, false) AS own,
    CASE WHEN outbox.bot = 'MASTER' THEN recipient.id IS NOT NULL ELSE coalesce(staff.is_active, false) END AS concerned,
    orders.escalation_reason,
    subject.full_name AS subject_name,
    subject.phone AS subject_phone,
    subject.unreachable_since IS NOT NULL AS subject_is_unreachable,
    offers.id AS offer_id,
    offers.state AS offer_state,
    offers.expires_at <= moment.now AS offer_overdue,
    least(greatest(offers.expires_at, '2000-01-01'), '9999-01-01') AT TIME ZONE cities.shown_timezone AS offer_expires,
    CASE WHEN offers.state = 'CANCELED' AND isfinite(offers.sent_at) AND isfinite(offers.responded_at) THEN
        greatest(0, extract(epoch FROM offers.responded_at - offers.sent_at))::bigint
    END AS recalled_after_seconds,
    history.reason,
    coalesce(history.to_status = 'CANCELED', false) AS for_good,
    card.message_id AS card_message,
    card.more AS more_cards
FROM outbox
CROSS JOIN (SELECT coalesce($1, now()) AS now) AS moment
LEFT JOIN orders ON orders.id = outbox.order_id
LEFT JOIN cities ON cities.id = orders.city_id
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN offers ON offers.id = outbox.offer_id
LEFT JOIN masters AS recipient ON outbox.bot = 'MASTER' AND recipient.telegram_user_id = outbox.chat_id
LEFT JOIN staff ON outbox.bot = 'ADMIN' AND staff.telegram_user_id = outbox.chat_id
LEFT JOIN masters AS subject ON subject.id = outbox.master_id
LEFT JOIN order_status_history AS history ON history.id = outbox.history_id
LEFT JOIN LATERAL (
    SELECT min(message_id) AS message_id, count(*) > 1 AS more
    FROM cards WHERE cards.offer_id = outbox.offer_id AND outbox.kind = 'OFFER_ENDED'
) AS card ON true
WHERE outbox.id = ANY ($2)
ORDER BY outbox.id
