-- What retention deletes leaves its seals, so that the roots of those days can be verified as before.

CREATE TABLE history_purged (
    id        bigint PRIMARY KEY,
    seal      bytea CHECK (octet_length(seal) = 32),
    purged_at timestamptz NOT NULL CONSTRAINT history_purged_time_is_sane CHECK (
        purged_at BETWEEN '2000-01-01Z' AND '9999-12-01Z')
);
COMMENT ON TABLE history_purged IS 'One row per change that was deleted with its order because the order was over for long: its seal alone, for the root that covers it';
COMMENT ON COLUMN history_purged.id IS 'The number it had in order_status_history';
COMMENT ON COLUMN history_purged.seal IS 'The seal it had, if it had one';
COMMENT ON COLUMN history_purged.purged_at IS 'When it was deleted';

-- Before this one, and by instances of the release before, nothing was kept of what was deleted.
ALTER TABLE history_roots ADD COLUMN purges_are_kept boolean NOT NULL DEFAULT false;
ALTER TABLE history_roots ALTER COLUMN purges_are_kept SET DEFAULT true;
COMMENT ON COLUMN history_roots.purges_are_kept IS 'Whether all that was ever deleted of what it covers is in history_purged. False: what is missing may have been deleted before that was written down';

-- A root over millions of rows is made in steps.
CREATE TABLE history_blocks (
    day     date NOT NULL,
    block   bigint NOT NULL,
    changes bigint NOT NULL CHECK (changes > 0),
    digest  bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (day, block)
);
COMMENT ON TABLE history_blocks IS 'How far the root is that is being made, a row for each 65,536 numbers; empty when it is made';
COMMENT ON COLUMN history_blocks.day IS 'Of history_roots';
COMMENT ON COLUMN history_blocks.block IS 'The numbers divided by 65,536';
COMMENT ON COLUMN history_blocks.changes IS 'How many rows of these numbers the root covers';
COMMENT ON COLUMN history_blocks.digest IS 'SHA-256 of their seals, in the order of the numbers';
