-- $1 bot, $2 messages a second
WITH moment AS MATERIALIZED (
    SELECT clock_timestamp() AS clock
), paced AS (
    UPDATE outbox_bots
    SET next_slot = CASE WHEN next_slot > clock + interval '1 minute' THEN clock ELSE greatest(next_slot, clock) END
                    + make_interval(secs => 1 / $2::float8)
    FROM moment
    WHERE bot = $1
    RETURNING next_slot
)
SELECT (extract(epoch FROM next_slot - clock_timestamp()) - 1 / $2::float8)::float8 AS wait FROM paced
