-- What a client says of the time who wants somebody at once.

ALTER TABLE orders ADD COLUMN soon boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN orders.soon IS 'As soon as possible, rather than by arrangement, if there is no slot';

-- It is a part of what people see, as the slot is; whoever writes it, writes the slot too.
CREATE OR REPLACE FUNCTION count_order_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.category, NEW.city_id, NEW.district_id, NEW.address, NEW.description, NEW.client_name, NEW.client_phone,
        NEW.timeslot_start, NEW.timeslot_end, NEW.soon, NEW.preferred_master_id, NEW.comment, NEW.final_amount)
       IS DISTINCT FROM
       (OLD.category, OLD.city_id, OLD.district_id, OLD.address, OLD.description, OLD.client_name, OLD.client_phone,
        OLD.timeslot_start, OLD.timeslot_end, OLD.soon, OLD.preferred_master_id, OLD.comment, OLD.final_amount) THEN
        -- Whoever has counted it already is not corrected.
        NEW.revision := greatest(NEW.revision, OLD.revision + 1);
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION notify_of_changed_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.category, NEW.city_id, NEW.district_id, NEW.address, NEW.description, NEW.client_name, NEW.client_phone,
        NEW.timeslot_start, NEW.timeslot_end, NEW.soon, NEW.comment)
       IS NOT DISTINCT FROM
       (OLD.category, OLD.city_id, OLD.district_id, OLD.address, OLD.description, OLD.client_name, OLD.client_phone,
        OLD.timeslot_start, OLD.timeslot_end, OLD.soon, OLD.comment) THEN
        RETURN NULL;
    END IF;
    INSERT INTO outbox (bot, chat_id, kind, order_id)
    SELECT 'MASTER', telegram_user_id, 'CHANGED', NEW.id
    FROM masters
    WHERE id = NEW.assigned_master_id
      -- The release before this one does not know the kind, and would hold the chat up: only once this one delivers.
      AND EXISTS (SELECT FROM outbox_bots WHERE bot = 'MASTER' AND slots > 0);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION show_changed_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.category, NEW.city_id, NEW.district_id, NEW.address, NEW.description, NEW.timeslot_start, NEW.timeslot_end, NEW.soon)
       IS NOT DISTINCT FROM
       (OLD.category, OLD.city_id, OLD.district_id, OLD.address, OLD.description, OLD.timeslot_start, OLD.timeslot_end, OLD.soon) THEN
        RETURN NULL;
    END IF;
    -- In its card; in a new one, if the card is being sent at this moment, as it was before. One that waits to be sent will say
    -- what is true then.
    INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, message_id)
    SELECT 'MASTER', shown.chat_id, 'OFFER', NEW.id, offers.id, shown.message_id
    FROM offers
    CROSS JOIN LATERAL (
        SELECT cards.chat_id, cards.message_id FROM cards WHERE cards.offer_id = offers.id
        UNION ALL
        SELECT outbox.chat_id, NULL FROM outbox
        WHERE outbox.offer_id = offers.id AND outbox.kind = 'OFFER' AND outbox.lease IS NOT NULL AND outbox.finished_at IS NULL
    ) AS shown
    WHERE offers.order_id = NEW.id AND offers.state IN ('SENT', 'VIEWED');
    RETURN NULL;
END
$$;
