-- The checks of V6, for the rows that were there. Taps go on meanwhile.

ALTER TABLE offers VALIDATE CONSTRAINT offers_responded_when_ended;
ALTER TABLE offers VALIDATE CONSTRAINT offers_times_are_finite;
ALTER TABLE outbox VALIDATE CONSTRAINT outbox_finished_has_no_lease;
ALTER TABLE orders VALIDATE CONSTRAINT orders_amount_when_closed;
ALTER TABLE orders VALIDATE CONSTRAINT orders_times_are_finite;
ALTER TABLE distribution_metrics VALIDATE CONSTRAINT distribution_metrics_time_is_finite;
