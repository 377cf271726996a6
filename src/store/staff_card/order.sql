-- $1 staff or null, $2 the staff's Telegram user or null, $3 order, $4 now or null
SELECT
    who.acts,
    orders.id,
    orders.version,
    orders.revision,
    orders.status,
    orders.category,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    orders.description,
    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    orders.soon,
    orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free,
    moment.now AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc,
    orders.guarantee_of,
    orders.client_name,
    orders.client_phone,
    orders.comment,
    orders.final_amount::text AS final_amount,
    orders.created_at,
    orders.created_at AT TIME ZONE cities.shown_timezone AS created_local,
    creator.full_name AS created_by,
    master.id AS master_id,
    master.full_name AS master,
    master.phone AS master_phone,
    master.unreachable_since IS NOT NULL AS master_unreachable,
    preferred.id AS preferred_id,
    preferred.full_name AS preferred,
    orders.escalation_reason,
    orders.escalated_at,
    orders.escalated_at AT TIME ZONE cities.shown_timezone AS escalated_local,
    orders.search_started_at,
    orders.search_started_at AT TIME ZONE cities.shown_timezone AS search_started_local,
    -- With one for which there was nobody yet, as it is listed too.
    greatest(orders.last_round, (
        SELECT max(round_number) FROM dispatch_rounds
        WHERE order_id = orders.id AND dispatch_rounds.search_started_at = orders.search_started_at)) AS last_round,
    waking.at AS deferred_until,
    waking.at AT TIME ZONE cities.shown_timezone AS deferred_local,
    claimer.id AS claimed_by_id,
    claimer.full_name AS claimed_by,
    claimer.id = who.staff_id AS claimed_by_reader,
    orders.claimed_at,
    orders.claimed_at AT TIME ZONE cities.shown_timezone AS claimed_local,
    EXISTS (
        SELECT FROM offers
        WHERE offers.order_id = orders.id AND state IN ('SENT', 'VIEWED') AND expires_at > moment.now) AS is_offered,
    -- As the rounds see it: an order that was assigned since is in another search.
    EXISTS (SELECT FROM offers WHERE offers.order_id = orders.id AND sent_at >= orders.search_started_at)
        AND NOT EXISTS (
            SELECT FROM distribution_metrics
            WHERE order_id = orders.id AND assigned_at >= orders.search_started_at) AS was_offered,
    coalesce(orders.status IN ('CLOSED', 'CANCELED') AND (
        SELECT created_at FROM order_status_history WHERE order_id = orders.id ORDER BY id DESC LIMIT 1
    ) > moment.now - interval '1 day', false) AS ended_lately
FROM staff_right($1, $2) AS who
CROSS JOIN (SELECT coalesce($4, now()) AS now) AS moment
JOIN orders ON orders.id = $3 AND orders.city_id = ANY (who.cities)
JOIN cities ON cities.id = orders.city_id
LEFT JOIN (SELECT workday_start, workday_end FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
CROSS JOIN LATERAL (SELECT orders.created_at AT TIME ZONE cities.shown_timezone AS created) AS local
-- When it wakes, by the same rule as in wake.sql.
CROSS JOIN LATERAL (
    SELECT CASE WHEN orders.status = 'DEFERRED' THEN nullif(coalesce(orders.deferred_until, (
        CASE
            WHEN local.created::time < policy.workday_start THEN local.created::date + policy.workday_start
            WHEN local.created::time < policy.workday_end THEN local.created
            ELSE local.created::date + 1 + policy.workday_start
        END) AT TIME ZONE cities.shown_timezone), 'infinity') END AS at) AS waking
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN masters AS master ON master.id = orders.assigned_master_id
LEFT JOIN masters AS preferred ON preferred.id = orders.preferred_master_id
LEFT JOIN staff AS creator ON creator.id = orders.created_by_staff_id
LEFT JOIN staff AS claimer ON claimer.id = orders.claimed_by_staff_id
