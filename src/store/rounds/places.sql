-- $1 masters: how much there is on each one's hands, as in the pool, in a statement that begins after their locks.
SELECT
    masters.id,
    masters.on_shift,
    masters.is_blocked,
    masters.unreachable_since IS NOT NULL AS unreachable,
    CASE WHEN masters.on_shift_since BETWEEN '2000-01-01' AND '9999-12-01' THEN masters.on_shift_since END AS on_shift_since,
    coalesce(masters.max_active_orders, policy.max_active_orders, 5) AS max_active_orders,
    (SELECT count(*) FROM orders
     WHERE assigned_master_id = masters.id AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT'))
        + (SELECT count(*) FROM offers WHERE master_id = masters.id AND state IN ('SENT', 'VIEWED')) AS load
FROM masters
LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
WHERE masters.id = ANY ($1)
