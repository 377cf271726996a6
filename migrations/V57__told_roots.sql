-- Whom a day's root was sent to: one that has reached nobody is sent again. A few rows a day are in it.
CREATE INDEX IF NOT EXISTS outbox_roots ON outbox (root_day) WHERE kind = 'HISTORY_ROOT';
