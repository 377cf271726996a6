-- What V46 and V54 have left unchecked lest anybody waits: every row is in order.
ALTER TABLE orders VALIDATE CONSTRAINT orders_widens_at_is_sane;
ALTER TABLE masters VALIDATE CONSTRAINT masters_on_shift_since_is_sane;
