-- When a master was asked: "why not me" is answered for a moment that is past.
CREATE INDEX IF NOT EXISTS offers_by_master ON offers (master_id, sent_at DESC);
