-- $1 order, $2 staff or null, $3 the person's Telegram user or null, $4 now or null, $5 bot, $6 update or null
SELECT
    who.staff_id,
    who.acts,
    orders.id,
    orders.status,
    orders.version,
    orders.revision,
    orders.city_id,
    orders.district_id,
    orders.category,
    orders.preferred_master_id,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    orders.description,
    orders.comment,
    orders.client_name,
    orders.client_phone,
    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    orders.soon,
    orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free,
    moment.now AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc,
    orders.final_amount::text AS final_amount,
    orders.assigned_master_id,
    master.full_name AS master_name,
    orders.claimed_by_staff_id,
    claimant.full_name AS claimant_name,
    policy.workday_start,
    policy.workday_end,
    search.goes_on,
    (SELECT count(*) FROM offers
     WHERE order_id = orders.id AND state IN ('SENT', 'VIEWED') AND expires_at > moment.now) AS live_offers,
    search.goes_on AND EXISTS (
        SELECT FROM offers WHERE order_id = orders.id AND sent_at >= orders.search_started_at
    ) AS was_offered,
    coalesce(orders.status IN ('CLOSED', 'CANCELED') AND change.created_at > moment.now - interval '1 day', false) AS ended_lately,
    last.status AS last_status,
    last.field AS last_field,
    last.at AT TIME ZONE cities.shown_timezone AS last_at,
    last.by_staff AS last_by_staff,
    last_staff.full_name AS last_staff_name,
    last_master.full_name AS last_master_name,
    -- Each row of the history is one version; what a master reports of his way leaves the order his.
    orders.version - (
        SELECT count(*) FROM order_status_history AS step
        WHERE step.order_id = orders.id AND step.id > (
            SELECT max(id) FROM order_status_history
            WHERE order_id = orders.id AND to_status NOT IN ('EN_ROUTE', 'WORKING', 'PAYMENT'))
    )::integer AS with_master_since,
    (SELECT outcome FROM processed_updates WHERE bot = $5 AND update_key = $6) AS processed
FROM staff_right($2, $3) AS who
CROSS JOIN (SELECT coalesce($4, now()) AS now) AS moment
JOIN orders ON orders.id = $1 AND orders.city_id = ANY (who.cities)
JOIN cities ON cities.id = orders.city_id
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN masters AS master ON master.id = orders.assigned_master_id
LEFT JOIN staff AS claimant ON claimant.id = orders.claimed_by_staff_id
LEFT JOIN (SELECT workday_start, workday_end FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy ON true
CROSS JOIN LATERAL (
    -- As the rounds see it: an order that was assigned since has gone back to the search, and that is another one.
    SELECT orders.search_started_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM distribution_metrics
        WHERE order_id = orders.id AND assigned_at >= orders.search_started_at
    ) AS goes_on
) AS search
LEFT JOIN LATERAL (
    SELECT to_status, changed_by_staff_id, changed_by_master_id, created_at
    FROM order_status_history WHERE order_id = orders.id ORDER BY id DESC LIMIT 1
) AS change ON true
LEFT JOIN LATERAL (
    SELECT field, changed_by_staff_id, changed_by_master_id, created_at
    FROM order_edits WHERE order_id = orders.id ORDER BY id DESC LIMIT 1
) AS edit ON true
LEFT JOIN LATERAL (
    SELECT change.to_status AS status, NULL AS field, change.created_at AS at,
           change.changed_by_staff_id AS by_staff, change.changed_by_master_id AS by_master
    WHERE change.created_at IS NOT NULL AND (edit.created_at <= change.created_at) IS NOT FALSE
    UNION ALL
    SELECT NULL, edit.field, edit.created_at, edit.changed_by_staff_id, edit.changed_by_master_id
    WHERE edit.created_at IS NOT NULL AND (edit.created_at <= change.created_at) IS NOT TRUE
) AS last ON true
LEFT JOIN staff AS last_staff ON last_staff.id = last.by_staff
LEFT JOIN masters AS last_master ON last_master.id = last.by_master
