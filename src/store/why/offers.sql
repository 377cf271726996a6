-- $1 city, $2 and $5 the first moment that is asked about and the last, $3 the trade, $4 the preferred master, $6 all of those
-- moments: the offers that masters had in between.
SELECT
    offers.master_id,
    offers.order_id,
    offers.sent_at,
    offers.responded_at AS ended_at,
    CASE WHEN offers.sent_at = ANY ($6::timestamptz[]) THEN (
        SELECT turn FROM dispatch_rounds AS wave
        WHERE wave.order_id = offers.order_id AND wave.created_at = offers.sent_at
        LIMIT 1
    ) END AS turn
FROM known
CROSS JOIN LATERAL (
    SELECT * FROM offers
    WHERE master_id = known.id AND sent_at > $2 - interval '1 day' AND sent_at <= $5
      AND (sent_at >= $2 OR responded_at > $2 OR responded_at IS NULL)
    UNION ALL
    SELECT * FROM offers WHERE master_id = known.id AND state IN ('SENT', 'VIEWED') AND sent_at <= $2 - interval '1 day'
) AS offers
WHERE known.counts
