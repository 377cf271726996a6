-- Who has made a policy: admins do, in their bot and on their page.

ALTER TABLE dispatch_policies ADD COLUMN created_by_staff_id bigint;
COMMENT ON COLUMN dispatch_policies.created_by_staff_id IS 'Who of the staff made it; null: the system, or an operator by hand. No foreign key: it would wait for whoever holds the person''s row';
