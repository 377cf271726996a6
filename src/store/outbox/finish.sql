-- $1 rows that were said in one message, the first of them first, $2 lease, $3 now or null, $4 whether they are done with,
-- $5 seconds to wait if they are not, $6 why they were dropped or null, $7 message that shows the offer now or null,
-- $8 message that does not any more or null, $9 error or null, $10 seconds for which the whole bot is to wait or null,
-- $11 those of the rows that had nothing to say, $12 whether the failure is the row's own, $13 whether it was delivered; for each
-- call that it says: $14 its row, $15 what it was when it was read, $16 whether nothing is left to be done; $17 offer whose card
-- it shows, if the row names none, or null
WITH moment AS (
    SELECT coalesce($3, now()) AS now
), finished AS (
    UPDATE outbox
    SET lease = NULL,
        finished_at = CASE WHEN $4 THEN moment.now END,
        dropped_because = CASE WHEN $4 AND id = ANY ($11) THEN 'OVERTAKEN' ELSE $6 END,
        error = $9,
        due_at = moment.now + make_interval(secs => $5),
        -- That the whole bot is refused says nothing about this row.
        attempts = attempts - ($10 IS NOT NULL)::integer,
        -- Another try shows a message that is there already; a new one is owed a little more patience.
        deferred = deferred
            OR $12 AND attempts >= CASE WHEN message_id IS NOT NULL OR outbox_class(kind) = 3 THEN 3 ELSE 6 END
    FROM moment
    WHERE outbox.id = ANY ($1) AND lease = $2::text::uuid AND finished_at IS NULL
    RETURNING outbox.id, outbox.bot, outbox.chat_id, outbox.kind, outbox.offer_id, outbox.touched, outbox.due_at,
              outbox.deferred
), sent AS (
    SELECT * FROM finished ORDER BY id LIMIT 1
), chat AS (
    UPDATE outbox_chats AS chat
    -- Nothing was sent if it was overtaken or set aside: the next message need not wait.
    SET attempted_at = CASE WHEN $6 IN ('OVERTAKEN', 'UNREADABLE') THEN NULL ELSE moment.now END,
        ready_at = CASE
            -- Nothing waits any more, unless a message was scheduled since this statement's snapshot.
            WHEN next.id IS NULL AND chat.ready_at IS NOT DISTINCT FROM seen.ready_at THEN NULL
            ELSE greatest(
                CASE WHEN chat.ready_at IS NOT DISTINCT FROM seen.ready_at THEN next.due_at END,
                moment.now + CASE WHEN $6 IN ('OVERTAKEN', 'UNREADABLE') THEN interval '0' ELSE interval '1 second' END)
        END,
        class = CASE
            WHEN chat.ready_at IS NOT DISTINCT FROM seen.ready_at THEN coalesce(next.class, chat.class)
            ELSE least(chat.class, next.class)
        END
    FROM sent
    CROSS JOIN moment
    JOIN outbox_chats AS seen ON seen.bot = sent.bot AND seen.chat_id = sent.chat_id
    LEFT JOIN LATERAL (
        -- The best class of all that wait: a message that fails does not make the chat's others wait longer.
        SELECT id, min(class) OVER () AS class, due_at
        FROM (
            SELECT others.id, others.class, others.due_at, others.leased
            FROM outbox_next(sent.bot, sent.chat_id, moment.now + interval '1 second', $1) AS others
            UNION ALL
            SELECT sent.id, CASE WHEN sent.deferred THEN 3 ELSE outbox_class(sent.kind) END, sent.due_at, false WHERE NOT $4
        ) AS either
        ORDER BY NOT leased, greatest(due_at, moment.now + interval '1 second'), class, id
        LIMIT 1
    ) AS next ON true
    WHERE chat.bot = sent.bot AND chat.chat_id = sent.chat_id
    RETURNING chat.chat_id
), bot AS (
    -- After the rows and their chat, for which somebody may have to be waited: the bot's row stops all claims.
    UPDATE outbox_bots
    SET not_before = CASE
            WHEN $10 IS NULL THEN not_before ELSE greatest(not_before, moment.now + make_interval(secs => $10))
        END,
        probing = NOT $13,
        refused = CASE WHEN $13 THEN '{}' ELSE refused END,
        refused_since = CASE WHEN NOT $13 THEN refused_since END,
        refusing_since = CASE WHEN NOT $13 THEN refusing_since END
    FROM moment, (SELECT count(*) FROM chat) AS first
    WHERE bot = (SELECT bot FROM outbox WHERE id = $1[1])
      AND ($10 IS NOT NULL OR $13 AND (probing OR refused <> '{}' OR refusing_since IS NOT NULL))
    RETURNING bot
), shown AS (
    -- A new card, unless the master has tapped in the message since: it shows something else. Of an attempt that is recorded
    -- late, after somebody else has taken the row over, it is not known when it was sent.
    INSERT INTO cards (chat_id, message_id, offer_id, sent_at)
    SELECT chat_id, $7, coalesce($17, offer_id), sent_at
    FROM (
        -- What was tapped for stays in the chat: it is not deleted when the offer ends.
        SELECT sent.chat_id, sent.offer_id, sent.touched, CASE WHEN $17 IS NULL THEN moment.now END AS sent_at
        FROM sent, moment
        UNION ALL
        SELECT chat_id, offer_id, touched, NULL FROM outbox WHERE id = $1[1] AND NOT EXISTS (SELECT FROM sent)
    ) AS card
    WHERE $7 IS NOT NULL AND $7 IS DISTINCT FROM $8 AND coalesce($17, offer_id) IS NOT NULL
      AND ($7 = ANY (touched)) IS NOT TRUE
    ON CONFLICT (chat_id, message_id) DO NOTHING
), shown_anew AS (
    -- The order was offered once more since its card was asked for.
    UPDATE cards SET offer_id = $17 FROM sent
    WHERE $7 = $8 AND cards.chat_id = sent.chat_id AND cards.message_id = $7 AND cards.offer_id <> $17
), changed AS (
    DELETE FROM cards USING outbox
    WHERE outbox.id = $1[1] AND outbox.bot = 'MASTER' AND cards.chat_id = outbox.chat_id AND cards.message_id = $8
      -- A card that was shown anew shows its offer still; so does one that was not, for whatever reason.
      AND CASE WHEN outbox.kind = 'OFFER' THEN $7 <> $8 ELSE $7 IS DISTINCT FROM $8 END
      AND (cards.offer_id = outbox.offer_id OR EXISTS (SELECT FROM finished) AND $13)
    RETURNING cards.offer_id
), said AS (
    SELECT * FROM unnest($14::bigint[], $15::text[], $16::boolean[]) AS said (id, seen, over)
), calling AS (
    -- A new message that calls for somebody; also of an attempt that is recorded late. Unless it has become another screen.
    INSERT INTO calls (outbox_id, chat_id, message_id, order_id, master_id, seen)
    SELECT outbox.id, outbox.chat_id, $7, outbox.order_id, CASE WHEN outbox.kind = 'UNREACHABLE' THEN outbox.master_id END,
           said.seen
    FROM said JOIN outbox USING (id)
    WHERE $7 IS NOT NULL AND NOT said.over AND ($7 = ANY (outbox.touched)) IS NOT TRUE
    ON CONFLICT (outbox_id) DO UPDATE SET message_id = excluded.message_id, seen = excluded.seen
), edited AS (
    UPDATE calls SET seen = said.seen
    FROM said, sent
    WHERE sent.kind = 'CALL' AND $13 AND calls.outbox_id = said.id AND calls.chat_id = sent.chat_id
      AND calls.message_id = $8 AND NOT said.over
), ended AS (
    -- There is nothing left to be done; or the message cannot be edited any more.
    DELETE FROM calls USING sent
    WHERE sent.kind = 'CALL' AND $4 AND calls.chat_id = sent.chat_id AND calls.message_id = $8
      AND CASE
          -- What it does not say any more does not concern the person.
          WHEN $13 THEN calls.outbox_id NOT IN (SELECT id FROM said WHERE NOT over)
          ELSE $6 <> 'OVERTAKEN' OR NOT EXISTS (SELECT FROM said)
      END
), enqueued AS (
    INSERT INTO outbox (bot, chat_id, kind, order_id, master_id, created_at, due_at)
    SELECT 'ADMIN', called.chat_id, 'UNREACHABLE', CASE WHEN missed.missed THEN undelivered.order_id END, masters.id,
           moment.now, moment.now
    FROM moment
    JOIN outbox AS undelivered ON undelivered.id = $1[1] AND undelivered.bot = 'MASTER'
    CROSS JOIN LATERAL (SELECT undelivered.kind IN ('ASSIGNED', 'CHANGED', 'CANCELED') AS missed) AS missed
    JOIN masters ON masters.telegram_user_id = undelivered.chat_id
    LEFT JOIN orders ON orders.id = undelivered.order_id
    CROSS JOIN LATERAL staff_on_call(coalesce(orders.city_id, masters.city_id)) AS called
    WHERE $6 = 'UNREACHABLE' AND EXISTS (SELECT FROM finished) AND (masters.unreachable_since IS NULL OR missed.missed)
), unreachable_master AS (
    UPDATE masters SET unreachable_since = moment.now
    FROM outbox, moment
    WHERE $6 = 'UNREACHABLE' AND EXISTS (SELECT FROM finished)
      AND outbox.id = $1[1] AND outbox.bot = 'MASTER' AND telegram_user_id = outbox.chat_id AND unreachable_since IS NULL
), unreachable_staff AS (
    UPDATE staff SET unreachable_since = moment.now
    FROM outbox, moment
    WHERE $6 = 'UNREACHABLE' AND EXISTS (SELECT FROM finished)
      AND outbox.id = $1[1] AND outbox.bot = 'ADMIN' AND telegram_user_id = outbox.chat_id AND unreachable_since IS NULL
)
SELECT
    -- By a list, or by another offer's card, which is not there any more.
    $8 IS NOT NULL AND EXISTS (SELECT FROM finished)
    AND NOT EXISTS (SELECT FROM changed JOIN finished USING (offer_id)) AS taken_over
