-- Who leaves his shift, is blocked or cannot be written to any more is replaced at once where he was asked.

CREATE FUNCTION replace_absent_master() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- An order that somebody is at work on is passed over, and looked at within half a minute by itself. To pass over a row may
    -- still wait for whoever has taken it in that very moment; whoever holds an order waits for no master, so that this ends.
    UPDATE orders
    -- What is due since the search began is due by every clock.
    SET next_round_at = least(next_round_at, search_started_at)
    WHERE id IN (
        SELECT orders.id
        FROM offers JOIN orders ON orders.id = offers.order_id
        WHERE offers.master_id = NEW.id AND offers.state IN ('SENT', 'VIEWED')
          AND orders.status IN ('SEARCHING', 'GUARANTEE') AND orders.widens_at IS NOT NULL
        FOR NO KEY UPDATE OF orders SKIP LOCKED);
    RETURN NULL;
END
$$;

CREATE TRIGGER replace_absent_master AFTER UPDATE OF on_shift, is_blocked, unreachable_since ON masters
    FOR EACH ROW
    WHEN (OLD.on_shift AND NOT NEW.on_shift OR NOT OLD.is_blocked AND NEW.is_blocked
          OR OLD.unreachable_since IS NULL AND NEW.unreachable_since IS NOT NULL)
    EXECUTE FUNCTION replace_absent_master();
