-- Which orders have ever needed staff, for figures.

ALTER TABLE orders ADD COLUMN was_escalated boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN orders.was_escalated IS 'Whether a search for it has ever needed staff: escalated_at is of the search that goes on. Kept by a trigger';

CREATE FUNCTION note_escalation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.was_escalated := true;
    RETURN NEW;
END
$$;
CREATE TRIGGER note_escalation BEFORE INSERT OR UPDATE ON orders FOR EACH ROW
    WHEN (NEW.escalated_at IS NOT NULL AND NOT NEW.was_escalated)
    EXECUTE FUNCTION note_escalation();
