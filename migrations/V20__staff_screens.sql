-- A screen of the dispatchers' bot that could not be shown at once.

ALTER TABLE outbox DROP CONSTRAINT outbox_kind_check;
ALTER TABLE outbox ADD CONSTRAINT outbox_kind_check CHECK (kind IN (
    'OFFER', 'OFFER_ENDED', 'LIST', 'ASSIGNED', 'OWN_ORDER', 'MENU', 'ACTIVE', 'CARD', 'QUESTION', 'CHANGED', 'CANCELED',
    'RETURNED', 'ESCALATED', 'UNREACHABLE', 'STAFF_SCREEN')) NOT VALID;
ALTER TABLE outbox ADD COLUMN IF NOT EXISTS place text;
ALTER TABLE outbox ADD CONSTRAINT outbox_place_check CHECK (
    (place IS NOT NULL) = (kind = 'STAFF_SCREEN')
    AND place IN ('MENU', 'QUEUE', 'CARD', 'DRAFT', 'MASTER', 'QUESTION')) NOT VALID;
COMMENT ON COLUMN outbox.place IS 'Which screen a STAFF_SCREEN is: MENU, QUEUE, CARD (of the order), DRAFT (the new order that is being taken in), MASTER (a card), QUESTION (what the person is asked)';
