-- What a wave knows of itself: whom it passed over, and what had been decided before it at the same moment.

ALTER TABLE dispatch_rounds
    ADD COLUMN turn integer,
    ADD COLUMN city_id bigint,
    ADD COLUMN passed_over_master_id bigint,
    ADD COLUMN passed_over_seconds integer;
COMMENT ON COLUMN dispatch_rounds.turn IS 'Which place the wave had among those that were decided at the same moment, from 0: whoever was chosen by one before it had less room. Null: of an earlier release';
COMMENT ON COLUMN dispatch_rounds.city_id IS 'As the order had it then';
COMMENT ON COLUMN dispatch_rounds.passed_over_master_id IS 'Who of the masters that could have been asked and were not had waited longest. No foreign key: it would lock a master at whom somebody else is at work. Null: all who could be asked were';
COMMENT ON COLUMN dispatch_rounds.passed_over_seconds IS 'For how long that master had waited: since the last offer or order, or since coming on shift, whichever was later';

-- How long masters of a city have waited, by time.
CREATE INDEX IF NOT EXISTS dispatch_rounds_passed_over ON dispatch_rounds (city_id, created_at)
    INCLUDE (passed_over_master_id, passed_over_seconds) WHERE passed_over_seconds IS NOT NULL;
-- What was changed of masters since a moment; and whom staff gave an order last.
CREATE INDEX IF NOT EXISTS master_changes_by_time ON master_changes (created_at);
CREATE INDEX IF NOT EXISTS distribution_metrics_by_hand ON distribution_metrics (master_id, assigned_at)
    WHERE round_number IS NULL;
