-- Since when those who are on shift have been, as far as it is known.
UPDATE masters SET on_shift_since = coalesce((
    SELECT created_at FROM master_changes
    WHERE master_id = masters.id AND what = 'SHIFT' AND to_value = 'on'
    ORDER BY id DESC LIMIT 1), created_at)
WHERE on_shift AND on_shift_since IS NULL;
