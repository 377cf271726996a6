-- Each place that became free before its time is filled once.
ALTER TABLE offers ADD COLUMN replaced boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN offers.replaced IS 'Declined, recalled, or its master left the shift, was blocked or could not be written to; and another was asked instead while the search went on';
