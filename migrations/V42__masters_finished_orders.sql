-- A master's orders, newest first, when there are a million of others'. Written when an order ends, not when it is taken.
CREATE INDEX IF NOT EXISTS orders_finished_by_master ON orders (assigned_master_id, id) WHERE status IN ('CLOSED', 'CANCELED');
