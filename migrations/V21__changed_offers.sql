-- Whoever changes what an order says, by whatever way: its master is notified, also of what a dispatcher has to say; and whoever
-- has an offer of it sees it as it is now, in the card that is there already.
CREATE OR REPLACE FUNCTION notify_of_changed_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.category, NEW.city_id, NEW.district_id, NEW.address, NEW.description, NEW.client_name, NEW.client_phone,
        NEW.timeslot_start, NEW.timeslot_end, NEW.comment)
       IS NOT DISTINCT FROM
       (OLD.category, OLD.city_id, OLD.district_id, OLD.address, OLD.description, OLD.client_name, OLD.client_phone,
        OLD.timeslot_start, OLD.timeslot_end, OLD.comment) THEN
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

CREATE FUNCTION show_changed_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.category, NEW.city_id, NEW.district_id, NEW.address, NEW.description, NEW.timeslot_start, NEW.timeslot_end)
       IS NOT DISTINCT FROM
       (OLD.category, OLD.city_id, OLD.district_id, OLD.address, OLD.description, OLD.timeslot_start, OLD.timeslot_end) THEN
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
CREATE TRIGGER show_changed_offers
    AFTER UPDATE OF category, city_id, district_id, address, description, timeslot_start, timeslot_end ON orders FOR EACH ROW
    WHEN (NEW.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED'))
    EXECUTE FUNCTION show_changed_offers();
