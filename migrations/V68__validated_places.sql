-- What V66 and V67 have promised of every row is so; nobody waits while it is looked.

ALTER TABLE dispatch_rounds VALIDATE CONSTRAINT dispatch_rounds_empty_since_is_sane;
ALTER TABLE masters VALIDATE CONSTRAINT masters_unreachable_withdrawn_at_is_sane;
