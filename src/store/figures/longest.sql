-- Who would be asked and is not: on shift, of some trade and, where the city has districts, of one of them, with nothing to answer,
-- and room for another order.
SELECT masters.full_name AS name,
       greatest(0, extract(epoch FROM moment.now - waiting.since))::bigint AS seconds
FROM moment
CROSS JOIN place
JOIN masters ON masters.city_id = place.city_id
JOIN master_activity AS activity ON activity.master_id = masters.id
-- Whoever was away meanwhile did not wait.
CROSS JOIN LATERAL (
    SELECT coalesce(greatest(activity.last_asked_at, masters.on_shift_since), masters.created_at) AS since
) AS waiting
WHERE masters.on_shift AND NOT masters.is_blocked AND masters.unreachable_since IS NULL
  AND EXISTS (SELECT FROM master_categories WHERE master_categories.master_id = masters.id)
  AND (EXISTS (SELECT FROM master_districts WHERE master_districts.master_id = masters.id)
       OR NOT EXISTS (SELECT FROM districts WHERE districts.city_id = masters.city_id))
  AND NOT EXISTS (
      SELECT FROM offers
      WHERE offers.master_id = masters.id AND state IN ('SENT', 'VIEWED') AND offers.expires_at > moment.now)
  AND (
      SELECT count(*) FROM orders
      WHERE assigned_master_id = masters.id AND status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
  ) < coalesce(masters.max_active_orders, (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1), 5)
ORDER BY waiting.since, masters.id
LIMIT 1
