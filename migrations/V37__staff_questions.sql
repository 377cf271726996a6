-- A client's name can be corrected in words.

ALTER TABLE staff_dialogs DROP CONSTRAINT staff_dialogs_question_check;
-- A row for each of the staff: nobody waits for the check.
ALTER TABLE staff_dialogs ADD CONSTRAINT staff_dialogs_question_check CHECK (question IN (
    'NEW_ORDER', 'SEARCH', 'CANCEL_REASON', 'RETURN_REASON', 'ADDRESS', 'CLIENT_NAME', 'PHONE', 'DESCRIPTION', 'SLOT', 'COMMENT',
    'AMOUNT', 'BLOCK_REASON', 'LIMIT'));

COMMENT ON COLUMN staff_dialogs.seen IS 'What the person saw when asked: the version and revision of the order, as 3.1, or the number of the master''s last change';
COMMENT ON COLUMN staff_dialogs.shown_in IS 'Written by earlier releases, and dropped one release later';
