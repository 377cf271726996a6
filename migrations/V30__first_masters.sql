-- How long it took to find an order's first master: figures count nothing else.

-- Rows that are there count as the first, until V34 has looked; so do those that the release before this one writes meanwhile.
ALTER TABLE distribution_metrics ADD COLUMN is_first boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN distribution_metrics.is_first IS 'Whether the order had no master before: figures count how long it took to find one';
