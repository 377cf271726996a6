-- What the files before this one have left unchecked lest anybody waits: every row is in order.
ALTER TABLE orders
    VALIDATE CONSTRAINT orders_revision_check,
    VALIDATE CONSTRAINT orders_claim_has_a_time,
    VALIDATE CONSTRAINT orders_claimed_at_is_sane;
ALTER TABLE outbox
    VALIDATE CONSTRAINT outbox_kind_check,
    VALIDATE CONSTRAINT outbox_place_check;
