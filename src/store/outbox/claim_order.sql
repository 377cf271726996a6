-- $1 now or null, $2 seconds of the lease, $3 messages a second, $4 order
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), due AS MATERIALIZED (
    -- The order's rows are few. Of a chat its first row, unless something was sent there within the last second.
    SELECT outbox.id, outbox.bot, outbox.kind
    FROM moment
    CROSS JOIN outbox
    LEFT JOIN outbox_chats AS chat USING (bot, chat_id)
    WHERE order_id = $4 AND finished_at IS NULL AND due_at <= moment.now
      AND coalesce(chat.attempted_at, '-infinity') <= moment.now - interval '1 second'
      AND NOT EXISTS (
          SELECT FROM outbox AS earlier
          WHERE earlier.bot = outbox.bot AND earlier.chat_id = outbox.chat_id AND earlier.finished_at IS NULL
            AND earlier.id < outbox.id)
), locked_bot AS MATERIALIZED (
    SELECT bot, recent FROM outbox_bots, moment
    WHERE coalesce(not_before, '-infinity') <= moment.now AND bot IN (SELECT bot FROM due)
    FOR UPDATE OF outbox_bots SKIP LOCKED
), pace AS MATERIALIZED (
    SELECT bot, ARRAY (SELECT at FROM unnest(recent) AS at WHERE at > moment.now - interval '1 second') AS recent
    FROM locked_bot, moment
), chosen AS MATERIALIZED (
    SELECT next.id
    FROM pace
    CROSS JOIN LATERAL (
        SELECT id FROM due WHERE due.bot = pace.bot
        ORDER BY kind = 'OFFER', id
        LIMIT greatest($3 - cardinality(pace.recent), 0)
    ) AS next
), claimed AS (
    UPDATE outbox
    SET lease = gen_random_uuid(), due_at = moment.now + make_interval(secs => $2), attempts = attempts + 1,
        scheduled = true
    FROM moment
    WHERE outbox.id = ANY (ARRAY (SELECT id FROM chosen)) AND finished_at IS NULL AND due_at <= moment.now
    RETURNING outbox.id, outbox.bot, outbox.chat_id, outbox.kind, outbox.lease, outbox.due_at
), chats AS (
    INSERT INTO outbox_chats AS chat (bot, chat_id, attempted_at, ready_at, urgent)
    SELECT bot, chat_id, moment.now, due_at, kind <> 'OFFER' FROM claimed, moment ORDER BY bot, chat_id
    ON CONFLICT (bot, chat_id) DO UPDATE
        SET attempted_at = excluded.attempted_at, ready_at = excluded.ready_at, urgent = chat.urgent OR excluded.urgent
), paced AS (
    UPDATE outbox_bots
    SET recent = pace.recent || array_fill(coalesce($1, clock_timestamp()), ARRAY[claims.count::integer])
    FROM pace
    JOIN (SELECT bot, count(*) AS count FROM claimed GROUP BY bot) AS claims USING (bot)
    WHERE outbox_bots.bot = pace.bot
)
SELECT id, lease::text FROM claimed ORDER BY id
