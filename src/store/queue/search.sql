-- $1 staff or null, $2 the staff's Telegram user or null, $3 page from 1, $4 orders a page, $5 now or null; $6 an order's number
-- or null; $7 and $8 parts of a phone, as patterns, or null; $9, $10 and $11 the three longest words, as patterns, or null, and $12
-- all of them; $13 how many orders are looked at: the newest
WITH reader AS MATERIALIZED (
    SELECT who.staff_id, who.cities, coalesce($5, now()) AS now,
           search_words($9) AS longest, search_words($10) AS second, search_words($11) AS third,
           ARRAY (SELECT search_words(word) FROM unnest($12::text[]) AS word) AS words
    FROM staff_right($1, $2) AS who
), recent AS MATERIALIZED (
    -- What is in many orders is in enough of the newest: then the rest need not be looked at.
    SELECT order_id
    FROM reader
    CROSS JOIN (SELECT * FROM order_search ORDER BY order_id DESC LIMIT 20000) AS search
    WHERE search.city_id = ANY (reader.cities)
      AND (search.phone LIKE $7 OR search.phone LIKE $8
           OR search.words LIKE reader.longest AND search.words LIKE ALL (reader.words))
    ORDER BY order_id DESC
    LIMIT $13
), found AS (
    SELECT orders.id AS order_id, true AS by_number
    FROM reader
    JOIN orders ON orders.id = $6 AND orders.city_id = ANY (reader.cities)
    UNION ALL
    SELECT order_id, false FROM recent
    UNION ALL
    (SELECT order_id, false
     FROM (
         SELECT order_id
         FROM reader
         JOIN order_search AS search ON (search.phone LIKE $7 OR search.phone LIKE $8) AND search.city_id = ANY (reader.cities)
         WHERE (SELECT count(*) FROM recent) < $13
         -- By the index, and not by the numbers backwards.
         OFFSET 0
     ) AS by_phone
     ORDER BY order_id DESC
     LIMIT $13)
    UNION ALL
    (SELECT order_id, false
     FROM (
         SELECT order_id
         FROM reader
         -- The index looks for three words: the rarest of a street, a house and a name is seldom the longest.
         JOIN order_search AS search ON search.words LIKE reader.longest AND search.words LIKE reader.second
                                    AND search.words LIKE reader.third AND search.words LIKE ALL (reader.words)
                                    AND search.city_id = ANY (reader.cities)
         WHERE (SELECT count(*) FROM recent) < $13
         OFFSET 0
     ) AS by_words
     ORDER BY order_id DESC
     LIMIT $13)
), known AS (
    SELECT order_id, bool_or(by_number) AS by_number FROM found GROUP BY order_id
), matching AS (
    -- The number itself, then what is in hand, then the newest.
    SELECT order_id,
           row_number() OVER (
               ORDER BY by_number DESC, orders.status IN ('CLOSED', 'CANCELED'), order_id DESC) AS position,
           count(*) OVER () AS total
    FROM known
    JOIN orders ON orders.id = known.order_id
    CROSS JOIN reader
    -- The search's row may be older than the order's city.
    WHERE orders.city_id = ANY (reader.cities)
), page AS MATERIALIZED (
    -- A page past the end is the last one.
    SELECT * FROM matching WHERE (position - 1) / $4 = least($3 - 1, (total - 1) / $4)
)
SELECT
    page.total,
    (page.position - 1) / $4 + 1 AS page,
    orders.id,
    orders.status,
    orders.category,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    NULL AS description,
    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    orders.soon,
    orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free,
    reader.now AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc,
    orders.created_at,
    orders.created_at AT TIME ZONE cities.shown_timezone AS created_local,
    masters.full_name AS master,
    claimer.full_name AS claimed_by,
    0::bigint AS offered,
    0::bigint AS seen,
    orders.client_name,
    orders.client_phone
FROM reader
LEFT JOIN page ON true
LEFT JOIN orders ON orders.id = page.order_id AND orders.city_id = ANY (reader.cities)
LEFT JOIN cities ON cities.id = orders.city_id
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN masters ON masters.id = orders.assigned_master_id
LEFT JOIN staff AS claimer ON claimer.id = orders.claimed_by_staff_id
ORDER BY page.position
