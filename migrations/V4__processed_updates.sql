-- One way to recognise a redelivery, whatever the update did.

CREATE TABLE processed_updates (
    bot          text NOT NULL CHECK (bot IN ('MASTER', 'ADMIN')),
    update_key   text NOT NULL,
    action       text NOT NULL,
    order_id     bigint,
    outcome      text NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bot, update_key)
);
COMMENT ON TABLE processed_updates IS 'Updates that were handled, written in the transaction that changes something, so that a redelivery changes nothing more and is answered truthfully. Kept for 8 days: Telegram redelivers for one';
COMMENT ON COLUMN processed_updates.update_key IS 'What stays the same when Telegram delivers it again: callback <id>, or message <chat> <message id>';
COMMENT ON COLUMN processed_updates.action IS 'What was asked for, e.g. ACCEPT, CLOSE; SHOW: a screen, or words that answered nothing';
COMMENT ON COLUMN processed_updates.outcome IS 'What was answered: the outcome''s word, as in log lines and counters';
-- Rows are written in the order of this column and deleted from its beginning: a block range is enough to find them.
CREATE INDEX processed_updates_at ON processed_updates USING brin (processed_at);

-- Earlier releases recognised redeliveries by offers.responded_tap, order_status_history.context ->> 'tap', taps,
-- dialogs.asked_after and answered_by, and masters.last_message_id. This one writes responded_tap (see there) and
-- answered_by (null: the question is open) and reads no other; the rest is dropped one release later.
COMMENT ON TABLE taps IS 'Of earlier releases: see processed_updates';
COMMENT ON COLUMN dialogs.asked_after IS 'Of earlier releases: asked_at is compared with the date of the message';
COMMENT ON COLUMN dialogs.answered_by IS 'Null: the question is open. Else it was answered or left';
COMMENT ON COLUMN masters.last_message_id IS 'Of earlier releases: see dialogs.asked_at';
COMMENT ON COLUMN dialogs.asked_at IS 'What was written before does not answer it; compared with Telegram''s date of the message, in whole seconds';
