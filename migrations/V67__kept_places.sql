-- Nobody loses his place in the queue by a fault of our bot.

ALTER TABLE masters
    ADD COLUMN unreachable_withdrawn_at timestamptz,
    ADD CONSTRAINT masters_unreachable_withdrawn_at_is_sane CHECK (
        unreachable_withdrawn_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
COMMENT ON COLUMN masters.unreachable_withdrawn_at IS 'When unreachable_since was last taken back because the bot could not write to anybody: the wait to be asked goes on';
COMMENT ON COLUMN masters.on_shift_since IS 'Since when the master waits to be asked, if nobody has asked meanwhile: came on shift, was unblocked, or could be written to again, whichever was last; null: off shift. Kept by a trigger, whoever changes these; it goes on when unreachable_withdrawn_at is set';

CREATE OR REPLACE FUNCTION note_on_shift_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT NEW.on_shift THEN
        NEW.on_shift_since := NULL;
    ELSIF TG_OP = 'UPDATE' AND NEW.on_shift_since IS NOT DISTINCT FROM OLD.on_shift_since
          AND (NOT OLD.on_shift OR OLD.is_blocked AND NOT NEW.is_blocked
               OR OLD.unreachable_since IS NOT NULL AND NEW.unreachable_since IS NULL
                  AND NEW.unreachable_withdrawn_at IS NOT DISTINCT FROM OLD.unreachable_withdrawn_at) THEN
        NEW.on_shift_since := now();
    ELSE
        -- Whoever says since when is believed.
        NEW.on_shift_since := coalesce(NEW.on_shift_since, now());
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION note_master() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM note_master_change(NEW.id, 'ADDED', NULL, NULL);
        RETURN NULL;
    END IF;
    IF NEW.on_shift <> OLD.on_shift THEN
        PERFORM note_master_change(
            NEW.id, 'SHIFT', CASE WHEN OLD.on_shift THEN 'on' ELSE 'off' END, CASE WHEN NEW.on_shift THEN 'on' ELSE 'off' END);
    END IF;
    IF NEW.is_blocked <> OLD.is_blocked OR NEW.is_blocked AND NEW.blocked_reason IS DISTINCT FROM OLD.blocked_reason THEN
        PERFORM note_master_change(
            NEW.id, 'BLOCKED', CASE WHEN OLD.is_blocked THEN coalesce(OLD.blocked_reason, '') END,
            CASE WHEN NEW.is_blocked THEN coalesce(NEW.blocked_reason, '') END);
    END IF;
    IF OLD.awaiting_approval_since IS NOT NULL AND NEW.awaiting_approval_since IS NULL AND NOT NEW.is_blocked THEN
        PERFORM note_master_change(NEW.id, 'APPROVED', NULL, NULL);
    END IF;
    IF NEW.max_active_orders IS DISTINCT FROM OLD.max_active_orders THEN
        PERFORM note_master_change(NEW.id, 'LIMIT', OLD.max_active_orders::text, NEW.max_active_orders::text);
    END IF;
    IF (NEW.unreachable_since IS NULL) <> (OLD.unreachable_since IS NULL) THEN
        PERFORM note_master_change(
            NEW.id, 'REACHABLE', CASE WHEN OLD.unreachable_since IS NULL THEN 'yes' ELSE 'no' END,
            CASE WHEN OLD.unreachable_since IS NULL THEN 'no'
                 WHEN NEW.unreachable_withdrawn_at IS DISTINCT FROM OLD.unreachable_withdrawn_at THEN 'withdrawn'
                 ELSE 'yes'
            END);
    END IF;
    IF NEW.city_id <> OLD.city_id THEN
        PERFORM note_master_change(NEW.id, 'CITY', OLD.city_id::text, NEW.city_id::text);
    END IF;
    IF NEW.telegram_user_id <> OLD.telegram_user_id THEN
        PERFORM note_master_change(NEW.id, 'ACCOUNT', OLD.telegram_user_id::text, NEW.telegram_user_id::text);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON COLUMN master_changes.what IS 'ADDED; SHIFT: on, off; BLOCKED: the reason, empty if there is none, null: not blocked; LIMIT: how many, null: the default; TRADE, DISTRICT: one that was taken away (from) or added (to); REACHABLE: yes, no, withdrawn: could be written to all the time, but for a fault of the bot; CITY; ACCOUNT: another Telegram user; APPROVED: staff have agreed';
