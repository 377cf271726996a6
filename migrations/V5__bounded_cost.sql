-- Cost that does not grow with what is over, and rows that cannot stop others.

-- Who has waited longest.
CREATE TABLE master_activity (
    master_id     bigint PRIMARY KEY REFERENCES masters ON DELETE CASCADE,
    last_asked_at timestamptz CHECK (isfinite(last_asked_at))
) WITH (fillfactor = 50);
COMMENT ON TABLE master_activity IS 'One row per master, beside masters because that row''s lock guards the limit';
COMMENT ON COLUMN master_activity.last_asked_at IS 'When the master was last offered an order, or given one by staff or the system; null: never';
INSERT INTO master_activity (master_id, last_asked_at)
SELECT masters.id, greatest(
    (SELECT max(sent_at) FROM offers WHERE master_id = masters.id AND isfinite(sent_at)),
    (SELECT max(assigned_at) FROM distribution_metrics WHERE master_id = masters.id AND isfinite(assigned_at)))
FROM masters;

CREATE FUNCTION begin_master_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO master_activity (master_id) VALUES (NEW.id);
    RETURN NULL;
END
$$;
CREATE TRIGGER begin_master_activity AFTER INSERT ON masters FOR EACH ROW EXECUTE FUNCTION begin_master_activity();

-- Whoever makes offers, also by hand, and an earlier release's tick. A master whose row is locked is being asked by somebody
-- else at this very moment, who notes it.
CREATE FUNCTION note_master_activity() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH asked AS (
        SELECT master_id, max(sent_at) AS at FROM made WHERE isfinite(sent_at) GROUP BY master_id
    ), free AS (
        SELECT master_id FROM master_activity WHERE master_id IN (SELECT master_id FROM asked)
        ORDER BY master_id FOR UPDATE SKIP LOCKED
    )
    UPDATE master_activity SET last_asked_at = greatest(last_asked_at, asked.at)
    FROM asked JOIN free USING (master_id)
    WHERE master_activity.master_id = asked.master_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER note_master_activity AFTER INSERT ON offers REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION note_master_activity();

-- These served nothing but that. The tick of the release before this one reads them: it begins no rounds any more, so it is
-- replaced right after this. Taps do not read them, and what is due stays due.
DROP INDEX offers_by_master;
DROP INDEX distribution_metrics_master;

-- Schedule and pace of each chat of the outbox.
CREATE TABLE outbox_chats (
    bot          text NOT NULL CHECK (bot IN ('MASTER', 'ADMIN')),
    chat_id      bigint NOT NULL,
    attempted_at timestamptz CHECK (isfinite(attempted_at)),
    ready_at     timestamptz,
    urgent       boolean NOT NULL DEFAULT false,
    PRIMARY KEY (bot, chat_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE outbox_chats IS 'When a chat''s next message may be claimed, so that a claim looks at what it takes and not at all that waits. Every unfinished row of the outbox is either not scheduled or its chat has ready_at';
COMMENT ON COLUMN outbox_chats.attempted_at IS 'When a message was last sent to the chat, or tried: Telegram takes one a second';
COMMENT ON COLUMN outbox_chats.ready_at IS 'When to look at the chat''s first waiting row; null: nothing waits';
COMMENT ON COLUMN outbox_chats.urgent IS 'What waits is more than new offers, and goes before them';
CREATE INDEX outbox_chats_ready ON outbox_chats (bot, urgent, ready_at) WHERE ready_at IS NOT NULL;

ALTER TABLE outbox
    ADD COLUMN scheduled boolean NOT NULL DEFAULT false,
    ADD COLUMN error text;
COMMENT ON COLUMN outbox.scheduled IS 'Whether the row''s chat in outbox_chats knows of it. Whoever writes a row does not touch that table: two who write to the same chats would wait for each other';
COMMENT ON COLUMN outbox.error IS 'Why a row was set aside: it could not be read (dropped_because UNREADABLE), and the others went on';
COMMENT ON COLUMN outbox.attempted_at IS 'Of earlier releases: see outbox_chats';
CREATE INDEX IF NOT EXISTS outbox_unscheduled ON outbox (bot, id) WHERE finished_at IS NULL AND NOT scheduled;
-- outbox_pace is of the release before this one, and dropped one release later.
-- Calls for a dispatcher, whom of the staff they have reached.
CREATE INDEX IF NOT EXISTS outbox_calls ON outbox (order_id, chat_id) WHERE kind = 'ESCALATED';

ALTER TABLE outbox_bots ADD COLUMN not_before timestamptz;
COMMENT ON COLUMN outbox_bots.not_before IS 'Telegram has asked the bot to wait until then';

-- A call for a dispatcher is a fact of the order: it is open until somebody has been reached.
ALTER TABLE staff ADD COLUMN unreachable_since timestamptz;
COMMENT ON COLUMN staff.unreachable_since IS 'Since when Telegram says that the bot cannot write to this person, who has not opened it or has blocked it; null once the person writes';
CREATE INDEX IF NOT EXISTS orders_calling ON orders (id)
    WHERE status IN ('CREATED', 'SEARCHING', 'GUARANTEE', 'DEFERRED') AND escalated_at IS NOT NULL;

-- A zone that the server has stopped knowing (newer zone data drops old names) is that city's trouble alone.
CREATE FUNCTION known_timezone(name text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM now() AT TIME ZONE name;
    RETURN name;
EXCEPTION WHEN invalid_parameter_value THEN
    RETURN 'UTC';
END
$$;
COMMENT ON FUNCTION known_timezone IS 'The zone, or UTC if the server does not know it. Costs 5 µs, so statements use cities.shown_timezone';
ALTER TABLE cities
    ADD COLUMN shown_timezone text,
    ADD COLUMN timezone_lost_at timestamptz;
ALTER TABLE cities DROP CONSTRAINT cities_timezone_exists;
UPDATE cities SET shown_timezone = known_timezone(timezone),
                  timezone_lost_at = CASE WHEN known_timezone(timezone) <> timezone THEN now() END;
ALTER TABLE cities
    ALTER COLUMN shown_timezone SET NOT NULL,
    ADD CONSTRAINT cities_timezone_exists CHECK (shown_timezone = timezone OR timezone_lost_at IS NOT NULL);
COMMENT ON COLUMN cities.shown_timezone IS 'The zone that statements use: timezone, or UTC since timezone_lost_at. Kept by a trigger';
COMMENT ON COLUMN cities.timezone_lost_at IS 'When the server was found not to know the city''s zone any more';
CREATE FUNCTION show_city_timezone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.shown_timezone := known_timezone(NEW.timezone);
    NEW.timezone_lost_at := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER show_city_timezone BEFORE INSERT OR UPDATE OF timezone ON cities
    FOR EACH ROW EXECUTE FUNCTION show_city_timezone();

-- Finished orders and all that belongs to them are kept for ever unless a policy says otherwise.
ALTER TABLE dispatch_policies ADD COLUMN keep_finished_days integer CHECK (keep_finished_days BETWEEN 8 AND 36500);
COMMENT ON COLUMN dispatch_policies.keep_finished_days IS 'After how many days without a change a closed or canceled order is deleted, with its offers, history, metrics and rounds; null: never. Always the newest policy''s';
CREATE INDEX IF NOT EXISTS orders_finished ON orders (updated_at) WHERE status IN ('CLOSED', 'CANCELED');

-- Rows that are updated or deleted all the time: cleaned up when a hundredth of the table is dead, not a fifth.
ALTER TABLE orders SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE offers SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE processed_updates SET (autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE outbox_chats SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
ALTER TABLE outbox_bots SET (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
ALTER TABLE master_activity SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
