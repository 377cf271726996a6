-- $1 orders
WITH orders AS MATERIALIZED (
    SELECT id FROM orders WHERE id = ANY ($1) ORDER BY id FOR UPDATE SKIP LOCKED
), free_offers AS MATERIALIZED (
    SELECT id, order_id FROM offers WHERE order_id IN (SELECT id FROM orders) FOR UPDATE SKIP LOCKED
), free_cards AS MATERIALIZED (
    SELECT order_id
    FROM cards JOIN free_offers ON free_offers.id = cards.offer_id
    FOR UPDATE OF cards SKIP LOCKED
), free_history AS MATERIALIZED (
    SELECT order_id FROM order_status_history WHERE order_id IN (SELECT id FROM orders) FOR UPDATE SKIP LOCKED
), free_metrics AS MATERIALIZED (
    SELECT order_id FROM distribution_metrics WHERE order_id IN (SELECT id FROM orders) FOR UPDATE SKIP LOCKED
), free_rounds AS MATERIALIZED (
    SELECT order_id FROM dispatch_rounds WHERE order_id IN (SELECT id FROM orders) FOR UPDATE SKIP LOCKED
), free_edits AS MATERIALIZED (
    SELECT order_id FROM order_edits WHERE order_id IN (SELECT id FROM orders) FOR UPDATE SKIP LOCKED
), parts AS (
    -- What there is counts for one, what could be locked against it.
    SELECT order_id, 1 AS count FROM offers WHERE order_id IN (SELECT id FROM orders)
    UNION ALL
    SELECT order_id, -1 FROM free_offers
    UNION ALL
    SELECT order_id, 1 FROM cards JOIN offers ON offers.id = cards.offer_id WHERE order_id IN (SELECT id FROM orders)
    UNION ALL
    SELECT order_id, -1 FROM free_cards
    UNION ALL
    SELECT order_id, 1 FROM order_status_history WHERE order_id IN (SELECT id FROM orders)
    UNION ALL
    SELECT order_id, -1 FROM free_history
    UNION ALL
    SELECT order_id, 1 FROM distribution_metrics WHERE order_id IN (SELECT id FROM orders)
    UNION ALL
    SELECT order_id, -1 FROM free_metrics
    UNION ALL
    SELECT order_id, 1 FROM dispatch_rounds WHERE order_id IN (SELECT id FROM orders)
    UNION ALL
    SELECT order_id, -1 FROM free_rounds
    UNION ALL
    SELECT order_id, 1 FROM order_edits WHERE order_id IN (SELECT id FROM orders)
    UNION ALL
    SELECT order_id, -1 FROM free_edits
)
SELECT id FROM orders
WHERE id NOT IN (SELECT order_id FROM parts GROUP BY order_id HAVING sum(count) > 0)
