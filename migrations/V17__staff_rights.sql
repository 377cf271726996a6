-- Who of the staff may do what, and where; and the question that somebody of the staff was asked to answer in words.

ALTER TABLE staff DROP CONSTRAINT staff_role_check;
ALTER TABLE staff ADD CONSTRAINT staff_role_check CHECK (upper(role) IN ('ADMIN', 'DISPATCHER', 'VIEWER')) NOT VALID;
ALTER TABLE staff VALIDATE CONSTRAINT staff_role_check;
COMMENT ON COLUMN staff.role IS 'ADMIN: everything, in all cities; DISPATCHER: orders and masters of the own cities; VIEWER: reads those';

CREATE TABLE staff_cities (
    staff_id bigint NOT NULL REFERENCES staff ON DELETE CASCADE,
    city_id  bigint NOT NULL REFERENCES cities,
    PRIMARY KEY (staff_id, city_id)
);
COMMENT ON TABLE staff_cities IS 'The cities of a dispatcher or viewer; no row: all of them';

CREATE FUNCTION staff_right(of_staff bigint, of_user bigint)
RETURNS TABLE (staff_id bigint, full_name text, role text, acts boolean, sees_all boolean, cities bigint[])
LANGUAGE sql STABLE AS $$
    SELECT staff.id, staff.full_name, upper(staff.role), upper(staff.role) <> 'VIEWER', every.cities,
           CASE WHEN every.cities THEN coalesce((SELECT array_agg(cities.id ORDER BY cities.id) FROM cities), '{}')
                ELSE (SELECT array_agg(own.city_id ORDER BY own.city_id) FROM staff_cities AS own WHERE own.staff_id = staff.id)
           END
    FROM staff
    CROSS JOIN LATERAL (
        SELECT upper(staff.role) = 'ADMIN'
            OR NOT EXISTS (SELECT FROM staff_cities AS own WHERE own.staff_id = staff.id) AS cities
    ) AS every
    WHERE staff.is_active
      AND staff.id = coalesce(of_staff, (SELECT known.id FROM staff AS known WHERE known.telegram_user_id = of_user))
$$;
COMMENT ON FUNCTION staff_right IS 'What somebody of the staff, named by our id or by the Telegram user, may do at this moment: no row for whoever is not, or not any more. Every statement that staff cause joins it: city_id = ANY (cities), and acts where something is changed';

-- Not SQL, so that it is not inlined: a statement that masters run too would then be planned anew at each run, as it is cheaper
-- without staff.
CREATE FUNCTION staff_may_act(of_staff bigint, in_city bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM staff_right(of_staff, NULL) AS who WHERE who.acts AND in_city = ANY (who.cities));
END
$$;
COMMENT ON FUNCTION staff_may_act IS 'Whether somebody of the staff may change what belongs to a city, at this moment';

CREATE TABLE staff_dialogs (
    staff_id  bigint PRIMARY KEY REFERENCES staff ON DELETE CASCADE,
    question  text NOT NULL CONSTRAINT staff_dialogs_question_check CHECK (question IN (
                  'NEW_ORDER', 'SEARCH', 'CANCEL_REASON', 'RETURN_REASON', 'ADDRESS', 'PHONE', 'DESCRIPTION', 'SLOT',
                  'COMMENT', 'AMOUNT', 'BLOCK_REASON', 'LIMIT')),
    -- No foreign keys: they would lock an order that somebody else is at work on.
    order_id  bigint,
    master_id bigint,
    seen      text,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    shown_in  integer,
    CONSTRAINT staff_dialogs_times_are_sane CHECK (asked_at BETWEEN '2000-01-01Z' AND '9999-12-01Z')
);
COMMENT ON TABLE staff_dialogs IS 'What the next words of somebody of the staff answer: one open question for each, which is gone once it is answered or left';
COMMENT ON COLUMN staff_dialogs.seen IS 'The version and revision of the order that the person saw when asked, as 3.1';
COMMENT ON COLUMN staff_dialogs.shown_in IS 'Telegram''s id of the message that asks';
