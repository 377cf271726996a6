-- Each change of an order is sealed: whoever changes or deletes a row of its history later breaks the chain of seals.
--
-- Rows that are there already are sealed by a sweep, a few orders at a time: a table of millions is not rewritten in one
-- transaction. Until then what is added to such an order waits for the sweep too, so that a chain begins with its first row.

ALTER TABLE order_status_history
    ADD COLUMN IF NOT EXISTS seal bytea,
    ADD CONSTRAINT order_status_history_seal_is_a_hash CHECK (octet_length(seal) = 32) NOT VALID;
COMMENT ON COLUMN order_status_history.seal IS 'SHA-256 of the seal of the order''s row before this one, if there is one, and of what this row said when it was inserted, as a JSON array of its columns. Null: from before rows were sealed, and yet to be';

-- The array names its form first; its text depends on no setting of the session. A row that comes with its seal keeps it, as
-- when a dump is restored.
--
-- A session keeps its plan for the look, also when the table was empty by then: by the index it is quick whatever the table
-- becomes, so nothing else may be chosen (a range leaves no other index in question).
CREATE FUNCTION seal_history() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    previous bytea;
BEGIN
    IF NEW.seal IS NOT NULL THEN
        RETURN NEW;
    END IF;
    -- Whoever changes an order holds its lock, so that nobody else adds a row between this look and the end.
    SELECT seal INTO previous FROM public.order_status_history
    WHERE order_id >= NEW.order_id AND order_id <= NEW.order_id ORDER BY order_id DESC, id DESC LIMIT 1;
    IF FOUND AND previous IS NULL THEN
        RETURN NEW;
    END IF;
    NEW.seal := sha256(coalesce(previous, '') || convert_to(jsonb_build_array(
        1, NEW.id, NEW.order_id, NEW.from_status, NEW.to_status, NEW.actor_type, NEW.changed_by_master_id,
        NEW.changed_by_staff_id, NEW.reason, NEW.context, extract(epoch FROM NEW.created_at))::text, 'UTF8'));
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION seal_history IS 'Seals a row of the history. `field-service verify` does not call it: it knows by itself what a seal has to be';
CREATE TRIGGER seal_history BEFORE INSERT ON order_status_history FOR EACH ROW EXECUTE FUNCTION seal_history();
