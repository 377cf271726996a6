-- A reason in somebody's own words is confirmed before anything is done, as one that has a button is.

ALTER TABLE staff_dialogs
    ADD written    text,
    ADD written_in integer,
    -- A row for each of the staff: nobody waits for the check.
    ADD CONSTRAINT staff_dialogs_written_has_its_message CHECK ((written IS NULL) = (written_in IS NULL));

COMMENT ON COLUMN staff_dialogs.written IS 'The reason that was written and is yet to be confirmed';
COMMENT ON COLUMN staff_dialogs.written_in IS 'Telegram''s id of the message that says it, by which the button names it';
