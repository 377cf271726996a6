-- What claims look for. On large tables build them by hand first, right after V10: see README.md.
--
-- outbox_queue and outbox_fresh take the places of outbox_chat and outbox_unscheduled, which are of the release before this one
-- and are dropped one release later.

CREATE INDEX IF NOT EXISTS outbox_queue ON outbox (bot, chat_id, deferred, outbox_class(kind), id) WHERE finished_at IS NULL;
CREATE INDEX IF NOT EXISTS outbox_fresh ON outbox (bot, outbox_class(kind), id) WHERE finished_at IS NULL AND NOT scheduled;
CREATE INDEX IF NOT EXISTS outbox_leased ON outbox (bot, chat_id) WHERE lease IS NOT NULL;
CREATE INDEX IF NOT EXISTS outbox_chats_due ON outbox_chats (bot, class, ready_at) WHERE ready_at IS NOT NULL;
-- What staff were told about masters, and whom messages have not reached.
CREATE INDEX IF NOT EXISTS outbox_told ON outbox (master_id) WHERE kind IN ('RETURNED', 'UNREACHABLE');
CREATE INDEX IF NOT EXISTS outbox_unreached ON outbox (bot, chat_id) WHERE dropped_because = 'UNREACHABLE';
CREATE INDEX IF NOT EXISTS masters_unreachable ON masters (id) WHERE unreachable_since IS NOT NULL;
