-- $1 now or null, $2 seconds of the lease, $3 messages a second
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), locked_bot AS MATERIALIZED (
    -- One claim at a time for each bot; whoever does not get the row's lock finds nothing to do. The row is as its last holder left
    -- it, whatever this statement's snapshot says.
    SELECT bot, recent FROM outbox_bots, moment
    WHERE coalesce(not_before, '-infinity') <= moment.now
    FOR UPDATE OF outbox_bots SKIP LOCKED
), pace AS MATERIALIZED (
    SELECT bot, ARRAY (SELECT at FROM unnest(recent) AS at WHERE at > moment.now - interval '1 second') AS recent
    FROM locked_bot, moment
), ready AS MATERIALIZED (
    SELECT pace.bot, chat.chat_id, chat.ready_at
    FROM pace
    CROSS JOIN moment
    CROSS JOIN LATERAL (
        -- A flood of new offers holds up nothing else, above all not what corrects their cards.
        SELECT chat_id, ready_at
        FROM (
            (SELECT chat_id, 1 AS rank, ready_at FROM outbox_chats
             WHERE outbox_chats.bot = pace.bot AND urgent AND ready_at <= moment.now
             ORDER BY ready_at LIMIT $3)
            UNION ALL
            (SELECT chat_id, 2, ready_at FROM outbox_chats
             WHERE outbox_chats.bot = pace.bot AND NOT urgent AND ready_at <= moment.now
             ORDER BY ready_at LIMIT $3)
        ) AS candidate
        ORDER BY rank, ready_at
        LIMIT greatest($3 - cardinality(pace.recent), 0)
    ) AS chat
), head AS MATERIALIZED (
    -- In a chat one after another.
    SELECT ready.bot, ready.chat_id, ready.ready_at, first.id, first.due_at,
           coalesce(first.kind <> 'OFFER' OR second.kind <> 'OFFER', false) AS urgent
    FROM ready
    LEFT JOIN LATERAL (
        SELECT id, due_at, kind FROM outbox
        WHERE outbox.bot = ready.bot AND outbox.chat_id = ready.chat_id AND finished_at IS NULL
        ORDER BY id LIMIT 1
    ) AS first ON true
    LEFT JOIN LATERAL (
        SELECT kind FROM outbox
        WHERE outbox.bot = ready.bot AND outbox.chat_id = ready.chat_id AND finished_at IS NULL AND id > first.id
        ORDER BY id LIMIT 1
    ) AS second ON true
), claimed AS (
    UPDATE outbox
    SET lease = gen_random_uuid(), due_at = moment.now + make_interval(secs => $2), attempts = attempts + 1,
        scheduled = true
    FROM moment
    WHERE outbox.id = ANY (ARRAY (SELECT id FROM head)) AND finished_at IS NULL AND due_at <= moment.now
    RETURNING outbox.id, outbox.bot, outbox.lease, outbox.due_at
), chats AS (
    UPDATE outbox_chats
    SET ready_at = CASE WHEN head.id IS NOT NULL THEN coalesce(claimed.due_at, greatest(head.due_at, moment.now)) END,
        attempted_at = CASE WHEN claimed.id IS NULL THEN outbox_chats.attempted_at ELSE moment.now END,
        urgent = head.urgent
    FROM moment, head
    LEFT JOIN claimed ON claimed.id = head.id
    WHERE outbox_chats.bot = head.bot AND outbox_chats.chat_id = head.chat_id
      -- Unless a message was scheduled or finished there since this statement's snapshot.
      AND (claimed.id IS NOT NULL OR outbox_chats.ready_at = head.ready_at)
), paced AS (
    UPDATE outbox_bots
    -- When they are really about to be sent, however long this has taken.
    SET recent = pace.recent || array_fill(coalesce($1, clock_timestamp()), ARRAY[claims.count::integer])
    FROM pace
    JOIN (SELECT bot, count(*) AS count FROM claimed GROUP BY bot) AS claims USING (bot)
    WHERE outbox_bots.bot = pace.bot
)
SELECT id, lease::text FROM claimed ORDER BY id
