-- $1 row, $2 lease, $3 message, $4 now or null
WITH moment AS (
    SELECT coalesce($4, now()) AS now
), attempted AS MATERIALIZED (
    SELECT bot, chat_id,
           lease IS NOT DISTINCT FROM $2::text::uuid AND finished_at IS NULL AS held,
           (kind NOT IN ('OFFER', 'OFFER_ENDED') OR EXISTS (
               SELECT FROM cards
               WHERE cards.chat_id = outbox.chat_id AND message_id = $3 AND cards.offer_id = outbox.offer_id))
           AND (kind <> 'CALL' OR EXISTS (
               SELECT FROM calls WHERE calls.chat_id = outbox.chat_id AND calls.message_id = $3)) AS shown
    FROM outbox
    WHERE id = $1
), freed AS (
    -- A tap has overtaken the row: what comes next in the chat does not wait until the lease would have ended.
    UPDATE outbox_chats SET ready_at = moment.now
    FROM moment, attempted
    WHERE NOT held AND (outbox_chats.bot, outbox_chats.chat_id) IN (
        SELECT chat.bot, chat.chat_id
        FROM outbox_chats AS chat JOIN attempted USING (bot, chat_id)
        FOR UPDATE OF chat SKIP LOCKED)
)
SELECT held AND shown AS may FROM attempted
