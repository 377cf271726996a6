-- Two cities, masters in turn in each, and who works in their office. The last two masters have a trade of their own and are
-- asked by nothing but the last orders. $masters stands for the number of the others.
INSERT INTO cities (id, name, timezone) VALUES (1, 'Firsttown', 'Asia/Yekaterinburg'), (2, 'Secondtown', 'Europe/Kaliningrad');

INSERT INTO masters (id, telegram_user_id, full_name, phone, city_id, rating, max_active_orders)
SELECT number, 5000 + number, format('Master %s', number), format('+7999%s', lpad(number::text, 7, '0')), 1 + number % 2, 4.5,
       CASE WHEN number % 4 = 0 THEN 1 WHEN number % 4 = 1 THEN 2 END
FROM generate_series(1, $masters + 2) AS number;

INSERT INTO master_categories (master_id, category)
SELECT id, category FROM masters CROSS JOIN unnest(ARRAY['PLUMBING', 'ELECTRICS']) AS category WHERE id <= $masters
UNION ALL
SELECT id, 'WINDOWS' FROM masters WHERE id > $masters;

INSERT INTO staff (id, telegram_user_id, full_name, role) VALUES
    (1, 9001, 'Admin', 'ADMIN'),
    (2, 9002, 'Dispatcher of all', 'DISPATCHER'),
    (3, 9003, 'Dispatcher of the first', 'DISPATCHER'),
    (4, 9004, 'Dispatcher of the second', 'DISPATCHER'),
    (5, 9005, 'Viewer of the first', 'VIEWER'),
    (6, 9006, 'Foreman', 'ADMIN');
INSERT INTO staff_cities (staff_id, city_id) VALUES (3, 1), (4, 2), (5, 1);
SELECT setval(pg_get_serial_sequence('staff', 'id'), 100);

-- In a hurry, so that minutes see what otherwise takes a day.
INSERT INTO dispatch_policies (offer_ttl_seconds, preferred_ttl_seconds, first_masters, widen_every_seconds, widen_by,
                               max_live_offers, max_active_orders, escalate_after_seconds, keep_finished_days)
VALUES (25, 10, 3, 5, 1, 6, 4, 60, 8);
