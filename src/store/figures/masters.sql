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
), line AS MATERIALIZED (
    SELECT masters.id, masters.full_name, coalesce(asked, 0) AS asked, coalesce(took, 0) AS took,
           coalesce(declined, 0) AS declined, coalesce(let_pass, 0) AS let_pass, coalesce(closed, 0) AS closed,
           coalesce(rubles, 0) AS rubles, answers
    FROM counted
    FULL JOIN finished USING (master_id)
    JOIN masters ON masters.id = master_id
), page AS (
    SELECT total, least(greatest($6::bigint, 1), greatest((total + $7 - 1) / $7, 1)) AS page
    FROM (SELECT count(*) AS total FROM line) AS lines
)
SELECT page.page, page.total, shown.full_name AS name, shown.asked, shown.took, shown.declined, shown.let_pass,
       shown.closed, shown.rubles,
       (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds) FROM unnest(shown.answers) AS seconds) AS seconds
FROM page
LEFT JOIN LATERAL (
    SELECT * FROM line ORDER BY took DESC, closed DESC, asked DESC, full_name, id LIMIT $7 OFFSET (page.page - 1) * $7
) AS shown ON true
ORDER BY shown.took DESC, shown.closed DESC, shown.asked DESC, shown.full_name, shown.id
