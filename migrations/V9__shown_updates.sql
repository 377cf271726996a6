-- Most updates only show something, and are remembered for a day instead of eight. On a large table build the index by hand
-- first, see README.md: taps wait while it is built. processed_updates_at serves the rest, and the release before this one.

CREATE INDEX IF NOT EXISTS processed_updates_shown ON processed_updates (processed_at) WHERE action = 'SHOW';
COMMENT ON TABLE processed_updates IS 'Updates that were handled, written in the transaction that changes something, so that a redelivery changes nothing more and is answered truthfully. Kept for 8 days, or for one if they only showed something: Telegram redelivers for one';
