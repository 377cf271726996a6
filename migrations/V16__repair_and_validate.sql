-- The checks of V15, for the rows that were there. Taps go on meanwhile: rows are read, and only odd ones changed.
--
-- A table's columns in one statement each: the checks hold for every change by now.

-- The nearest time that the checks allow; of what is later than all of them, now.
CREATE FUNCTION sane_time(at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN at < '2000-01-01Z' THEN '2000-01-01Z' WHEN at > '9999-12-01Z' THEN now() ELSE at END
$$;
-- The same, where infinity means "never".
CREATE FUNCTION sane_deadline(at timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN at < '2000-01-01Z' THEN '2000-01-01Z' WHEN at > '9999-12-01Z' THEN 'infinity' ELSE at END
$$;

UPDATE cities SET timezone_lost_at = sane_time(timezone_lost_at)
WHERE timezone_lost_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE cities VALIDATE CONSTRAINT cities_times_are_sane;

UPDATE staff SET created_at = sane_time(created_at), unreachable_since = sane_time(unreachable_since)
WHERE created_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR unreachable_since NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE staff VALIDATE CONSTRAINT staff_times_are_sane;

UPDATE masters SET created_at = sane_time(created_at), unreachable_since = sane_time(unreachable_since)
WHERE created_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR unreachable_since NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE masters VALIDATE CONSTRAINT masters_times_are_sane;

UPDATE master_activity SET last_asked_at = NULL WHERE last_asked_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE master_activity VALIDATE CONSTRAINT master_activity_last_asked_at_check;

UPDATE dialogs SET asked_at = sane_time(asked_at) WHERE asked_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE dialogs VALIDATE CONSTRAINT dialogs_times_are_sane;

UPDATE outbox_bots
SET recent = CASE WHEN '2000-01-01Z' <= ALL (recent) AND '9999-12-01Z' >= ALL (recent) THEN recent ELSE '{}' END,
    not_before = sane_deadline(not_before)
WHERE NOT ('2000-01-01Z' <= ALL (recent) AND '9999-12-01Z' >= ALL (recent)) OR not_before < '2000-01-01Z'
   OR not_before > '9999-12-01Z' AND not_before < 'infinity';
ALTER TABLE cards VALIDATE CONSTRAINT cards_times_are_sane;
ALTER TABLE outbox_bots
    VALIDATE CONSTRAINT outbox_bots_recent_is_sane,
    VALIDATE CONSTRAINT outbox_bots_times_are_sane;

UPDATE outbox_chats
SET attempted_at = CASE WHEN attempted_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' THEN attempted_at END,
    ready_at = sane_deadline(ready_at)
WHERE attempted_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR ready_at < '2000-01-01Z'
   OR ready_at > '9999-12-01Z' AND ready_at < 'infinity';
ALTER TABLE outbox_chats
    VALIDATE CONSTRAINT outbox_chats_attempted_at_check,
    VALIDATE CONSTRAINT outbox_chats_times_are_sane;

UPDATE processed_updates SET processed_at = sane_time(processed_at)
WHERE processed_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE processed_updates VALIDATE CONSTRAINT processed_updates_times_are_sane;

-- Two rounds of a search may be of the same odd time, and their number is kept.
UPDATE dispatch_rounds SET search_started_at = CASE
        WHEN search_started_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' THEN search_started_at
        ELSE sane_time(search_started_at) + id * interval '1 microsecond'
    END, created_at = sane_time(created_at)
WHERE search_started_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR created_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE dispatch_rounds VALIDATE CONSTRAINT dispatch_rounds_times_are_sane;

UPDATE distribution_metrics SET assigned_at = sane_time(assigned_at)
WHERE assigned_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE distribution_metrics VALIDATE CONSTRAINT distribution_metrics_time_is_finite;

-- What was said is kept, under another name.
UPDATE order_status_history
SET created_at = sane_time(created_at),
    context = CASE
        WHEN jsonb_typeof(context) <> 'object' THEN jsonb_build_object('was', context)
        WHEN context ? 'master_id' AND (
            jsonb_typeof(context -> 'master_id') <> 'number' OR context ->> 'master_id' !~ '^[0-9]{1,18}$')
        THEN context - 'master_id' || jsonb_build_object('was', context -> 'master_id')
        ELSE context
    END
WHERE created_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR jsonb_typeof(context) <> 'object'
   OR context ? 'master_id' AND (
       jsonb_typeof(context -> 'master_id') <> 'number' OR context ->> 'master_id' !~ '^[0-9]{1,18}$');
ALTER TABLE order_status_history
    VALIDATE CONSTRAINT order_status_history_times_are_sane,
    VALIDATE CONSTRAINT order_status_history_context_is_sane;

UPDATE outbox
SET created_at = sane_time(created_at), due_at = sane_deadline(due_at), attempted_at = sane_time(attempted_at),
    finished_at = sane_time(finished_at), attempts = least(greatest(attempts, 0), 1000000000)
WHERE created_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR due_at < '2000-01-01Z' OR due_at > '9999-12-01Z' AND due_at < 'infinity'
   OR attempted_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR finished_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR attempts NOT BETWEEN 0 AND 1000000000;
ALTER TABLE outbox
    VALIDATE CONSTRAINT outbox_kind_check,
    VALIDATE CONSTRAINT outbox_times_are_sane,
    VALIDATE CONSTRAINT outbox_attempts_are_sane;

UPDATE offers
SET sent_at = sane_time(sent_at), viewed_at = sane_time(viewed_at), responded_at = sane_time(responded_at),
    expires_at = sane_deadline(expires_at)
WHERE sent_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR viewed_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR responded_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR expires_at < '2000-01-01Z' OR expires_at > '9999-12-01Z' AND expires_at < 'infinity';
ALTER TABLE offers VALIDATE CONSTRAINT offers_times_are_finite;

UPDATE orders
SET created_at = sane_time(created_at), updated_at = sane_time(updated_at), next_round_at = sane_time(next_round_at),
    search_started_at = sane_time(search_started_at), escalated_at = sane_time(escalated_at),
    deferred_until = sane_deadline(deferred_until), final_amount = nullif(final_amount, 'NaN'),
    version = least(version, 1999999999), last_round = least(last_round, 1999999999)
WHERE created_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z' OR updated_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR next_round_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR search_started_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR escalated_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z'
   OR deferred_until < '2000-01-01Z' OR deferred_until > '9999-12-01Z' AND deferred_until < 'infinity'
   OR final_amount = 'NaN' OR version >= 2000000000 OR last_round >= 2000000000;
ALTER TABLE orders
    VALIDATE CONSTRAINT orders_times_are_finite,
    VALIDATE CONSTRAINT orders_numbers_are_sane;

-- Its rows are never changed; nothing reads the time of an old one.
ALTER TABLE dispatch_policies DISABLE TRIGGER dispatch_policies_are_kept;
UPDATE dispatch_policies SET created_at = sane_time(created_at)
WHERE created_at NOT BETWEEN '2000-01-01Z' AND '9999-12-01Z';
ALTER TABLE dispatch_policies ENABLE TRIGGER dispatch_policies_are_kept;
ALTER TABLE dispatch_policies VALIDATE CONSTRAINT dispatch_policies_times_are_sane;

DROP FUNCTION sane_time(timestamptz), sane_deadline(timestamptz);
