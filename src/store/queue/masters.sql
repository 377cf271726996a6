-- $1 staff or null, $2 the staff's Telegram user or null, $3 page from 1, $4 masters a page: those who have orders in hand
WITH reader AS MATERIALIZED (
    SELECT who.cities, cities.id AS city_id
    FROM staff_right($1, $2) AS who
    LEFT JOIN staff_queues AS kept ON kept.staff_id = who.staff_id
    LEFT JOIN cities ON cities.id = kept.city_id AND cities.id = ANY (who.cities)
), counted AS (
    SELECT masters.id, masters.full_name AS name, count(*) AS orders
    FROM reader
    JOIN orders ON orders.city_id = ANY (reader.cities) AND orders.city_id = coalesce(reader.city_id, orders.city_id)
               AND orders.status IN ('ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT')
    JOIN masters ON masters.id = orders.assigned_master_id AND masters.city_id = ANY (reader.cities)
    GROUP BY masters.id
), numbered AS (
    SELECT counted.*, row_number() OVER (ORDER BY name, id) AS position, count(*) OVER () AS total FROM counted
)
SELECT numbered.total, (numbered.position - 1) / $4 + 1 AS page, numbered.id, numbered.name, numbered.orders
FROM reader
-- A page past the end is the last one.
LEFT JOIN numbered ON (numbered.position - 1) / $4 = least($3 - 1, (numbered.total - 1) / $4)
ORDER BY numbered.position
