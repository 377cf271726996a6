-- $1 now or null; for each order: $2 id, $3 version, $4 status before, $5 whether its search goes on, $6 policy, $7 round,
-- $8 when the next is due, $9 when it widens or null, $11 why staff are needed or null, $12 chosen,
-- $13 excluded; for each offer: $14 order, $15 master, $16 deadline; for each order again: $17 whom it passed over or null,
-- $18 for how many seconds that master has waited or null; $10 offers whose places are filled
WITH moment AS (
    SELECT coalesce($1, now()) AS now
), decided AS (
    SELECT *
    FROM unnest($2::bigint[], $3::integer[], $4::text[], $5::boolean[], $6::bigint[], $7::integer[], $8::timestamptz[],
                $9::timestamptz[], $11::text[], $12::text[], $13::text[], $17::bigint[], $18::integer[])
        WITH ORDINALITY
        AS decided (id, version, from_status, goes_on, policy_id, round_number, next_round_at, widens_at, escalation, chosen, excluded, passed_over, waited, place)
), changed AS (
    UPDATE orders
    SET status = CASE WHEN orders.status = 'CREATED' THEN 'SEARCHING' ELSE orders.status END,
        version = orders.version + (orders.status = 'CREATED')::integer,
        policy_id = decided.policy_id,
        search_started_at = CASE WHEN decided.goes_on THEN orders.search_started_at ELSE moment.now END,
        -- A round for which nobody was found is the one that is tried again.
        last_round = CASE WHEN decided.chosen = '[]' THEN decided.round_number - 1 ELSE decided.round_number END,
        next_round_at = decided.next_round_at,
        widens_at = decided.widens_at,
        escalated_at = CASE
            WHEN decided.goes_on AND orders.escalated_at IS NOT NULL THEN orders.escalated_at
            WHEN decided.escalation IS NOT NULL THEN moment.now
        END,
        escalation_reason = CASE
            WHEN decided.goes_on AND orders.escalated_at IS NOT NULL THEN orders.escalation_reason
            ELSE decided.escalation
        END,
        updated_at = moment.now
    FROM decided, moment
    WHERE orders.id = decided.id AND orders.version = decided.version
    RETURNING orders.id, orders.city_id, orders.search_started_at, decided.from_status, decided.policy_id,
              decided.round_number, decided.chosen, decided.excluded, decided.passed_over, decided.waited, decided.place
), filled AS (
    UPDATE offers SET replaced = true
    FROM changed
    WHERE offers.id = ANY ($10::bigint[]) AND offers.order_id = changed.id
), history AS (
    INSERT INTO order_status_history (order_id, from_status, to_status, actor_type, created_at)
    SELECT id, 'CREATED', 'SEARCHING', 'AUTO_DISTRIBUTION', moment.now
    FROM changed, moment
    WHERE from_status = 'CREATED'
), kept AS (
    INSERT INTO dispatch_rounds AS round (
        order_id, search_started_at, round_number, policy_id, created_at, chosen, excluded, turn, city_id,
        passed_over_master_id, passed_over_seconds, empty_since)
    SELECT id, search_started_at, round_number, policy_id, moment.now, chosen::jsonb, excluded::jsonb, place - 1, city_id,
           passed_over, waited, CASE WHEN chosen = '[]' THEN moment.now END
    FROM changed, moment
    ON CONFLICT (order_id, search_started_at, round_number)
        DO UPDATE SET created_at = excluded.created_at, chosen = excluded.chosen, excluded = excluded.excluded,
                      turn = excluded.turn, city_id = excluded.city_id,
                      passed_over_master_id = excluded.passed_over_master_id,
                      passed_over_seconds = excluded.passed_over_seconds,
                      -- There was nobody before either, if for other reasons.
                      empty_since = CASE WHEN excluded.chosen = '[]' AND round.chosen = '[]'
                          THEN coalesce(round.empty_since, round.created_at) ELSE excluded.empty_since END
        -- One for which there is still nobody, for the same reasons, stays as it is.
        WHERE (round.chosen, round.excluded, round.city_id, round.passed_over_master_id, round.passed_over_seconds)
            IS DISTINCT FROM (
                excluded.chosen, excluded.excluded, excluded.city_id, excluded.passed_over_master_id,
                excluded.passed_over_seconds)
), made AS (
    INSERT INTO offers (order_id, master_id, round_number, sent_at, expires_at)
    -- To masters whose places are held.
    SELECT changed.id, offered.master_id, changed.round_number, moment.now, offered.expires_at
    FROM unnest($14::bigint[], $15::bigint[], $16::timestamptz[]) AS offered (order_id, master_id, expires_at)
    CROSS JOIN moment
    JOIN changed ON changed.id = offered.order_id
    ON CONFLICT DO NOTHING
    RETURNING id, order_id, master_id
)
INSERT INTO outbox (bot, chat_id, kind, order_id, offer_id, created_at, due_at)
SELECT 'MASTER', masters.telegram_user_id, 'OFFER', made.order_id, made.id, moment.now, moment.now
FROM moment, made
JOIN masters ON masters.id = made.master_id
ORDER BY made.id
RETURNING id
