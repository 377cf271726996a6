-- $1 now or null, $2 order or null for any, $3 seconds of the lease, $4 messages a second
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), turn AS MATERIALIZED (
    -- One at a time for each bot; who does not get the turn finds nothing to do. The row is as its last holder left it,
    -- whatever this statement's snapshot says.
    SELECT bot, recent FROM outbox_bots
    WHERE EXISTS (
        SELECT FROM outbox
        WHERE outbox.bot = outbox_bots.bot AND finished_at IS NULL AND due_at <= coalesce($1, now())
          AND ($2::bigint IS NULL OR order_id = $2))
    FOR UPDATE SKIP LOCKED
), pace AS MATERIALIZED (
    SELECT bot, ARRAY (SELECT at FROM unnest(recent) AS at WHERE at > moment.now - interval '1 second') AS recent
    FROM turn, moment
), chosen AS MATERIALIZED (
    SELECT next.id
    FROM moment
    CROSS JOIN pace
    CROSS JOIN LATERAL (
        SELECT id
        FROM (
            -- In a chat one after another. No join: of how many rows wait the planner knows little.
            SELECT DISTINCT ON (chat_id) id, chat_id, kind, due_at, order_id
            FROM outbox
            WHERE outbox.bot = pace.bot AND finished_at IS NULL
              AND ($2::bigint IS NULL OR chat_id = ANY (ARRAY (
                  SELECT chat_id FROM outbox WHERE order_id = $2 AND finished_at IS NULL)))
            ORDER BY chat_id, id
        ) AS head
        WHERE due_at <= moment.now
          AND ($2::bigint IS NULL OR order_id = $2)
          -- And one a second.
          AND coalesce(
              (SELECT max(attempted_at) FROM outbox
               WHERE outbox.bot = pace.bot AND chat_id = head.chat_id AND attempted_at IS NOT NULL),
              '-infinity') <= moment.now - interval '1 second'
        -- A flood of new offers holds up nothing else, above all not what corrects their cards.
        ORDER BY kind = 'OFFER', id
        LIMIT greatest($4 - cardinality(pace.recent), 0)
    ) AS next
), claimed AS (
    UPDATE outbox
    SET lease = gen_random_uuid(), due_at = moment.now + make_interval(secs => $3), attempts = attempts + 1,
        attempted_at = moment.now
    FROM moment
    WHERE outbox.id = ANY (ARRAY (SELECT id FROM chosen)) AND finished_at IS NULL AND due_at <= moment.now
    RETURNING outbox.*
), paced AS (
    UPDATE outbox_bots
    -- When they are really about to be sent, however long this has taken.
    SET recent = pace.recent || array_fill(coalesce($1, clock_timestamp()), ARRAY[claims.count::integer])
    FROM pace
    JOIN (SELECT bot, count(*) AS count FROM claimed GROUP BY bot) AS claims USING (bot)
    WHERE outbox_bots.bot = pace.bot
)
SELECT
    claimed.id AS outbox_id,
    claimed.lease::text,
    claimed.bot,
    claimed.chat_id,
    claimed.kind,
    claimed.attempts,
    claimed.message_id,
    moment.now - claimed.created_at > interval '1 day' AS stale,
    orders.id,
    orders.status,
    orders.category,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    orders.description,
    orders.client_name,
    orders.client_phone,
    orders.timeslot_start AT TIME ZONE cities.timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.timezone AS slot_end,
    moment.now AT TIME ZONE cities.timezone AS local_now,
    coalesce(orders.assigned_master_id = recipient.id, false) AS own,
    CASE WHEN claimed.bot = 'MASTER' THEN recipient.id IS NOT NULL ELSE coalesce(staff.is_active, false) END AS concerned,
    orders.escalation_reason,
    subject.full_name AS subject_name,
    subject.phone AS subject_phone,
    subject.unreachable_since IS NOT NULL AS subject_is_unreachable,
    offers.id AS offer_id,
    offers.state AS offer_state,
    offers.expires_at <= moment.now AS offer_overdue,
    least(greatest(offers.expires_at, '2000-01-01'), '9999-01-01') AT TIME ZONE cities.timezone AS offer_expires,
    CASE WHEN offers.state = 'CANCELED' AND isfinite(offers.sent_at) AND isfinite(offers.responded_at) THEN
        greatest(0, extract(epoch FROM offers.responded_at - offers.sent_at))::bigint
    END AS recalled_after_seconds,
    history.reason,
    coalesce(history.to_status = 'CANCELED', false) AS for_good,
    card.message_id AS card_message,
    card.more AS more_cards
FROM claimed
CROSS JOIN moment
LEFT JOIN orders ON orders.id = claimed.order_id
LEFT JOIN cities ON cities.id = orders.city_id
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN offers ON offers.id = claimed.offer_id
LEFT JOIN masters AS recipient ON claimed.bot = 'MASTER' AND recipient.telegram_user_id = claimed.chat_id
LEFT JOIN staff ON claimed.bot = 'ADMIN' AND staff.telegram_user_id = claimed.chat_id
LEFT JOIN masters AS subject ON subject.id = claimed.master_id
LEFT JOIN order_status_history AS history ON history.id = claimed.history_id
LEFT JOIN LATERAL (
    SELECT min(message_id) AS message_id, count(*) > 1 AS more
    FROM cards WHERE cards.offer_id = claimed.offer_id AND claimed.kind = 'OFFER_ENDED'
) AS card ON true
ORDER BY claimed.id
