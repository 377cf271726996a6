-- A city's orders, newest first, when there are a million of others'. Written when an order ends, not when it is made or taken.
CREATE INDEX IF NOT EXISTS orders_finished_by_city ON orders (city_id, status, id) WHERE status IN ('CLOSED', 'CANCELED');
