-- Whoever changes an order about which staff were called, by whatever way: the messages that call say so.

CREATE FUNCTION note_call_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO outbox (bot, chat_id, kind, order_id, message_id)
    SELECT DISTINCT 'ADMIN', calls.chat_id, 'CALL', NEW.id, calls.message_id
    FROM calls
    WHERE calls.order_id = NEW.id
      -- Several changes are one edit.
      AND NOT EXISTS (
          SELECT FROM outbox
          WHERE outbox.order_id = NEW.id AND finished_at IS NULL AND lease IS NULL AND kind = 'CALL'
            AND outbox.chat_id = calls.chat_id AND outbox.message_id = calls.message_id);
    RETURN NULL;
END
$$;
CREATE TRIGGER note_call_change AFTER UPDATE ON orders FOR EACH ROW
    WHEN (NEW.version <> OLD.version OR NEW.revision <> OLD.revision
        OR NEW.claimed_by_staff_id IS DISTINCT FROM OLD.claimed_by_staff_id
        OR (NEW.escalated_at IS NULL) <> (OLD.escalated_at IS NULL))
    EXECUTE FUNCTION note_call_change();

-- Orders whose time passes: on a large table build it by hand first, see README.md.
CREATE INDEX IF NOT EXISTS orders_late ON orders ((coalesce(timeslot_end, timeslot_start)))
    WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED', 'ASSIGNED', 'EN_ROUTE');
