-- Searches widen: more masters are asked while the offers before are out.

-- The policies of before go in rounds, as the searches that began with them do.
ALTER TABLE dispatch_policies
    ADD COLUMN first_masters       integer NOT NULL DEFAULT 3 CHECK (first_masters > 0),
    ADD COLUMN widen_every_seconds integer NOT NULL DEFAULT 0 CHECK (widen_every_seconds >= 0),
    ADD COLUMN widen_by            integer NOT NULL DEFAULT 1 CHECK (widen_by > 0),
    ADD COLUMN max_live_offers     integer NOT NULL DEFAULT 6 CHECK (max_live_offers > 0),
    ADD CONSTRAINT dispatch_policies_room_for_the_first CHECK (first_masters <= max_live_offers);
ALTER TABLE dispatch_policies ALTER COLUMN widen_every_seconds SET DEFAULT 30;
COMMENT ON COLUMN dispatch_policies.first_masters IS 'How many masters a search that widens asks at once, when nobody is being asked';
COMMENT ON COLUMN dispatch_policies.widen_every_seconds IS 'How long until more masters are asked while offers are out; 0: a search goes in rounds instead';
COMMENT ON COLUMN dispatch_policies.widen_by IS 'How many more masters are then asked';
COMMENT ON COLUMN dispatch_policies.max_live_offers IS 'How many offers of an order may live at once while its search widens';
COMMENT ON COLUMN dispatch_policies.masters_per_round IS 'How many masters a round asks at once; of a search that widens, with max_rounds: after how many masters staff are told';

-- From now on searches widen, and ask as many at first as a round did.
INSERT INTO dispatch_policies (offer_ttl_seconds, preferred_ttl_seconds, masters_per_round, max_rounds,
                               escalate_after_seconds, max_active_orders, workday_start, workday_end, keep_finished_days,
                               first_masters, max_live_offers)
SELECT offer_ttl_seconds, preferred_ttl_seconds, masters_per_round, max_rounds, escalate_after_seconds, max_active_orders,
       workday_start, workday_end, keep_finished_days, masters_per_round, greatest(masters_per_round, 6)
FROM dispatch_policies
ORDER BY id DESC
LIMIT 1;

ALTER TABLE orders
    ADD COLUMN widens_at timestamptz,
    ADD CONSTRAINT orders_widens_at_is_sane CHECK (widens_at BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
COMMENT ON COLUMN orders.widens_at IS 'When this search asks more masters although offers are out; null: it goes in rounds, or has not begun';
COMMENT ON COLUMN orders.next_round_at IS 'The next wave does not begin earlier: when the search widens, the deadline of the offers that are out, or when to look again for somebody to ask';
