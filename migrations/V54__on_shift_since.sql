-- Since when a master waits for orders: whoever was away does not wait.

ALTER TABLE masters
    ADD COLUMN on_shift_since timestamptz,
    ADD CONSTRAINT masters_on_shift_since_is_sane CHECK (on_shift_since BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
COMMENT ON COLUMN masters.on_shift_since IS 'When the master came on shift; null: off shift. Kept by a trigger, whoever changes the shift';

CREATE FUNCTION note_on_shift_since() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT NEW.on_shift THEN
        NEW.on_shift_since := NULL;
    ELSE
        -- Whoever says since when is believed.
        NEW.on_shift_since := coalesce(NEW.on_shift_since, now());
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER note_on_shift_since BEFORE INSERT OR UPDATE OF on_shift ON masters FOR EACH ROW EXECUTE FUNCTION note_on_shift_since();
