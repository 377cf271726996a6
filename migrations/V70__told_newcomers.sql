-- Whether anybody was told that a master waits for a decision.
CREATE INDEX IF NOT EXISTS outbox_newcomers ON outbox (master_id) WHERE kind = 'STAFF_SCREEN';
