-- $1 order, $2 master or null, $3 the master's Telegram user or null, $4 now or null, $5 bot, $6 update or null
SELECT
    masters.id AS master_id,
    masters.is_blocked,
    masters.blocked_reason,
    coalesce(masters.max_active_orders, policy.max_active_orders, 5) AS max_active_orders,
    (SELECT count(*)
     FROM orders AS active
     WHERE active.assigned_master_id = masters.id
       AND active.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders,
    masters.unreachable_since IS NOT NULL
        OR EXISTS (SELECT FROM dialogs WHERE dialogs.master_id = masters.id AND answered_by IS NULL) AS has_loose_ends,
    offer.id AS offer_id,
    offer.state AS offer_state,
    least(greatest(offer.expires_at, '2000-01-01'), '9999-01-01') AS offer_expires_at,
    least(greatest(offer.expires_at, '2000-01-01'), '9999-01-01') AT TIME ZONE cities.shown_timezone AS offer_expires,
    offer.expires_at <= moment.now AS offer_overdue,
    coalesce(
        (SELECT outcome FROM processed_updates WHERE bot = $5 AND update_key = $6),
        (SELECT 'SUCCESS' FROM offers AS answered
         WHERE answered.order_id = $1 AND answered.master_id = masters.id AND answered.responded_tap = $6 LIMIT 1)
    ) AS processed,
    taken.by AS taken_by,
    floor(extract(epoch FROM taken.at - offer.sent_at) * 1000)::bigint AS taken_after_ms,
    floor(extract(epoch FROM taken.tapped_at - offer.sent_at) * 1000)::bigint AS tapped_after_ms,
    orders.id,
    orders.status,
    orders.version,
    orders.assigned_master_id,
    orders.final_amount::text AS final_amount,
    coalesce(last_change.to_status = 'CLOSED' AND last_change.at > moment.now - interval '15 minutes', false) AS closed_lately,
    coalesce(last_change.by_master = masters.id AND last_change.to_status <> 'ASSIGNED'
             AND last_change.at > moment.now - interval '1.5 seconds', false) AS stepped_just_now,
    orders.category,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    orders.description,
    orders.comment,
    orders.client_name,
    orders.client_phone,
    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    orders.soon,
    orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free,
    moment.now AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc
FROM masters
CROSS JOIN (SELECT coalesce($4, now()) AS now) AS moment
LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
LEFT JOIN orders ON orders.id = $1
LEFT JOIN cities ON cities.id = orders.city_id
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN LATERAL (
    SELECT to_status, changed_by_master_id AS by_master, created_at AS at
    FROM order_status_history
    -- Of an order that is only offered nobody asks.
    WHERE order_id = orders.id AND orders.status IN ('EN_ROUTE', 'WORKING', 'PAYMENT', 'CLOSED')
    ORDER BY id DESC
    LIMIT 1
) AS last_change ON true
LEFT JOIN LATERAL (
    SELECT id, state, expires_at, sent_at
    FROM offers
    WHERE offers.order_id = $1 AND offers.master_id = masters.id
    ORDER BY state IN ('SENT', 'VIEWED', 'ACCEPTED') DESC, id DESC
    LIMIT 1
) AS offer ON true
LEFT JOIN LATERAL (
    SELECT actor_type AS by, created_at AS at,
           -- When this very update came first.
           coalesce((SELECT processed_at FROM processed_updates WHERE bot = $5 AND update_key = $6), moment.now) AS tapped_at
    FROM order_status_history
    -- Only who comes too late asks.
    WHERE order_id = orders.id AND to_status = 'ASSIGNED' AND orders.assigned_master_id <> masters.id
      AND orders.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
    ORDER BY id DESC
    LIMIT 1
) AS taken ON isfinite(taken.at) AND isfinite(taken.tapped_at) AND isfinite(offer.sent_at)
WHERE masters.id = coalesce($2, (SELECT id FROM masters WHERE telegram_user_id = $3))
