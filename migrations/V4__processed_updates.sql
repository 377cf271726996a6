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
CREATE INDEX processed_updates_at ON processed_updates (processed_at);

-- Earlier releases recognised redeliveries by offers.responded_tap, order_status_history.context ->> 'tap', taps,
-- dialogs.asked_after and answered_by, and masters.last_message_id. What they have handled is not handled again; of their
-- columns this one writes dialogs.answered_by (null: the question is open) and, for acceptances alone, offers.responded_tap;
-- the rest is dropped one release later.
INSERT INTO processed_updates (bot, update_key, action, order_id, outcome, processed_at)
SELECT 'MASTER', 'callback ' || responded_tap, CASE state WHEN 'DECLINED' THEN 'DECLINE' ELSE 'ACCEPT' END, order_id,
       'SUCCESS', responded_at
FROM offers
WHERE responded_tap IS NOT NULL AND responded_at > now() - interval '8 days'
ON CONFLICT DO NOTHING;
INSERT INTO processed_updates (bot, update_key, action, order_id, outcome, processed_at)
SELECT 'MASTER', CASE WHEN context ->> 'tap' LIKE 'message %' THEN context ->> 'tap' ELSE 'callback ' || (context ->> 'tap') END,
       CASE WHEN to_status = 'CLOSED' THEN 'CLOSE' WHEN to_status IN ('SEARCHING', 'GUARANTEE') THEN 'GIVE_BACK' ELSE 'PROGRESS' END,
       order_id, 'SUCCESS', created_at
FROM order_status_history
WHERE context ->> 'tap' IS NOT NULL AND created_at > now() - interval '8 days'
ON CONFLICT DO NOTHING;
INSERT INTO processed_updates (bot, update_key, action, outcome, processed_at)
SELECT 'MASTER', 'callback ' || id, 'SHOW', 'SHOWN', handled_at
FROM taps
WHERE id NOT LIKE 'elsewhere %' AND handled_at > now() - interval '8 days'
ON CONFLICT DO NOTHING;

COMMENT ON COLUMN offers.responded_tap IS 'The update by which the master accepted, as in processed_updates.update_key: there a row of its own would cost the acceptance 5%. Of earlier releases: Telegram''s id of the tap';
COMMENT ON TABLE taps IS 'Of earlier releases: see processed_updates';
COMMENT ON COLUMN dialogs.asked_after IS 'Of earlier releases: asked_at is compared with the date of the message';
COMMENT ON COLUMN dialogs.answered_by IS 'Null: the question is open. Else it was answered or left';
COMMENT ON COLUMN masters.last_message_id IS 'Of earlier releases: see dialogs.asked_at';
COMMENT ON COLUMN dialogs.asked_at IS 'What was written before does not answer it; compared with Telegram''s date of the message, in whole seconds';
