-- What is changed of masters is written down by whatever changes it: "why not me at 14:02" cannot be answered later otherwise.

ALTER TABLE masters
    ADD COLUMN awaiting_approval_since timestamptz,
    ADD CONSTRAINT masters_await_approval_blocked CHECK (awaiting_approval_since IS NULL OR is_blocked),
    ADD CONSTRAINT masters_awaiting_approval_is_sane CHECK (
        awaiting_approval_since BETWEEN '2000-01-01Z' AND '9999-12-01Z');
COMMENT ON COLUMN masters.awaiting_approval_since IS 'Came by an invitation and told all; blocked until staff agree, so that no release offers anything meanwhile';

-- Whoever unblocks a master has agreed, also by hand and in an earlier release.
CREATE FUNCTION approve_unblocked_master() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.awaiting_approval_since := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER approve_unblocked_master BEFORE UPDATE ON masters FOR EACH ROW
    WHEN (NEW.awaiting_approval_since IS NOT NULL AND NOT NEW.is_blocked)
    EXECUTE FUNCTION approve_unblocked_master();

CREATE FUNCTION note_master() RETURNS trigger LANGUAGE plpgsql AS $$
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
            CASE WHEN NEW.unreachable_since IS NULL THEN 'yes' ELSE 'no' END);
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
CREATE TRIGGER note_master AFTER INSERT OR UPDATE ON masters FOR EACH ROW EXECUTE FUNCTION note_master();
