-- What people see of an order beside its status and master has a count of its own; and what staff do to orders is named.

ALTER TABLE orders
    ADD COLUMN revision            integer NOT NULL DEFAULT 1,
    ADD COLUMN comment             text,
    ADD COLUMN created_by_staff_id bigint,
    ADD COLUMN claimed_by_staff_id bigint,
    ADD COLUMN claimed_at          timestamptz,
    ADD CONSTRAINT orders_revision_check CHECK (revision >= 1) NOT VALID,
    ADD CONSTRAINT orders_claim_has_a_time CHECK ((claimed_by_staff_id IS NULL) = (claimed_at IS NULL)) NOT VALID,
    ADD CONSTRAINT orders_claimed_at_is_sane CHECK (claimed_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
COMMENT ON COLUMN orders.revision IS 'Grows by one with every change of what people see that is neither status nor master';
COMMENT ON COLUMN orders.comment IS 'From staff to the master, beside what the client said';
COMMENT ON COLUMN orders.created_by_staff_id IS 'Who took the order in; null: it came by itself';
COMMENT ON COLUMN orders.claimed_by_staff_id IS 'Who of the staff sees to what this order needs; null: nobody yet';

CREATE FUNCTION count_order_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.category, NEW.city_id, NEW.district_id, NEW.address, NEW.description, NEW.client_name, NEW.client_phone,
        NEW.timeslot_start, NEW.timeslot_end, NEW.preferred_master_id, NEW.comment, NEW.final_amount)
       IS DISTINCT FROM
       (OLD.category, OLD.city_id, OLD.district_id, OLD.address, OLD.description, OLD.client_name, OLD.client_phone,
        OLD.timeslot_start, OLD.timeslot_end, OLD.preferred_master_id, OLD.comment, OLD.final_amount) THEN
        -- Whoever has counted it already is not corrected.
        NEW.revision := greatest(NEW.revision, OLD.revision + 1);
    END IF;
    RETURN NEW;
END
$$;
-- Not when an order is taken: that changes none of these columns.
CREATE TRIGGER count_order_revision BEFORE UPDATE OF category, city_id, district_id, address, description, client_name, client_phone,
    timeslot_start, timeslot_end, preferred_master_id, comment, final_amount
    ON orders FOR EACH ROW EXECUTE FUNCTION count_order_revision();
