-- A row for each topic. Times are milliseconds since 1970.
WITH latest AS (
    SELECT * FROM orders ORDER BY id DESC LIMIT 60
), stamped AS (
    SELECT history.*,
           -- When the transaction was committed, if the server keeps it.
           CASE WHEN current_setting('track_commit_timestamp') = 'on'
                THEN pg_xact_commit_timestamp(history.xmin) END AS committed_at
    FROM order_status_history AS history
    WHERE order_id IN (SELECT id FROM latest)
)
SELECT 'order/' || orders.id AS topic, jsonb_build_object(
    'id', orders.id,
    'status', orders.status,
    'version', orders.version,
    'master', master.full_name,
    'category', orders.category,
    'city', cities.name,
    'address', orders.address,
    'description', orders.description,
    'offers', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'person', masters.telegram_user_id, 'name', masters.full_name,
            'round', offers.round_number, 'state', offers.state,
            'responded', extract(epoch FROM offers.responded_at) * 1000,
            'expires', CASE WHEN isfinite(offers.expires_at) THEN extract(epoch FROM offers.expires_at) * 1000 END
        ) ORDER BY offers.id)
        FROM offers JOIN masters ON masters.id = offers.master_id
        WHERE offers.order_id = orders.id), '[]'),
    'history', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'from', stamped.from_status, 'to', stamped.to_status, 'actor', stamped.actor_type,
            'name', masters.full_name, 'person', masters.telegram_user_id, 'reason', stamped.reason,
            'at', extract(epoch FROM stamped.created_at) * 1000,
            'committed', extract(epoch FROM stamped.committed_at) * 1000
        ) ORDER BY stamped.id)
        FROM stamped LEFT JOIN masters ON masters.id = stamped.changed_by_master_id
        WHERE stamped.order_id = orders.id), '[]'),
    'messages', coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'kind', outbox.kind, 'bot', outbox.bot, 'person', outbox.chat_id,
            'name', coalesce(masters.full_name, staff.full_name),
            'attempts', outbox.attempts, 'dropped', outbox.dropped_because,
            'finished', extract(epoch FROM outbox.finished_at) * 1000,
            'took', extract(epoch FROM outbox.finished_at - outbox.created_at) * 1000
        ) ORDER BY outbox.id)
        FROM outbox
        LEFT JOIN masters ON outbox.bot = 'MASTER' AND masters.telegram_user_id = outbox.chat_id
        LEFT JOIN staff ON outbox.bot = 'ADMIN' AND staff.telegram_user_id = outbox.chat_id
        WHERE outbox.order_id = orders.id), '[]'),
    'metrics', coalesce((
        SELECT jsonb_agg(to_jsonb(metrics) - 'order_id' ORDER BY metrics.id)
        FROM distribution_metrics AS metrics WHERE metrics.order_id = orders.id), '[]')
)::text AS value
FROM latest AS orders
JOIN cities ON cities.id = orders.city_id
LEFT JOIN masters AS master ON master.id = orders.assigned_master_id
UNION ALL
SELECT 'masters', coalesce(jsonb_agg(jsonb_build_object(
    'id', masters.id, 'person', masters.telegram_user_id, 'name', masters.full_name, 'city', cities.name
) ORDER BY masters.id), '[]')::text
FROM (SELECT * FROM masters ORDER BY id LIMIT 200) AS masters JOIN cities ON cities.id = masters.city_id
UNION ALL
SELECT 'cities', coalesce(jsonb_agg(name ORDER BY name), '[]')::text FROM cities
