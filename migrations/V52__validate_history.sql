-- Rows are read, while everybody goes on.
ALTER TABLE order_status_history VALIDATE CONSTRAINT order_status_history_seal_is_a_hash;
ALTER TABLE outbox VALIDATE CONSTRAINT outbox_kind_check;
