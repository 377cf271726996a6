-- Whoever changes where, when or for whom an assigned order is, by whatever way: its master is notified. Several changes that wait
-- become one message.
CREATE FUNCTION notify_of_changed_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.category, NEW.city_id, NEW.district_id, NEW.address, NEW.description, NEW.client_name, NEW.client_phone,
        NEW.timeslot_start, NEW.timeslot_end)
       IS NOT DISTINCT FROM
       (OLD.category, OLD.city_id, OLD.district_id, OLD.address, OLD.description, OLD.client_name, OLD.client_phone,
        OLD.timeslot_start, OLD.timeslot_end) THEN
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
CREATE TRIGGER notify_of_changed_order AFTER UPDATE ON orders FOR EACH ROW
    WHEN (NEW.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND NEW.assigned_master_id = OLD.assigned_master_id)
    EXECUTE FUNCTION notify_of_changed_order();
