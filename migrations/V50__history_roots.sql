-- A chain does not show that its end was cut off, or that all of it was written anew: each day's root over all seals does, once
-- it is in somebody's chat.

-- Which orders have rows to be sealed; empty soon, and for ever.
CREATE INDEX IF NOT EXISTS order_status_history_unsealed ON order_status_history (order_id) WHERE seal IS NULL;
-- That all rows are such is what the planner has to know; of an empty table nothing.
DO $$
BEGIN
    IF EXISTS (SELECT FROM order_status_history) THEN
        ANALYZE order_status_history (seal);
    END IF;
END
$$;

CREATE TABLE history_roots (
    day        date PRIMARY KEY CONSTRAINT history_roots_day_is_sane CHECK (day BETWEEN '2000-01-01' AND '9999-11-30'),
    up_to      bigint NOT NULL,
    settled_by xid8 NOT NULL,
    opened_at  timestamptz NOT NULL,
    changes    bigint CHECK (changes >= 0),
    digest     bytea CHECK (octet_length(digest) = 32),
    root       bytea CHECK (octet_length(root) = 32),
    closed_at  timestamptz,
    CONSTRAINT history_roots_is_closed_as_a_whole CHECK (
        num_nulls(changes, digest, root, closed_at) IN (0, 4)),
    CONSTRAINT history_roots_times_are_sane CHECK (
        opened_at BETWEEN '2000-01-01Z' AND '9999-12-01Z' AND closed_at BETWEEN '2000-01-01Z' AND '9999-12-01Z')
);
COMMENT ON TABLE history_roots IS 'One row per day (UTC) with what all changes until its end are sealed by. The first one covers what was there before';
COMMENT ON COLUMN history_roots.day IS 'By UTC, as cities have several time zones. A day on which nothing ran has no row: the next one covers its changes';
COMMENT ON COLUMN history_roots.up_to IS 'The last row of order_status_history that it covers; the first is the one after the root before';
COMMENT ON COLUMN history_roots.settled_by IS 'No transaction of this number or a later one adds a row up to there: once all before it have ended, so have those rows';
COMMENT ON COLUMN history_roots.opened_at IS 'When it was decided what it covers';
COMMENT ON COLUMN history_roots.changes IS 'How many rows it covers';
COMMENT ON COLUMN history_roots.digest IS 'SHA-256 of the SHA-256 of the seals of each 65,536 numbers, in the order of the numbers';
COMMENT ON COLUMN history_roots.root IS 'SHA-256 of the root before, the day (YYYY-MM-DD), up_to and changes (8 bytes each), and the digest; what admins are told';
COMMENT ON COLUMN history_roots.closed_at IS 'When the root was made';

-- What is there is covered by a root of its own, once it is sealed; of nothing there is nothing to wait for.
INSERT INTO history_roots (day, up_to, settled_by, opened_at, changes, digest, root, closed_at)
SELECT day, up_to, pg_snapshot_xmax(pg_current_snapshot()), now(),
       CASE WHEN up_to = 0 THEN 0 END, CASE WHEN up_to = 0 THEN digest END,
       CASE WHEN up_to = 0 THEN sha256(convert_to(to_char(day, 'YYYY-MM-DD'), 'UTF8') || int8send(0) || int8send(0) || digest) END,
       CASE WHEN up_to = 0 THEN now() END
FROM (SELECT (now() AT TIME ZONE 'UTC')::date - 1 AS day, sha256('') AS digest,
             (SELECT coalesce(max(id), 0) FROM order_status_history) AS up_to) AS before;
