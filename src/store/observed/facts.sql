-- $1 now or null
moment AS (
    SELECT coalesce($1, now()) AS now
), not_over AS MATERIALIZED (
    -- Before its first round, since it was made, woke or came back.
    SELECT status, CASE WHEN status IN ('CREATED', 'SEARCHING', 'GUARANTEE') THEN coalesce(search_started_at, updated_at) END AS since
    FROM orders_not_over
)
SELECT 'orders' AS name, status AS label, count(*)::float8 AS value FROM not_over GROUP BY status
UNION ALL
SELECT 'oldest_unassigned_seconds', '', greatest(0, extract(epoch FROM moment.now - coalesce(min(since), moment.now)))::float8
FROM moment LEFT JOIN not_over ON since IS NOT NULL GROUP BY moment.now
UNION ALL
SELECT 'outbox_messages', bots.bot, count(outbox.id)::float8
FROM (VALUES ('MASTER'), ('ADMIN')) AS bots (bot) LEFT JOIN outbox ON outbox.bot = bots.bot AND finished_at IS NULL
GROUP BY bots.bot
UNION ALL
SELECT 'recent_offers', state, count(*)::float8
FROM (SELECT state FROM offers ORDER BY id DESC LIMIT 1000) AS recent
GROUP BY state
UNION ALL
SELECT 'recent_assignment_seconds', quantile::text, percentile_disc(quantile) WITHIN GROUP (ORDER BY time_to_assign_seconds)::float8
FROM (SELECT time_to_assign_seconds FROM distribution_metrics WHERE is_first ORDER BY id DESC LIMIT 1000) AS recent
CROSS JOIN (VALUES (0.5::float8), (0.9)) AS quantiles (quantile)
GROUP BY quantile
UNION ALL
SELECT 'recent_lost_tap_seconds', quantile::text, percentile_disc(quantile) WITHIN GROUP (ORDER BY behind_ms)::float8 / 1000
FROM (
    SELECT behind_ms FROM lost_taps, moment WHERE tapped_at > moment.now - interval '1 day' ORDER BY tapped_at DESC LIMIT 1000
) AS recent
CROSS JOIN (VALUES (0.5::float8), (0.9)) AS quantiles (quantile)
GROUP BY quantile
