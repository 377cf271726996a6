-- $1 token, $2 its hash: what a reader of the queue would see changed. Nothing that only time brings about: whoever
-- compares looks again after a while all the same.
who AS MATERIALIZED (
    SELECT staff_right.*
    FROM access_tokens AS token
    CROSS JOIN LATERAL staff_right(token.staff_id, NULL)
    WHERE token.id = $1 AND token.secret_hash = $2
), not_over AS MATERIALIZED (
    SELECT orders.id, orders.version, orders.revision, orders.claimed_by_staff_id, orders.escalated_at
    FROM who
    JOIN orders_not_over AS orders ON orders.city_id = ANY (who.cities)
)
SELECT concat_ws(
    '.',
    array_to_string(who.cities, '-'),
    (SELECT concat_ws('-', count(*), sum(hashtextextended(
         concat_ws(' ', id, version, revision, claimed_by_staff_id, escalated_at), 0)::numeric)) FROM not_over),
    (SELECT concat_ws('-', count(*), sum(hashtextextended(concat_ws(' ', offers.id, offers.state), 0)::numeric))
     FROM offers WHERE state IN ('SENT', 'VIEWED')),
    -- What is over moves only by being over, or by coming back.
    (SELECT max(updated_at) FROM orders WHERE status IN ('CLOSED', 'CANCELED')),
    (SELECT max(id) FROM master_changes),
    (SELECT max(id) FROM dispatch_policies)) AS stamp
FROM who
