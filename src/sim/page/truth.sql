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
), messages AS MATERIALIZED (
    -- Of the last few thousand only: there is no index for those that have gone out, and they are read every second.
    SELECT * FROM outbox
    WHERE id > (SELECT max(id) - 3000 FROM outbox) AND order_id IN (SELECT id FROM latest)
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
            'kind', messages.kind, 'bot', messages.bot, 'person', messages.chat_id,
            'name', coalesce(masters.full_name, staff.full_name),
            'attempts', messages.attempts, 'dropped', messages.dropped_because,
            'finished', extract(epoch FROM messages.finished_at) * 1000,
            'took', extract(epoch FROM messages.finished_at - messages.created_at) * 1000
        ) ORDER BY messages.id)
        FROM messages
        LEFT JOIN masters ON messages.bot = 'MASTER' AND masters.telegram_user_id = messages.chat_id
        LEFT JOIN staff ON messages.bot = 'ADMIN' AND staff.telegram_user_id = messages.chat_id
        WHERE messages.order_id = orders.id), '[]'),
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
