-- $1 staff or null, $2 the staff's Telegram user or null, $3 page from 1, $4 cities a page
reader AS MATERIALIZED (
    SELECT who.cities FROM staff_right($1, $2) AS who
), counted AS (
    SELECT cities.id, cities.name, count(in_hand.city_id) AS orders
    FROM reader
    JOIN cities ON cities.id = ANY (reader.cities)
    LEFT JOIN orders_not_over AS in_hand ON in_hand.city_id = cities.id
    GROUP BY cities.id
), numbered AS (
    SELECT counted.*, row_number() OVER (ORDER BY name, id) AS position, count(*) OVER () AS total FROM counted
)
SELECT numbered.total, (numbered.position - 1) / $4 + 1 AS page, numbered.id, numbered.name, numbered.orders
FROM reader
-- A page past the end is the last one.
LEFT JOIN numbered ON (numbered.position - 1) / $4 = least($3 - 1, (numbered.total - 1) / $4)
ORDER BY numbered.position
