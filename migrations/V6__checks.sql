-- What the states mean, said to the database too. V7 checks the rows that are there, without locking anybody out.

-- An offer has its response exactly when it is not live. Whoever ends one by hand, or an earlier release, need not say when.
CREATE FUNCTION date_offer_response() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.responded_at := CASE WHEN NEW.state IN ('SENT', 'VIEWED') THEN NULL ELSE now() END;
    RETURN NEW;
END
$$;
CREATE TRIGGER date_offer_response BEFORE INSERT OR UPDATE ON offers FOR EACH ROW
    WHEN ((NEW.state IN ('SENT', 'VIEWED')) <> (NEW.responded_at IS NULL))
    EXECUTE FUNCTION date_offer_response();

UPDATE offers SET sent_at = least(greatest(sent_at, '2000-01-01'), now()) WHERE NOT isfinite(sent_at);
UPDATE offers SET viewed_at = NULL WHERE NOT isfinite(viewed_at);
UPDATE offers SET responded_at = sent_at WHERE NOT isfinite(responded_at);
UPDATE offers SET responded_at = coalesce(viewed_at, sent_at)
WHERE responded_at IS NULL AND state NOT IN ('SENT', 'VIEWED');
UPDATE offers SET responded_at = NULL WHERE responded_at IS NOT NULL AND state IN ('SENT', 'VIEWED');
ALTER TABLE offers
    ADD CONSTRAINT offers_responded_when_ended CHECK ((responded_at IS NULL) = (state IN ('SENT', 'VIEWED'))) NOT VALID,
    ADD CONSTRAINT offers_times_are_finite CHECK (
        isfinite(sent_at) AND isfinite(viewed_at) IS NOT FALSE AND isfinite(responded_at) IS NOT FALSE) NOT VALID;

UPDATE outbox SET lease = NULL WHERE finished_at IS NOT NULL AND lease IS NOT NULL;
ALTER TABLE outbox
    ADD CONSTRAINT outbox_finished_has_no_lease CHECK (finished_at IS NULL OR lease IS NULL) NOT VALID;

UPDATE orders SET created_at = least(greatest(created_at, '2000-01-01'), now()) WHERE NOT isfinite(created_at);
UPDATE orders SET updated_at = now() WHERE NOT isfinite(updated_at);
UPDATE orders SET next_round_at = now() WHERE NOT isfinite(next_round_at);
UPDATE orders SET search_started_at = now() WHERE NOT isfinite(search_started_at);
UPDATE orders SET escalated_at = now() WHERE NOT isfinite(escalated_at);
UPDATE orders SET final_amount = NULL WHERE final_amount IS NOT NULL AND status <> 'CLOSED';
ALTER TABLE orders
    ADD CONSTRAINT orders_amount_when_closed CHECK (final_amount IS NULL OR status = 'CLOSED') NOT VALID,
    ADD CONSTRAINT orders_times_are_finite CHECK (
        isfinite(created_at) AND isfinite(updated_at) AND isfinite(next_round_at)
        AND isfinite(search_started_at) IS NOT FALSE AND isfinite(escalated_at) IS NOT FALSE) NOT VALID;

UPDATE distribution_metrics SET assigned_at = least(greatest(assigned_at, '2000-01-01'), now()) WHERE NOT isfinite(assigned_at);
ALTER TABLE distribution_metrics ADD CONSTRAINT distribution_metrics_time_is_finite CHECK (isfinite(assigned_at)) NOT VALID;
