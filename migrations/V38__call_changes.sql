-- Most orders never call for anybody: whoever takes one does not pay for the others' calls.

CREATE OR REPLACE FUNCTION note_call_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- A look by itself costs a twentieth of the statement below, which would find nothing.
    PERFORM FROM calls WHERE calls.order_id = NEW.id;
    IF FOUND THEN
        INSERT INTO outbox (bot, chat_id, kind, order_id, message_id)
        SELECT DISTINCT 'ADMIN', calls.chat_id, 'CALL', NEW.id, calls.message_id
        FROM calls
        WHERE calls.order_id = NEW.id
          -- Several changes are one edit.
          AND NOT EXISTS (
              SELECT FROM outbox
              WHERE outbox.order_id = NEW.id AND finished_at IS NULL AND lease IS NULL AND kind = 'CALL'
                AND outbox.chat_id = calls.chat_id AND outbox.message_id = calls.message_id);
    END IF;
    RETURN NULL;
END
$$;
