-- The day's root goes to the admins. A wider list of kinds; what is there is in the narrower one.

ALTER TABLE outbox ADD COLUMN root_day date;
COMMENT ON COLUMN outbox.root_day IS 'The day in history_roots whose root is told';
ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN (
    'OFFER', 'OFFER_ENDED', 'LIST', 'ASSIGNED', 'OWN_ORDER', 'MENU', 'ACTIVE', 'CARD', 'QUESTION', 'CHANGED', 'CANCELED',
    'RETURNED', 'ESCALATED', 'UNREACHABLE', 'STAFF_SCREEN', 'LATE', 'CALL', 'HISTORY_ROOT')) NOT VALID;
