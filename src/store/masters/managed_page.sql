-- $1 staff or null, $2 the person's Telegram user or null, $3 which masters, $4 page from 1, $5 masters a page
WITH who AS MATERIALIZED (
    SELECT * FROM staff_right($1, $2)
), every AS MATERIALIZED (
    SELECT masters.id, masters.full_name, cities.name AS city, on_shift, is_blocked,
           masters.max_active_orders,
           awaiting_approval_since IS NOT NULL AS is_waiting, masters.unreachable_since IS NOT NULL AS unreachable
    FROM who
    JOIN masters ON masters.city_id = ANY (who.cities)
    JOIN cities ON cities.id = masters.city_id
), counted AS (
    SELECT count(*) AS all_of_them,
           count(*) FILTER (WHERE on_shift AND NOT is_blocked) AS on_shift_now,
           count(*) FILTER (WHERE is_waiting) AS waiting,
           count(*) FILTER (WHERE is_blocked AND NOT is_waiting) AS blocked
    FROM every
), wanted AS (
    SELECT every.*,
           row_number() OVER (ORDER BY is_waiting DESC, lower(full_name), id) AS position,
           count(*) OVER () AS total
    FROM every
    WHERE CASE $3
              WHEN 'on' THEN on_shift AND NOT is_blocked
              WHEN 'wait' THEN is_waiting
              WHEN 'bl' THEN is_blocked AND NOT is_waiting
              ELSE true
          END
)
SELECT
    counted.*,
    coalesce((wanted.position - 1) / $5 + 1, 1) AS page,
    wanted.id,
    wanted.full_name,
    wanted.city,
    wanted.on_shift,
    wanted.is_blocked,
    wanted.is_waiting,
    wanted.unreachable,
    coalesce(wanted.max_active_orders, policy.max_active_orders, 5) AS order_limit,
    (SELECT count(*) FROM orders
     WHERE assigned_master_id = wanted.id AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')) AS active_orders
FROM who
CROSS JOIN counted
LEFT JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
-- A page past the end is the last one.
LEFT JOIN wanted ON (wanted.position - 1) / $5 = least($4 - 1, (wanted.total - 1) / $5)
ORDER BY wanted.position
