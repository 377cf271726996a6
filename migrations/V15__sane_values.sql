-- One row stops no other: values that nothing can be counted with.
--
-- Checks are for what is written from now on; V16 brings the rows that are there into order and checks them. Tables that
-- everybody needs come last, so that nobody waits while the others are locked.

-- Times outside of what people mean by one: counting with them fails, or they cannot be read. The end is a month before that of
-- the years that programs know; infinity is allowed where it means "never".
ALTER TABLE cities ADD CONSTRAINT cities_times_are_sane CHECK (
    timezone_lost_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
ALTER TABLE staff ADD CONSTRAINT staff_times_are_sane CHECK (
    created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' AND unreachable_since BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
ALTER TABLE dispatch_policies ADD CONSTRAINT dispatch_policies_times_are_sane CHECK (
    created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
ALTER TABLE dispatch_rounds ADD CONSTRAINT dispatch_rounds_times_are_sane CHECK (
    search_started_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' AND created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
ALTER TABLE dialogs ADD CONSTRAINT dialogs_times_are_sane CHECK (
    asked_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
ALTER TABLE cards ADD CONSTRAINT cards_times_are_sane CHECK (
    sent_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
ALTER TABLE outbox_bots
    ADD CONSTRAINT outbox_bots_recent_is_sane CHECK (
        '2000-01-01Z' <= ALL (recent) AND '9999-12-01Z' >= ALL (recent)) NOT VALID,
    ADD CONSTRAINT outbox_bots_times_are_sane CHECK (
        (not_before BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR not_before = 'infinity')
        AND next_slot <= '9999-12-01Z'
        AND refused_since BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND refusing_since BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
UPDATE outbox_chats
SET attempted_at = CASE WHEN attempted_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' THEN attempted_at END,
    ready_at = CASE WHEN ready_at < '2000-01-01Z' OR ready_at > '9999-12-01Z' AND ready_at < 'infinity' THEN now() ELSE ready_at END
WHERE attempted_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR ready_at < '2000-01-01Z'
   OR ready_at > '9999-12-01Z' AND ready_at < 'infinity';
ALTER TABLE outbox_chats
    DROP CONSTRAINT IF EXISTS outbox_chats_attempted_at_check,
    ADD CONSTRAINT outbox_chats_attempted_at_check CHECK (attempted_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID,
    ADD CONSTRAINT outbox_chats_times_are_sane CHECK (
        ready_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR ready_at = 'infinity') NOT VALID;
ALTER TABLE processed_updates ADD CONSTRAINT processed_updates_times_are_sane CHECK (
    processed_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;

-- An odd time that is there already is replaced, rather than kept by every offer and refused.
CREATE OR REPLACE FUNCTION note_master_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH asked AS (
        SELECT master_id, max(sent_at) AS at FROM made
        WHERE sent_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' GROUP BY master_id
    ), free AS (
        SELECT master_id FROM master_activity WHERE master_id IN (SELECT master_id FROM asked)
        ORDER BY master_id FOR UPDATE SKIP LOCKED
    )
    UPDATE master_activity
    SET last_asked_at = CASE
        WHEN last_asked_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' THEN greatest(last_asked_at, asked.at)
        ELSE asked.at
    END
    FROM asked JOIN free USING (master_id)
    WHERE master_activity.master_id = asked.master_id;
    RETURN NULL;
END
$$;
ALTER TABLE master_activity
    DROP CONSTRAINT IF EXISTS master_activity_last_asked_at_check,
    ADD CONSTRAINT master_activity_last_asked_at_check CHECK (
        last_asked_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
COMMENT ON TABLE master_activity IS 'One row per master, beside masters because that row''s lock guards the limit of active orders. This row''s lock guards the places for offers: whoever makes offers in rounds holds it, and counts active orders and live offers in a statement that begins after that';

ALTER TABLE masters ADD CONSTRAINT masters_times_are_sane CHECK (
    created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' AND unreachable_since BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
ALTER TABLE distribution_metrics
    DROP CONSTRAINT IF EXISTS distribution_metrics_time_is_finite,
    ADD CONSTRAINT distribution_metrics_time_is_finite CHECK (
        assigned_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
-- A change that took the order from a master names that one by number, and nothing else does.
ALTER TABLE order_status_history
    ADD CONSTRAINT order_status_history_times_are_sane CHECK (
        created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID,
    ADD CONSTRAINT order_status_history_context_is_sane CHECK (
        jsonb_typeof(context) = 'object'
        AND (NOT context ? 'master_id'
             OR jsonb_typeof(context -> 'master_id') = 'number' AND context ->> 'master_id' ~ '^[0-9]{1,18}$')) NOT VALID;
-- What waits is brought into order at once, it is little and has an index: else every delivery would fail over it until V16.
UPDATE outbox
SET created_at = CASE WHEN created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' THEN created_at ELSE now() END,
    due_at = CASE WHEN due_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR due_at = 'infinity' THEN due_at ELSE now() END,
    attempted_at = CASE WHEN attempted_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' THEN attempted_at END,
    attempts = CASE WHEN attempts BETWEEN 0 AND 1000000000 THEN attempts ELSE 0 END
WHERE finished_at IS NULL AND NOT (
    created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
    AND (due_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR due_at = 'infinity')
    AND coalesce(attempted_at BETWEEN '2000-01-01Z' AND '9999-12-01Z', true)
    AND attempts BETWEEN 0 AND 1000000000);
ALTER TABLE outbox
    ADD CONSTRAINT outbox_times_are_sane CHECK (
        created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND (due_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR due_at = 'infinity')
        AND attempted_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND finished_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID,
    ADD CONSTRAINT outbox_attempts_are_sane CHECK (attempts BETWEEN 0 AND 1000000000) NOT VALID;
ALTER TABLE offers
    DROP CONSTRAINT IF EXISTS offers_times_are_finite,
    ADD CONSTRAINT offers_times_are_finite CHECK (
        sent_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND viewed_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND responded_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND (expires_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR expires_at = 'infinity')) NOT VALID;
ALTER TABLE orders
    DROP CONSTRAINT IF EXISTS orders_times_are_finite,
    ADD CONSTRAINT orders_times_are_finite CHECK (
        created_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND updated_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND next_round_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND search_started_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND escalated_at BETWEEN '2000-01-01Z' AND '9999-12-01Z'
        AND (deferred_until BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR deferred_until = 'infinity')) NOT VALID,
    -- It is a number, and counted up.
    ADD CONSTRAINT orders_numbers_are_sane CHECK (
        final_amount <> 'NaN' AND version < 2000000000 AND last_round < 2000000000) NOT VALID;
