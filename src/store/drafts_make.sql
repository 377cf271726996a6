-- $1 staff or null, $2 the person's Telegram user or null, $3 draft, $4 its revision, $5 status, $6 what a client without a name is called,
-- $7 now or null
WITH moment AS (
    SELECT coalesce($7, now()) AS now
), made AS (
    INSERT INTO orders (
        status, city_id, district_id, category, address, description, client_name, client_phone, timeslot_start,
        timeslot_end, soon, preferred_master_id, guarantee_of, created_by_staff_id, created_at, updated_at, next_round_at)
    SELECT
        $5, draft.city_id, draft.district_id, draft.category, draft.address, draft.description,
        coalesce(draft.client_name, $6), draft.client_phone, draft.slot_start AT TIME ZONE cities.shown_timezone,
        draft.slot_end AT TIME ZONE cities.shown_timezone, draft.soon, draft.preferred_master_id, draft.guarantee_of, who.staff_id,
        moment.now, moment.now, moment.now
    FROM staff_right($1, $2) AS who
    CROSS JOIN moment
    JOIN order_drafts AS draft ON draft.staff_id = who.staff_id
    JOIN cities ON cities.id = draft.city_id
    WHERE draft.id = $3 AND draft.revision = $4 AND draft.order_id IS NULL
      AND who.acts AND draft.city_id = ANY (who.cities)
    RETURNING id, created_by_staff_id
), done AS (
    UPDATE order_drafts SET order_id = made.id, touched_at = moment.now FROM made, moment WHERE order_drafts.id = $3
), answered AS (
    DELETE FROM staff_dialogs USING made WHERE staff_id = made.created_by_staff_id AND question = 'NEW_ORDER'
)
SELECT id FROM made
