-- $1 order, $2 version, $3 status before, $4 status after, $5 actor, $6 master of a MASTER, $7 staff or null,
-- $8 reason or null, $9 now or null, $10 final amount or null
WITH moment AS (
    SELECT coalesce($9, now()) AS now
), before AS (
    SELECT assigned_master_id AS master_id, guarantee_of FROM orders WHERE id = $1
), after AS (
    SELECT
        -- What was a free visit is one again.
        CASE WHEN $4 = 'SEARCHING' AND ($3 = 'GUARANTEE' OR before.guarantee_of IS NOT NULL OR EXISTS (
            SELECT FROM order_status_history WHERE order_id = $1 AND 'GUARANTEE' IN (from_status, to_status)
        )) THEN 'GUARANTEE' ELSE $4 END AS status,
        $4 = 'SEARCHING' AS open,
        $4 IN ('SEARCHING', 'CANCELED') AS recalls
    FROM (SELECT) AS one
    LEFT JOIN before ON true
), changed AS (
    UPDATE orders
    SET status = after.status, version = version + 1, updated_at = moment.now,
        assigned_master_id = CASE WHEN NOT after.open THEN assigned_master_id END,
        -- Of an order that is opened again the sum is asked anew; what it was is in the history.
        final_amount = CASE WHEN $4 = 'CLOSED' THEN coalesce($10::text::numeric, final_amount) END,
        -- A search that begins anew, at once.
        search_started_at = CASE WHEN NOT after.open THEN search_started_at END,
        next_round_at = CASE WHEN after.open THEN moment.now ELSE next_round_at END
    FROM moment, after
    WHERE orders.id = $1 AND version = $2 AND orders.status = $3
      AND ($7 IS NULL OR staff_may_act($7, orders.city_id))
    RETURNING orders.id
), ended AS (
    UPDATE offers
    SET state = 'CANCELED', responded_at = CASE WHEN state = 'ACCEPTED' THEN responded_at ELSE moment.now END
    FROM changed, moment, after
    WHERE order_id = changed.id AND after.recalls AND state IN ('SENT', 'VIEWED', 'ACCEPTED')
    RETURNING offers.id
), history AS (
    -- As in an assignment: null, and so refused, if the order is not as the caller read it under its lock, or whoever of the
    -- staff does it may not.
    INSERT INTO order_status_history (
        order_id, from_status, to_status, actor_type, changed_by_master_id, changed_by_staff_id, reason, context,
        created_at)
    SELECT changed.id, $3, after.status, $5, $6, $7, $8,
           jsonb_strip_nulls(jsonb_build_object(
               -- Whose it was before it was over is not taken from anybody when it is opened again.
               'master_id', CASE WHEN $3 NOT IN ('CLOSED', 'CANCELED') THEN before.master_id END,
               'amount', $10::text::numeric)),
           moment.now
    FROM moment
    CROSS JOIN after
    LEFT JOIN changed ON true
    LEFT JOIN before ON true
    RETURNING id
), enqueued AS (
    INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, master_id, history_id, created_at, due_at)
    SELECT messages.bot, messages.chat_id, messages.kind, $1, messages.offer_id, messages.master_id, history.id, moment.now, moment.now
    FROM moment
    CROSS JOIN history
    CROSS JOIN (
        SELECT DISTINCT 'MASTER' AS bot, chat_id, 'OFFER_ENDED' AS kind, ended.id AS offer_id, NULL::bigint AS master_id
        FROM ended CROSS JOIN LATERAL offer_on_screens(ended.id)
        UNION ALL
        SELECT 'MASTER', telegram_user_id, 'CANCELED', NULL, NULL
        FROM after, before JOIN masters ON masters.id = before.master_id
        WHERE after.recalls AND $5 <> 'MASTER'
          AND $3 IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
        UNION ALL
        -- What staff have done on the master's behalf: closed the order, or opened it again.
        SELECT 'MASTER', telegram_user_id, CASE WHEN $4 = 'CLOSED' THEN 'CARD' ELSE 'CHANGED' END, NULL, NULL
        FROM after, before JOIN masters ON masters.id = before.master_id
        WHERE NOT after.recalls AND $5 = 'ADMIN'
        UNION ALL
        SELECT 'ADMIN', called.chat_id, 'RETURNED', NULL, $6
        FROM after, orders CROSS JOIN LATERAL staff_on_call(orders.city_id) AS called
        WHERE after.open AND $5 = 'MASTER' AND orders.id = $1
    ) AS messages
    RETURNING id
)
SELECT count(*) AS enqueued, (SELECT status FROM after) AS status FROM enqueued
