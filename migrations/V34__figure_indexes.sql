-- What figures look for, by city and time. On large tables build the indexes by hand first, right after V33: see README.md.

-- Of what figures show at most.
UPDATE distribution_metrics AS later SET is_first = false
WHERE is_first AND assigned_at > now() - interval '32 days' AND EXISTS (
    SELECT FROM distribution_metrics AS earlier WHERE earlier.order_id = later.order_id AND earlier.id < later.id);
UPDATE orders SET was_escalated = true
WHERE escalated_at IS NOT NULL AND NOT was_escalated AND created_at > now() - interval '32 days';

CREATE INDEX IF NOT EXISTS distribution_metrics_by_city ON distribution_metrics (city_id, assigned_at)
    INCLUDE (is_first, round_number, time_to_assign_seconds);

CREATE INDEX IF NOT EXISTS orders_by_city ON orders (city_id, created_at) INCLUDE (id, status, was_escalated);
CREATE INDEX IF NOT EXISTS orders_closed ON orders (city_id, updated_at) INCLUDE (assigned_master_id, final_amount)
    WHERE status = 'CLOSED';
