-- Who could not be asked did not wait: the wait begins anew when a master is unblocked or can be written to again, as it does when he
-- comes on shift. Or whoever blocks the bot for the night, and stays on shift, would be asked first in the morning.

CREATE OR REPLACE FUNCTION note_on_shift_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT NEW.on_shift THEN
        NEW.on_shift_since := NULL;
    ELSIF TG_OP = 'UPDATE' AND NEW.on_shift_since IS NOT DISTINCT FROM OLD.on_shift_since
          AND (NOT OLD.on_shift OR OLD.is_blocked AND NOT NEW.is_blocked
               OR OLD.unreachable_since IS NOT NULL AND NEW.unreachable_since IS NULL) THEN
        NEW.on_shift_since := now();
    ELSE
        -- Whoever says since when is believed.
        NEW.on_shift_since := coalesce(NEW.on_shift_since, now());
    END IF;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER note_on_shift_since BEFORE INSERT OR UPDATE OF on_shift, is_blocked, unreachable_since ON masters
    FOR EACH ROW EXECUTE FUNCTION note_on_shift_since();

COMMENT ON COLUMN masters.on_shift_since IS 'Since when the master waits to be asked, if nobody has asked meanwhile: came on shift, was unblocked, or could be written to again, whichever was last; null: off shift. Kept by a trigger, whoever changes these';
