-- A wave for which there is nobody says since when that is so.

ALTER TABLE dispatch_rounds
    ADD COLUMN empty_since timestamptz,
    ADD CONSTRAINT dispatch_rounds_empty_since_is_sane CHECK (
        empty_since BETWEEN '2000-01-01Z' AND '9999-12-01Z') NOT VALID;
COMMENT ON COLUMN dispatch_rounds.empty_since IS 'Since when nobody could be asked, whatever the reasons; created_at says since when they are these. Null: somebody was asked, or the wave is of an earlier release';
