-- Two cities in different time zones, a dozen masters, a dispatcher, and thirty orders: six at once, then one after
-- another; those after them are the simulated city's. Who is asked is the system's business.
INSERT INTO cities (id, name, timezone) VALUES
    (1, 'Екатеринбург', 'Asia/Yekaterinburg'),
    (2, 'Калининград', 'Europe/Kaliningrad');

INSERT INTO districts (id, city_id, name) VALUES
    (1, 1, 'Академический'), (2, 1, 'Уралмаш'), (3, 1, 'Центр'),
    (4, 2, 'Амалиенау'), (5, 2, 'Сельма');

INSERT INTO masters (id, telegram_user_id, full_name, phone, city_id, rating, max_active_orders) VALUES
    (1, 5001, 'Андрей Кузнецов', '+79120000001', 1, 4.90, NULL),
    (2, 5002, 'Борис Шмаков', '+79120000002', 1, 4.70, NULL),
    (3, 5003, 'Виктор Лаптев', '+79120000003', 1, 4.95, NULL),
    (4, 5004, 'Галина Орлова', '+79120000004', 1, 5.00, NULL),
    (5, 5005, 'Денис Пшеничный', '+79120000005', 1, 4.20, 2),
    (6, 5006, 'Ержан Абишев', '+79120000006', 1, 4.60, NULL),
    (7, 5007, 'Жанна Тропинина', '+79120000007', 1, 4.80, NULL),
    (8, 5008, 'Захар Милютин', '+79620000008', 2, 4.75, NULL),
    (9, 5009, 'Ирина Балтийская', '+79620000009', 2, 4.85, NULL),
    (10, 5010, 'Кирилл Янтарёв', '+79620000010', 2, 4.40, NULL),
    (11, 5011, 'Лев Прегольский', '+79620000011', 2, 4.65, NULL),
    (12, 5012, 'Марина Косая', '+79620000012', 2, 4.55, NULL);

-- An admin, to whom every screen is open.
INSERT INTO staff (id, telegram_user_id, full_name, role) VALUES (1, 5901, 'Софья Ларина', 'ADMIN');

-- It may run for weeks.
INSERT INTO dispatch_policies (keep_finished_days) VALUES (8);

INSERT INTO master_districts (master_id, district_id)
SELECT masters.id, districts.id FROM masters JOIN districts USING (city_id);

INSERT INTO master_categories (master_id, category)
SELECT masters.id, category
FROM masters, unnest(ARRAY['ELECTRICS', 'PLUMBING', 'APPLIANCES', 'WINDOWS', 'HANDYMAN', 'ROADSIDE'])
    WITH ORDINALITY AS trade (category, number)
WHERE (masters.id + number) % 3 <> 0
  -- Nobody tows cars in the second city: a dispatcher is needed for that.
  AND NOT (city_id = 2 AND category = 'ROADSIDE');

INSERT INTO orders (city_id, district_id, category, status, deferred_until, address, description, client_name,
                    client_phone, timeslot_start, timeslot_end)
SELECT
    districts.city_id, job.district_id, job.category,
    CASE WHEN job.number <= 6 THEN 'CREATED' ELSE 'DEFERRED' END,
    now() + (job.number - 6) * interval '15 seconds',
    job.address, job.description, job.client,
    format('+7999%s', lpad((1000000 + job.number * 7919)::text, 7, '0')),
    (tomorrow + make_interval(days => job.number::integer % 3, hours => 10 + job.number::integer * 2 % 10)) AT TIME ZONE timezone,
    (tomorrow + make_interval(days => job.number::integer % 3, hours => 12 + job.number::integer * 2 % 10)) AT TIME ZONE timezone
FROM (
    SELECT row_number() OVER () AS number, list.*
    FROM (VALUES
        (1, 'PLUMBING', 'ул. Краснолесья, 12, кв. 45', 'Течёт смеситель на кухне, вода капает в шкаф', 'Ольга'),
        (1, 'ELECTRICS', 'ул. Вильгельма де Геннина, 33, кв. 8', 'Выбивает автомат, когда включают духовку', 'Пётр Ильич'),
        (2, 'APPLIANCES', 'пр. Космонавтов, 50, кв. 112', 'Стиральная машина Bosch не сливает воду, ошибка E18', 'Светлана'),
        (3, 'HANDYMAN', 'ул. Малышева, 84, оф. 3', 'Повесить две полки и зеркало, стена — гипсокартон', 'ООО «Ромашка & Ко»'),
        (2, 'WINDOWS', 'ул. Победы, 14, кв. 3', 'Не закрывается створка, дует снизу', 'Нина Петровна'),
        (3, 'ROADSIDE', 'ул. 8 Марта, 46, парковка ТЦ', 'Сел аккумулятор, Lada Vesta, нужен «прикурить»', 'Артём'),
        (1, 'PLUMBING', 'ул. Рябинина, 29, кв. 17', 'Засор в ванной; вантуз не помогает', 'Юлия'),
        (2, 'ELECTRICS', 'ул. Бакинских Комиссаров, 97, кв. 60', 'Искрит розетка в детской', 'Мария'),
        (3, 'APPLIANCES', 'ул. Хохрякова, 72, кв. 9', 'Холодильник не морозит, компрессор гудит > 10 минут', 'Игорь'),
        (1, 'PLUMBING', 'ул. Павла Шаманова, 5, кв. 201', 'Подключить посудомоечную машину', 'Кристина'),
        (2, 'HANDYMAN', 'ул. Кировградская, 11, кв. 32', 'Собрать шкаф-купе, инструкция есть', 'Валентин'),
        (3, 'ELECTRICS', 'ул. Радищева, 25, кв. 77', 'Перенести выключатель на 40 см ниже', 'Дарья'),
        (2, 'PLUMBING', 'пр. Орджоникидзе, 3, кв. 14', 'Сорвало кран на стояке, воду перекрыли', 'Геннадий'),
        (1, 'WINDOWS', 'ул. Очеретина, 8, кв. 150', 'Заменить уплотнитель на трёх окнах', 'Алёна'),
        (3, 'APPLIANCES', 'ул. Белинского, 111, кв. 5', 'Духовка не греет <190°', 'Роман'),
        (1, 'ELECTRICS', 'ул. Мехренцева, 42, кв. 6', 'Повесить люстру, высота потолка 3 м', 'Инна'),
        (3, 'PLUMBING', 'ул. Шейнкмана, 30, кв. 88', 'Бачок унитаза не держит воду', 'Фёдор'),
        (2, 'ROADSIDE', 'ул. Машиностроителей, 19', 'Прокол колеса, запаски нет', 'Тимур'),
        (4, 'PLUMBING', 'ул. Кутузова, 21', 'Течёт труба под раковиной', 'Эльза Карловна'),
        (4, 'ELECTRICS', 'пр. Победы, 66, кв. 4', 'Нет света в половине квартиры', 'Станислав'),
        (5, 'APPLIANCES', 'ул. Гайдара, 120, кв. 31', 'Посудомойка не набирает воду', 'Анжела'),
        (5, 'HANDYMAN', 'ул. Согласия, 14, кв. 90', 'Починить дверцу кухонного шкафа', 'Борис'),
        (4, 'WINDOWS', 'ул. Брамса, 9, кв. 2', 'Разбито стекло в деревянной раме 60×90', 'Хелена'),
        (5, 'PLUMBING', 'ул. Челнокова, 52, кв. 18', 'Установить смеситель в душ', 'Виталий'),
        (5, 'ELECTRICS', 'ул. Елизаветинская, 7, кв. 40', 'Греется вилка электроплиты', 'Оксана'),
        (4, 'HANDYMAN', 'ул. Дмитрия Донского, 1', 'Захлопнулась дверь, ключи внутри', 'Леонид'),
        (5, 'APPLIANCES', 'ул. Артиллерийская, 63, кв. 12', 'Телевизор включается и сразу гаснет', 'Зоя'),
        (4, 'HANDYMAN', 'ул. Чапаева, 18, кв. 1', 'Заменить замок входной двери', 'Григорий'),
        (5, 'PLUMBING', 'ул. Левитана, 45, кв. 73', 'Гудят трубы, когда открывают горячую воду', 'Тамара'),
        (4, 'ELECTRICS', 'ул. Коммунальная, 10, кв. 5', 'Установить две розетки на балконе', 'Аркадий')
    ) AS list (district_id, category, address, description, client)
) AS job
JOIN districts ON districts.id = job.district_id
JOIN cities ON cities.id = districts.city_id
CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE timezone)::date + 1 AS tomorrow) AS calendar
ORDER BY job.number;

-- Numbers of rows added by hand start after these.
SELECT setval(pg_get_serial_sequence(name, 'id'), 1000) FROM unnest(ARRAY['cities', 'districts', 'masters', 'staff']) AS name;
