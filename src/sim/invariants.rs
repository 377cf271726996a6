//! What must be true of the database at every moment, as queries that find what is not.

use tokio_postgres::Client;

/// Each invariant, with the number of the promise that it is part of, and a query for its violations, each of them one text.
///
/// 1: one accepted offer, its master's. 2: the limit. 3: version and history. 4: live offers. 5: metrics. 7: messages. 10: nobody
/// holds others up.
pub const INVARIANTS: [(u8, &str, &str); 9] = [
    (
        1,
        "an order has at most one accepted offer, and it is its master's",
        "SELECT format('order %s has %s accepted offers, masters %s, assigned to %s', orders.id, count(*),
                       string_agg(offers.master_id::text, ','), orders.assigned_master_id)
         FROM orders JOIN offers ON offers.order_id = orders.id AND offers.state = 'ACCEPTED'
         GROUP BY orders.id
         HAVING count(*) > 1 OR bool_or(offers.master_id IS DISTINCT FROM orders.assigned_master_id)",
    ),
    (
        2,
        "no master has taken more orders than the limit",
        "SELECT format('master %s has %s active orders taken by acceptance or by the system, limit %s',
                       masters.id, count(*),
                       coalesce(masters.max_active_orders, policy.max_active_orders))
         FROM masters
         CROSS JOIN (SELECT max_active_orders FROM dispatch_policies ORDER BY id DESC LIMIT 1) AS policy
         JOIN orders ON orders.assigned_master_id = masters.id
                    AND orders.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
         WHERE EXISTS (SELECT FROM order_status_history AS history
                       WHERE history.order_id = orders.id AND history.to_status = 'ASSIGNED'
                         AND history.actor_type IN ('MASTER', 'AUTO_DISTRIBUTION'))
           -- Staff may open an order again, knowingly.
           AND NOT EXISTS (SELECT FROM order_status_history AS reopened
                           WHERE reopened.order_id = orders.id AND reopened.from_status = 'CLOSED')
         GROUP BY masters.id, policy.max_active_orders
         HAVING count(*) > coalesce(masters.max_active_orders, policy.max_active_orders)",
    ),
    (
        3,
        "an order's history is a chain that ends in its status",
        "SELECT format('order %s: %s after %s', order_id, from_status, previous)
         FROM (SELECT order_id, from_status,
                      lag(to_status) OVER (PARTITION BY order_id ORDER BY id) AS previous
               FROM order_status_history) AS chain
         WHERE previous IS NOT NULL AND from_status IS DISTINCT FROM previous
         UNION ALL
         SELECT format('order %s is %s but its history ends in %s', orders.id, status, history.to_status)
         FROM orders
         JOIN LATERAL (SELECT to_status FROM order_status_history WHERE order_id = orders.id
                       ORDER BY id DESC LIMIT 1) AS history ON true
         WHERE history.to_status <> status",
    ),
    (
        3,
        "the version has grown by one for every row of the history",
        "SELECT format('order %s has version %s and %s changes', orders.id, version, changes)
         FROM orders
         CROSS JOIN LATERAL (SELECT count(*) AS changes FROM order_status_history WHERE order_id = orders.id) AS history
         WHERE version <> 1 + changes",
    ),
    (
        4,
        "no live offer is on an assigned or final order",
        "SELECT format('offer %s is %s on order %s, which is %s', offers.id, state, orders.id, status)
         FROM offers JOIN orders ON orders.id = offers.order_id
         WHERE state IN ('SENT', 'VIEWED') AND status NOT IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED')",
    ),
    (
        5,
        "every assignment has its metrics row",
        "SELECT format('order %s was assigned %s times and has %s metrics rows', orders.id, assignments, rows)
         FROM orders
         CROSS JOIN LATERAL (SELECT count(*) AS assignments FROM order_status_history
                             WHERE order_id = orders.id AND to_status = 'ASSIGNED') AS history
         CROSS JOIN LATERAL (SELECT count(*) AS rows FROM distribution_metrics WHERE order_id = orders.id) AS metrics
         WHERE assignments <> rows",
    ),
    (
        7,
        "every offer of a round was announced",
        "SELECT format('offer %s of order %s has no message', offers.id, offers.order_id)
         FROM offers
         JOIN dispatch_rounds AS round USING (order_id, round_number)
         WHERE offers.sent_at = round.created_at
           AND NOT EXISTS (SELECT FROM outbox WHERE offer_id = offers.id AND kind = 'OFFER')",
    ),
    (
        7,
        "an order given by staff or the system, or one that was taken away, was told to its master",
        "SELECT format('order %s: %s messages, %s changes', order_id, messages, changes)
         FROM (SELECT order_id, count(*) AS changes FROM order_status_history
               WHERE actor_type <> 'MASTER'
                 AND (to_status = 'ASSIGNED' AND context ? 'master_id'
                      OR to_status IN ('SEARCHING', 'GUARANTEE', 'CANCELED') AND context ? 'master_id')
               GROUP BY order_id) AS history
         CROSS JOIN LATERAL (SELECT count(*) AS messages FROM outbox
                             WHERE outbox.order_id = history.order_id AND kind IN ('ASSIGNED', 'CANCELED')) AS outbox
         WHERE messages < changes",
    ),
    (
        10,
        "no transaction was left open",
        "SELECT format('session %s has been idle in transaction since %s', pid, state_change)
         FROM pg_stat_activity
         WHERE datname = current_database() AND state LIKE 'idle in transaction%'
           AND state_change < now() - interval '2 seconds'",
    ),
];

/// How many invariants there are.
pub const COUNT: usize = INVARIANTS.len();

/// Looks for violations; each says which invariant and what was found.
///
/// # Errors
/// When a query fails.
pub async fn violations(client: &Client) -> Result<Vec<String>, tokio_postgres::Error> {
    let mut violations = Vec::new();
    for (_, invariant, query) in INVARIANTS {
        for row in client.query(query, &[]).await? {
            violations.push(format!("NOT {invariant}: {}", row.get::<_, String>(0)));
        }
    }
    Ok(violations)
}
