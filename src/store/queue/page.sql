-- $1 staff or null, $2 the staff's Telegram user or null, $3 page from 1, $4 orders a page, $5 now or null,
-- $6 whether it is narrowed to what follows, and not as its reader keeps it: $7 trade or null, $8 state or null, $9 day or null,
-- $10 city or null, $11 master or null
reader AS MATERIALIZED (
    SELECT who.staff_id, seen.cities, moment.now, narrowed.category, narrowed.state, narrowed.day,
           -- What is not the reader's any more narrows nothing.
           cities.id AS city_id, cities.name AS city, masters.id AS master_id, masters.full_name AS master
    FROM staff_right($1, $2) AS who
    CROSS JOIN (SELECT coalesce($5, now()) AS now) AS moment
    LEFT JOIN staff_queues AS kept ON kept.staff_id = who.staff_id AND NOT $6
    CROSS JOIN LATERAL (
        SELECT CASE WHEN $6 THEN $7 ELSE kept.category END AS category, CASE WHEN $6 THEN $8 ELSE kept.state END AS state,
               CASE WHEN $6 THEN $9 ELSE kept.day END AS day, CASE WHEN $6 THEN $10 ELSE kept.city_id END AS city_id,
               CASE WHEN $6 THEN $11 ELSE kept.master_id END AS master_id) AS narrowed
    LEFT JOIN cities ON cities.id = narrowed.city_id AND cities.id = ANY (who.cities)
    LEFT JOIN masters ON masters.id = narrowed.master_id AND masters.city_id = ANY (who.cities)
    -- What was asked for and is not the reader's is nothing.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN $6 AND (cities.id IS NULL AND $10 IS NOT NULL OR masters.id IS NULL AND $11 IS NOT NULL) THEN '{}'
                    ELSE who.cities END AS cities) AS seen
), places AS MATERIALIZED (
    SELECT cities.id, shown.day::timestamp AT TIME ZONE cities.shown_timezone AS day_begins,
           (shown.day + 1)::timestamp AT TIME ZONE cities.shown_timezone AS day_ends
    FROM reader
    JOIN cities ON cities.id = ANY (reader.cities) AND cities.id = coalesce(reader.city_id, cities.id)
    CROSS JOIN LATERAL (
        SELECT coalesce(reader.day, (reader.now AT TIME ZONE cities.shown_timezone)::date) AS day) AS shown
), not_over AS MATERIALIZED (
    SELECT orders.*
    FROM reader
    JOIN orders_not_over AS orders ON orders.city_id = ANY (reader.cities)
    WHERE orders.category = coalesce(reader.category, orders.category)
      AND (reader.master_id IS NULL OR orders.assigned_master_id = reader.master_id)
), in_hand AS MATERIALIZED (
    SELECT
        orders.id,
        orders.status,
        orders.created_at AS since,
        orders.escalated_at IS NOT NULL AND orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AS escalated,
        orders.status <> 'WORKING' AND orders.status <> 'PAYMENT'
            AND coalesce(orders.timeslot_end, orders.timeslot_start) <= reader.now AS late,
        -- Before its first round, since it was made or came back.
        orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE')
            AND coalesce(orders.search_started_at, orders.updated_at)
                <= reader.now - make_interval(secs => coalesce(policy.escalate_after_seconds, 600)) AS waiting,
        orders.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT') AND masters.unreachable_since IS NOT NULL AS unreachable,
        orders.status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AND (
            -- Half of the time to answer has gone, and nobody has opened it.
            SELECT bool_and(state = 'SENT' AND sent_at
                + (least(expires_at, sent_at + interval '10 minutes') - sent_at) / 2 <= reader.now)
            FROM offers
            WHERE offers.order_id = orders.id AND state IN ('SENT', 'VIEWED') AND expires_at > reader.now) AS unseen
    FROM reader
    CROSS JOIN not_over AS orders
    JOIN places ON places.id = orders.city_id
    -- A policy that is not there is the default one.
    LEFT JOIN dispatch_policies AS policy ON policy.id = coalesce(orders.policy_id, (SELECT max(id) FROM dispatch_policies))
    LEFT JOIN masters ON masters.id = orders.assigned_master_id
    WHERE (reader.day IS NULL
           OR coalesce(orders.timeslot_start, orders.timeslot_end, orders.created_at) >= places.day_begins
              AND coalesce(orders.timeslot_start, orders.timeslot_end, orders.created_at) < places.day_ends)
), days AS MATERIALIZED (
    -- One look at the days of all cities.
    SELECT orders.id, orders.city_id, orders.status, orders.updated_at
    FROM reader
    CROSS JOIN (SELECT min(day_begins) AS begins, max(day_ends) AS ends FROM places) AS span
    JOIN orders ON orders.status IN ('CLOSED', 'CANCELED') AND orders.updated_at >= span.begins AND orders.updated_at < span.ends
    WHERE orders.city_id = ANY (reader.cities)
      AND orders.category = coalesce(reader.category, orders.category)
      AND (reader.master_id IS NULL OR orders.assigned_master_id = reader.master_id)
), ended AS MATERIALIZED (
    SELECT days.id, days.status, days.updated_at AS since
    FROM days
    JOIN places ON places.id = days.city_id AND days.updated_at >= places.day_begins AND days.updated_at < places.day_ends
), ranked AS MATERIALIZED (
    SELECT id, status, since, escalated, late, waiting, unreachable, unseen,
           CASE WHEN escalated THEN 1 WHEN late THEN 2 WHEN waiting THEN 3 WHEN unreachable THEN 4 WHEN unseen THEN 5 END AS urgency,
           extract(epoch FROM since)::float8 AS age
    FROM in_hand
    UNION ALL
    -- What is over, the last first.
    SELECT id, status, since, false, false, false, false, false, NULL, -extract(epoch FROM since)::float8
    FROM ended
), counted AS (
    SELECT status, count(*) FROM ranked GROUP BY status
), matching AS (
    SELECT ranked.*,
           row_number() OVER (ORDER BY urgency, age, ranked.id) AS position,
           count(*) OVER () AS total
    FROM ranked
    CROSS JOIN reader
    WHERE CASE reader.state
        WHEN 'URGENT' THEN urgency IS NOT NULL
        WHEN 'SEARCHING' THEN status IN ('CREATED', 'SEARCHING', 'GUARANTEE')
        ELSE CASE WHEN reader.state IS NULL THEN status NOT IN ('CLOSED', 'CANCELED') ELSE status = reader.state END
    END
), page AS MATERIALIZED (
    -- A page past the end is the last one.
    SELECT * FROM matching WHERE (position - 1) / $4 = least($3 - 1, (total - 1) / $4)
)
SELECT
    cardinality(reader.cities) > 1 AS several_cities,
    reader.city AS only_city,
    reader.category AS only_category,
    reader.state AS only_state,
    reader.master AS only_master,
    reader.day AS only_day,
    -- By the clock of the city that is shown alone, else of the first: near midnight another's day may be another one.
    reader.now AT TIME ZONE coalesce(
        (SELECT shown_timezone FROM cities WHERE cities.id = coalesce(reader.city_id, reader.cities[1])), 'UTC') AS reader_now,
    ARRAY (SELECT status FROM counted ORDER BY status) AS counted_statuses,
    ARRAY (SELECT count FROM counted ORDER BY status) AS counts,
    (SELECT count(*) FROM ranked WHERE urgency IS NOT NULL) AS urgent,
    page.total,
    (page.position - 1) / $4 + 1 AS page,
    page.escalated,
    page.late,
    page.waiting,
    page.unreachable,
    page.unseen,
    orders.escalation_reason,
    orders.escalated_at AS escalated_since,
    orders.escalated_at AT TIME ZONE cities.shown_timezone AS escalated_local,
    coalesce(orders.search_started_at, orders.updated_at) AS waiting_since,
    coalesce(orders.search_started_at, orders.updated_at) AT TIME ZONE cities.shown_timezone AS waiting_local,
    orders.id,
    orders.status,
    orders.category,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    NULL AS description,
    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    orders.soon,
    orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free,
    reader.now AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc,
    orders.created_at,
    orders.created_at AT TIME ZONE cities.shown_timezone AS created_local,
    masters.full_name AS master,
    claimer.full_name AS claimed_by,
    live.offered,
    live.seen
FROM reader
LEFT JOIN page ON true
LEFT JOIN orders ON orders.id = page.id
LEFT JOIN cities ON cities.id = orders.city_id
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN masters ON masters.id = orders.assigned_master_id
LEFT JOIN staff AS claimer ON claimer.id = orders.claimed_by_staff_id
LEFT JOIN LATERAL (
    SELECT count(*) AS offered, count(*) FILTER (WHERE state = 'VIEWED') AS seen
    FROM offers
    WHERE offers.order_id = orders.id AND state IN ('SENT', 'VIEWED') AND expires_at > reader.now
) AS live ON true
ORDER BY page.position
