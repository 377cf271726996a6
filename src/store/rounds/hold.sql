-- $1 masters: those whose places nobody else is giving away.
WITH free AS MATERIALIZED (
    -- What the foreign key of their offers takes. An acceptance's lock does not keep it, nor the other way round: whoever
    -- accepts turns a live offer into an active order, and needs no more places than before.
    SELECT id FROM masters WHERE id = ANY ($1) ORDER BY id FOR KEY SHARE SKIP LOCKED
), begun AS (
    INSERT INTO master_activity (master_id)
    SELECT id FROM free WHERE NOT EXISTS (SELECT FROM master_activity WHERE master_id = free.id)
    ON CONFLICT DO NOTHING
    RETURNING master_id
), held AS MATERIALIZED (
    SELECT master_id
    FROM master_activity JOIN free ON free.id = master_id
    ORDER BY master_id
    FOR UPDATE OF master_activity SKIP LOCKED
)
SELECT master_id FROM held
UNION ALL
SELECT master_id FROM begun
