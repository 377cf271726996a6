-- For each search: $1 order, $2 when it began, $3 when it ended; $4 until: its offers, in the order in which they were made.
SELECT offers.order_id, offers.master_id, offers.state,
       offers.responded_tap IS NOT NULL AS took,
       greatest(0, extract(epoch FROM coalesce(offers.responded_at, $4) - offers.sent_at))::float8 AS seconds
FROM unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) AS search (order_id, began_at, ended_at)
JOIN offers ON offers.order_id = search.order_id
    AND offers.sent_at BETWEEN search.began_at - interval '1 second' AND search.ended_at
ORDER BY offers.id
