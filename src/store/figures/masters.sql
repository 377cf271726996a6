, counted AS (
    -- Offers are found by their orders, of which hardly any waits for days before it is offered.
    SELECT offers.master_id, count(*) AS asked, count(*) FILTER (WHERE took.took) AS took,
           count(*) FILTER (WHERE offers.state = 'DECLINED') AS declined,
           count(*) FILTER (WHERE offers.state = 'EXPIRED') AS let_pass,
           -- Sorted for those of the page alone.
           array_agg(greatest(0, extract(epoch FROM offers.responded_at - offers.sent_at))::bigint)
               FILTER (WHERE took.took OR offers.state = 'DECLINED') AS answers
    FROM place
    JOIN orders ON orders.city_id = place.city_id AND orders.created_at >= place.since - interval '3 days'
    JOIN offers ON offers.order_id = orders.id AND offers.sent_at >= place.since
    -- One that was given back is canceled, and was taken all the same.
    CROSS JOIN LATERAL (SELECT offers.state = 'ACCEPTED' OR offers.responded_tap IS NOT NULL AS took) AS took
    GROUP BY offers.master_id
), finished AS (
    SELECT assigned_master_id AS master_id, count(*) AS closed, coalesce(round(sum(final_amount)), 0)::bigint AS rubles
    FROM place
    JOIN orders ON status = 'CLOSED' AND orders.city_id = place.city_id AND orders.updated_at >= place.since
    WHERE assigned_master_id IS NOT NULL
    GROUP BY assigned_master_id
), present AS (
    -- Who was on shift, asked or not: is, or has left it since.
    SELECT masters.id AS master_id
    FROM place JOIN masters ON masters.city_id = place.city_id
    WHERE masters.on_shift OR (
        SELECT created_at FROM master_changes
        WHERE master_changes.master_id = masters.id AND what = 'SHIFT'
        ORDER BY id DESC
        LIMIT 1
    ) >= place.since
), line AS MATERIALIZED (
    SELECT masters.id, masters.city_id, masters.full_name, coalesce(asked, 0) AS asked, coalesce(took, 0) AS took,
           coalesce(declined, 0) AS declined, coalesce(let_pass, 0) AS let_pass, coalesce(closed, 0) AS closed,
           coalesce(rubles, 0) AS rubles, answers
    FROM counted
    FULL JOIN finished USING (master_id)
    FULL JOIN present USING (master_id)
    JOIN masters ON masters.id = master_id
), page AS (
    SELECT total, least(greatest($6::bigint, 1), greatest((total + $7 - 1) / $7, 1)) AS page
    FROM (SELECT count(*) AS total FROM line) AS lines
), shown AS MATERIALIZED (
    SELECT line.*
    FROM page CROSS JOIN LATERAL (
        SELECT * FROM line ORDER BY took DESC, closed DESC, asked DESC, full_name, id LIMIT $7 OFFSET (page.page - 1) * $7
    ) AS line
), passed_over AS (
    SELECT wave.passed_over_master_id AS master_id, max(wave.passed_over_seconds)::bigint AS seconds
    FROM place
    JOIN dispatch_rounds AS wave ON wave.city_id = place.city_id AND wave.created_at >= place.since
    WHERE wave.passed_over_seconds IS NOT NULL AND wave.passed_over_master_id = ANY (ARRAY (SELECT id FROM shown))
    GROUP BY wave.passed_over_master_id
)
SELECT page.page, page.total, shown.full_name AS name, shown.asked, shown.took, shown.declined, shown.let_pass,
       shown.closed, shown.rubles, passed_over.seconds AS passed_over, coalesce(shift.seconds, 0) AS on_shift,
       (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) FROM unnest(shown.answers) AS seconds) AS seconds
FROM page
LEFT JOIN shown ON true
LEFT JOIN passed_over ON passed_over.master_id = shown.id
-- Since when they were on shift, each time, and until when.
LEFT JOIN LATERAL (
    SELECT sum(greatest(0, extract(epoch FROM
               least(spell.until, moment.now) - greatest(spell.since, whole.since))))::bigint AS seconds
    FROM moment
    CROSS JOIN (SELECT coalesce((SELECT since FROM place WHERE city_id = shown.city_id), (SELECT min(since) FROM place)) AS since) AS whole
    CROSS JOIN LATERAL (
        SELECT change.is_on, change.at AS since, coalesce(lead(change.at) OVER (ORDER BY change.id), moment.now) AS until
        FROM (
            SELECT id, created_at AS at, to_value = 'on' AS is_on FROM master_changes
            WHERE master_id = shown.id AND what = 'SHIFT'
            UNION ALL
            -- Before the first change that is known of: as that says, or as today.
            SELECT 0, masters.created_at, coalesce((
                SELECT from_value = 'on' FROM master_changes
                WHERE master_id = shown.id AND what = 'SHIFT' ORDER BY id LIMIT 1), masters.on_shift)
            FROM masters WHERE masters.id = shown.id
        ) AS change
    ) AS spell
    WHERE spell.is_on AND spell.until > whole.since
) AS shift ON true
ORDER BY shown.took DESC, shown.closed DESC, shown.asked DESC, shown.full_name, shown.id
