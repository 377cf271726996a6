-- Whoever holds a policy's row would stop all that refer to it: an insert locks the row it points to. A policy is never deleted.

ALTER TABLE dispatch_rounds DROP CONSTRAINT IF EXISTS dispatch_rounds_policy_id_fkey;
ALTER TABLE orders DROP CONSTRAINT IF EXISTS orders_policy_id_fkey;
COMMENT ON COLUMN orders.policy_id IS 'The policy that the search began with; null until it begins. No foreign key: policies are never deleted, and whoever holds one would stop every search';
