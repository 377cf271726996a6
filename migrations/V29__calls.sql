-- Calls for staff: to those of the city alone, known by their messages, so that they can say who has acted.

-- A wider list of kinds; what is there is in the narrower one.
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN (
    'OFFER', 'OFFER_ENDED', 'LIST', 'ASSIGNED', 'OWN_ORDER', 'MENU', 'ACTIVE', 'CARD', 'QUESTION', 'CHANGED', 'CANCELED',
    'RETURNED', 'ESCALATED', 'UNREACHABLE', 'STAFF_SCREEN', 'LATE', 'CALL')) NOT VALID;

CREATE INDEX IF NOT EXISTS outbox_late ON outbox (order_id, chat_id) WHERE kind = 'LATE';

CREATE TABLE calls (
    outbox_id  bigint PRIMARY KEY,
    chat_id    bigint NOT NULL,
    message_id integer NOT NULL,
    -- No foreign keys, as in the outbox.
    order_id   bigint,
    master_id  bigint,
    seen       text NOT NULL
);
CREATE INDEX calls_message ON calls (chat_id, message_id);
CREATE INDEX calls_order ON calls (order_id);
COMMENT ON TABLE calls IS 'Messages in the dispatchers'' bot that call for somebody. While a message calls it says what is true: it is edited when somebody acts, and leaves this table when there is nothing left to do, or when it has become another screen';
COMMENT ON COLUMN calls.outbox_id IS 'The call that is said there; several may be said in one message';
COMMENT ON COLUMN calls.master_id IS 'The master who cannot be written to, if that is what it says';
COMMENT ON COLUMN calls.seen IS 'What it was when the message was last written: see call_seen';

-- What a call says changes with this.
CREATE FUNCTION call_seen(of_order bigint, of_master bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat_ws(' ',
        (SELECT concat_ws('.', version, revision, coalesce(claimed_by_staff_id, 0), escalated_at IS NOT NULL)
         FROM orders WHERE id = of_order),
        (SELECT unreachable_since IS NOT NULL FROM masters WHERE id = of_master))
$$;
COMMENT ON FUNCTION call_seen IS 'An order''s version, revision and who sees to it; whether a master cannot be written to. Compared with calls.seen';

CREATE FUNCTION staff_on_call(of_city bigint) RETURNS TABLE (staff_id bigint, chat_id bigint) LANGUAGE sql STABLE AS $$
    SELECT staff.id, staff.telegram_user_id
    FROM staff
    WHERE staff.is_active AND staff.unreachable_since IS NULL AND upper(staff.role) <> 'VIEWER'
      AND (upper(staff.role) = 'ADMIN'
        OR NOT EXISTS (SELECT FROM staff_cities AS own WHERE own.staff_id = staff.id)
        OR EXISTS (SELECT FROM staff_cities AS own WHERE own.staff_id = staff.id AND own.city_id = of_city))
$$;
COMMENT ON FUNCTION staff_on_call IS 'Whom of the staff a call about a city is for: who may act there, as staff_right says, and can be written to';
