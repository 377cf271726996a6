-- Delivery: what a person needs now goes first, one message holds up no other, and Telegram's limits are kept to.

-- A wider list of kinds; what is there is in the narrower one.
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN (
    'OFFER', 'OFFER_ENDED', 'LIST', 'ASSIGNED', 'OWN_ORDER', 'MENU', 'ACTIVE', 'CARD', 'QUESTION', 'CHANGED', 'CANCELED',
    'RETURNED', 'ESCALATED', 'UNREACHABLE')) NOT VALID;
COMMENT ON COLUMN outbox.kind IS 'OFFER: a new offer''s card; OFFER_ENDED: what has become of it, on its cards; screens that could not be shown at once: LIST (offers), OWN_ORDER (just taken), MENU, ACTIVE (own orders), CARD (an order''s), QUESTION (what is asked or to be confirmed); ASSIGNED: staff or the system gave an order; CHANGED: what an own order says was changed; CANCELED: an active order was canceled or taken away; for staff, RETURNED: a master gave an order back, ESCALATED: an order needs them, UNREACHABLE: a master cannot be written to';

-- How soon a message is needed. A kind that is not named here is what a person waits for.
CREATE OR REPLACE FUNCTION outbox_class(kind text) RETURNS smallint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE kind WHEN 'OFFER' THEN 2 WHEN 'OFFER_ENDED' THEN 3 WHEN 'LIST' THEN 3 ELSE 1 END)::smallint
$$;
COMMENT ON FUNCTION outbox_class IS 'By the kind of a message: 1, needed now; 2, a new offer; 3, a correction of something shown before. Indexes are made of it: a migration that changes it makes them anew';

ALTER TABLE outbox ADD COLUMN IF NOT EXISTS deferred boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN outbox.deferred IS 'It has failed some times, and what came after it in its chat goes first';
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS touched integer[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN outbox.touched IS 'Messages of the chat in which its master has tapped while this row, an offer, was being sent: none of them shows it as its card any more';
COMMENT ON COLUMN outbox.lease IS 'Of whoever tries now; who does not hold it any more finishes nothing. Rows that are said in one message share it';

-- A function that is inlined, as claims and results both ask it.
CREATE FUNCTION outbox_next(of_bot text, of_chat bigint, moment timestamptz, but bigint[])
RETURNS TABLE (id bigint, kind text, class smallint, due_at timestamptz, leased boolean) LANGUAGE sql STABLE AS $$
    SELECT first.id, first.kind, min(first.class) OVER () AS class, first.due_at, first.leased
    FROM (
        (SELECT outbox.id, outbox.kind, outbox_class(outbox.kind) AS class, outbox.due_at, true AS leased, 0 AS place FROM outbox
         WHERE bot = of_bot AND chat_id = of_chat AND lease IS NOT NULL AND outbox.id <> ALL (but)
         ORDER BY outbox.due_at DESC LIMIT 1)
        UNION ALL
        (SELECT outbox.id, outbox.kind, 1::smallint, outbox.due_at, false, 1 FROM outbox
         WHERE bot = of_bot AND chat_id = of_chat AND finished_at IS NULL AND NOT deferred AND outbox_class(outbox.kind) = 1
           AND outbox.id <> ALL (but)
         ORDER BY outbox.id LIMIT 1)
        UNION ALL
        (SELECT outbox.id, outbox.kind, 2::smallint, outbox.due_at, false, 2 FROM outbox
         WHERE bot = of_bot AND chat_id = of_chat AND finished_at IS NULL AND NOT deferred AND outbox_class(outbox.kind) = 2
           AND outbox.id <> ALL (but)
         ORDER BY outbox.id LIMIT 1)
        UNION ALL
        (SELECT outbox.id, outbox.kind, 3::smallint, outbox.due_at, false, 3 FROM outbox
         WHERE bot = of_bot AND chat_id = of_chat AND finished_at IS NULL AND NOT deferred AND outbox_class(outbox.kind) = 3
           AND outbox.id <> ALL (but)
         ORDER BY outbox.id LIMIT 1)
        UNION ALL
        (SELECT outbox.id, outbox.kind, 3::smallint, outbox.due_at, false, 4 FROM outbox
         WHERE bot = of_bot AND chat_id = of_chat AND finished_at IS NULL AND deferred AND outbox.id <> ALL (but)
         ORDER BY outbox.due_at LIMIT 1)
    ) AS first
    ORDER BY NOT first.leased, greatest(first.due_at, moment), first.place
    LIMIT 1
$$;
COMMENT ON FUNCTION outbox_next IS 'The row of a chat whose turn it is at that moment, or first will be: one that is leased; else the first row of the best class of which the first row is due, and a deferred one after all others. The class is the best of all that wait in the chat, lest those behind one that fails wait longer';

ALTER TABLE outbox_chats ADD COLUMN class smallint NOT NULL DEFAULT 1;
COMMENT ON COLUMN outbox_chats.class IS 'Of the message whose turn is next: see outbox_class';
COMMENT ON COLUMN outbox_chats.urgent IS 'Of earlier releases: see class';

ALTER TABLE outbox_bots
    ADD COLUMN next_slot timestamptz NOT NULL DEFAULT '-infinity',
    ADD COLUMN slots bigint NOT NULL DEFAULT 0,
    ADD COLUMN probing boolean NOT NULL DEFAULT false,
    ADD COLUMN refused bigint[] NOT NULL DEFAULT '{}',
    ADD COLUMN refused_since timestamptz,
    ADD COLUMN refusing_since timestamptz;
COMMENT ON COLUMN outbox_bots.recent IS 'Of earlier releases: see next_slot';
COMMENT ON COLUMN outbox_bots.next_slot IS 'When the next message that is claimed may be sent: messages are spread evenly, whoever sends them';
COMMENT ON COLUMN outbox_bots.slots IS 'How many messages have been claimed: of five in a row one is a correction''s and one a new offer''s, if such wait';
COMMENT ON COLUMN outbox_bots.probing IS 'Telegram has refused the whole bot: one message is tried at a time until one is delivered';
COMMENT ON COLUMN outbox_bots.refused IS 'The people whom Telegram has said it cannot reach since the last message that was delivered';
COMMENT ON COLUMN outbox_bots.refused_since IS 'When the first of them was refused';
COMMENT ON COLUMN outbox_bots.refusing_since IS 'Since when they are so many that it is an operator''s fault, and nobody is marked for it';

ALTER TABLE cards ADD COLUMN sent_at timestamptz;
COMMENT ON COLUMN cards.sent_at IS 'When the message was sent, if it is the offer''s own and nobody has tapped in it: it can be deleted for 48 hours. Null: a message in which the offer was opened';
