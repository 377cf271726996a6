-- Orders of the same client, and free visits after a job.

ALTER TABLE orders ADD COLUMN guarantee_of bigint;
COMMENT ON COLUMN orders.guarantee_of IS 'The closed order whose work this free visit repeats';

-- People write a phone in many ways: the last ten digits are the same in all of them.
CREATE FUNCTION phone_tail(phone text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT right(regexp_replace(phone, '[^0-9]', '', 'g'), 10)
$$;
CREATE INDEX IF NOT EXISTS orders_going_on_by_phone ON orders (phone_tail(client_phone)) WHERE status NOT IN ('CLOSED', 'CANCELED');
