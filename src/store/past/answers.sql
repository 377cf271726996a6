-- $1 city, $2 since, $3 until, $4 at most per master: how its masters answered offers that are over, the last ones.
SELECT masters.id AS master_id, past.state, past.took, past.seconds
FROM masters
CROSS JOIN LATERAL (
    SELECT offers.state, offers.responded_tap IS NOT NULL AS took,
           greatest(0, extract(epoch FROM offers.responded_at - offers.sent_at))::float8 AS seconds
    FROM offers
    WHERE offers.master_id = masters.id AND offers.sent_at >= $2 AND offers.sent_at < $3
      AND offers.state NOT IN ('SENT', 'VIEWED') AND offers.responded_at IS NOT NULL
    ORDER BY offers.sent_at DESC
    LIMIT $4
) AS past
WHERE masters.city_id = $1
ORDER BY masters.id
