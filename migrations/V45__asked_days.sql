-- A day that was tapped goes with the question at which hour: who answers in words names no day any more.
ALTER TABLE staff_dialogs ADD COLUMN day date;
COMMENT ON COLUMN staff_dialogs.day IS 'Of the question when: the day that was tapped, on the clocks of the city; null: none, or another button was tapped since';
