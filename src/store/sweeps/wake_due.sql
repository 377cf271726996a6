FROM moment
CROSS JOIN orders
JOIN cities ON cities.id = orders.city_id
CROSS JOIN (SELECT workday_start, workday_end FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy
CROSS JOIN LATERAL (
    -- What is made at the end of the calendar is not due, and its local time cannot be told.
    SELECT CASE WHEN orders.created_at <= moment.now THEN orders.created_at AT TIME ZONE cities.shown_timezone END AS created
) AS local
WHERE orders.status = 'DEFERRED' AND moment.now >= coalesce(orders.deferred_until, (
    CASE
        WHEN local.created::time < policy.workday_start THEN local.created::date + policy.workday_start
        WHEN local.created::time < policy.workday_end THEN local.created
        ELSE local.created::date + 1 + policy.workday_start
    END) AT TIME ZONE cities.shown_timezone)
