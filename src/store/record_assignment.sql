-- $1 order, $2 version, $3 status before, $4 master, $5 offer or null, $6 actor, $7 staff or null, $8 now or null,
-- $9 bot or null, $10 update or null, $11 what it asked for, $12 message tapped or null
WITH moment AS (
    SELECT coalesce($8, now()) AS now
), assigned AS (
    UPDATE orders
    SET status = 'ASSIGNED', assigned_master_id = $4, version = version + 1, updated_at = moment.now,
        -- Should it go back to the search, that is a new one, and begins at once.
        search_started_at = NULL, next_round_at = moment.now
    FROM moment
    WHERE orders.id = $1 AND version = $2 AND status = $3
      AND ($7 IS NULL OR staff_may_act($7, orders.city_id))
    RETURNING orders.*
), recalled AS (
    -- With one that was accepted, by somebody who put the order back by hand and left it.
    UPDATE offers
    SET state = 'CANCELED', responded_at = moment.now
    FROM assigned, moment
    WHERE order_id = assigned.id AND offers.id IS DISTINCT FROM $5 AND state IN ('SENT', 'VIEWED', 'ACCEPTED')
    RETURNING offers.id
), accepted AS (
    UPDATE offers
    SET state = 'ACCEPTED', responded_at = moment.now, responded_tap = $10
    -- After those: an order has one accepted offer.
    FROM assigned, moment, (SELECT count(*) FROM recalled) AS first
    WHERE offers.id = $5 AND order_id = assigned.id AND master_id = $4 AND state IN ('SENT', 'VIEWED')
    RETURNING offers.id, offers.round_number
), processed AS (
    INSERT INTO processed_updates (bot, update_key, action, order_id, outcome, processed_at)
    SELECT $9, $10, $11, assigned.id, 'SUCCESS', moment.now FROM assigned, moment
    -- By an acceptance the update is written with the offer, which costs nothing.
    WHERE $10 IS NOT NULL AND $6 <> 'MASTER'
    ON CONFLICT DO NOTHING
), asked AS (
    -- Who accepts was asked when the offer was made.
    UPDATE master_activity SET last_asked_at = moment.now
    FROM assigned, moment
    WHERE $6 <> 'MASTER' AND master_id = (
        SELECT master_id FROM master_activity WHERE master_id = $4 FOR UPDATE SKIP LOCKED)
), enqueued AS (
    INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
    SELECT 'MASTER', messages.chat_id, messages.kind, $1, messages.offer_id, moment.now, moment.now
    FROM moment
    CROSS JOIN (
        SELECT DISTINCT shown.chat_id, 'OFFER_ENDED' AS kind, ended.id AS offer_id
        FROM (SELECT id FROM accepted UNION ALL SELECT id FROM recalled) AS ended
        CROSS JOIN LATERAL offer_on_screens(ended.id) AS shown
        -- In the message that was tapped the answer to the tap is shown; it may be the card that was being sent.
        WHERE (ended.id = $5 AND coalesce(shown.message_id, $12) = $12) IS NOT TRUE
        UNION ALL
        SELECT telegram_user_id, 'ASSIGNED', NULL
        FROM assigned JOIN masters ON masters.id = $4
        WHERE $6 <> 'MASTER'
    ) AS messages
    RETURNING id
), history AS (
    -- The caller holds the order's lock, so the order and the offer are as it read them. Should they not be, or may whoever of
    -- the staff gives it not, order_id is null here, which its column refuses, and nothing at all happens.
    INSERT INTO order_status_history (
        order_id, from_status, to_status, actor_type, changed_by_master_id, changed_by_staff_id, context, created_at)
    SELECT
        CASE WHEN $5 IS NULL OR accepted.id IS NOT NULL THEN assigned.id END,
        $3, 'ASSIGNED', $6, CASE WHEN $6 = 'MASTER' THEN $4 END, $7,
        jsonb_strip_nulls(jsonb_build_object('master_id', $4, 'offer_id', accepted.id, 'round', accepted.round_number)),
        moment.now
    FROM moment
    LEFT JOIN assigned ON true
    LEFT JOIN accepted ON true
)
INSERT INTO distribution_metrics (
    order_id, master_id, assigned_at, round_number, candidates_count, time_to_assign_seconds, preferred_master_used,
    was_escalated_to_admin, city_id, district_id, category, is_first)
SELECT
    assigned.id, $4, moment.now, accepted.round_number,
    (SELECT count(DISTINCT master_id) FROM offers WHERE order_id = $1),
    floor(extract(epoch FROM moment.now - least(greatest(assigned.created_at, '2000-01-01'), moment.now))),
    assigned.preferred_master_id IS NOT DISTINCT FROM $4,
    assigned.escalated_at IS NOT NULL, assigned.city_id, assigned.district_id, assigned.category,
    NOT EXISTS (SELECT FROM distribution_metrics AS earlier WHERE earlier.order_id = assigned.id)
FROM moment
CROSS JOIN assigned
LEFT JOIN accepted ON true
RETURNING (SELECT count(*) FROM enqueued) AS enqueued
