-- $1 now or null, $2 rows
SELECT
    outbox.id AS outbox_id,
    outbox.bot,
    outbox.chat_id,
    outbox.kind,
    outbox.attempts,
    outbox.message_id,
    outbox.place,
    outbox.order_id AS about_order,
    outbox.master_id AS about_master,
    outbox.created_at < moment.now - interval '1 day' AS stale,
    outbox.created_at > moment.now - interval '10 minutes' AS recent,
    orders.id,
    orders.status,
    orders.category,
    cities.name AS city,
    districts.name AS district,
    orders.address,
    orders.description,
    orders.comment,
    orders.client_name,
    orders.client_phone,
    orders.timeslot_start AT TIME ZONE cities.shown_timezone AS slot_start,
    orders.timeslot_end AT TIME ZONE cities.shown_timezone AS slot_end,
    orders.soon,
    orders.status = 'GUARANTEE' OR orders.guarantee_of IS NOT NULL AS is_free,
    moment.now AT TIME ZONE cities.shown_timezone AS local_now,
    cities.timezone_lost_at IS NOT NULL AS in_utc,
    orders.final_amount::text AS final_amount,
    CASE WHEN orders.status = 'CLOSED' THEN EXISTS (
        SELECT FROM order_status_history AS change
        WHERE change.order_id = orders.id AND change.to_status = 'CLOSED'
          AND change.created_at > moment.now - interval '15 minutes')
    ELSE false END AS closed_lately,
    dialog.kind AS question,
    dialog.written,
    dialog.written_in,
    dialog.shown_in,
    coalesce(orders.assigned_master_id = recipient.id, false) AS own,
    CASE
        -- Who is blocked sees nobody's address but that of the own orders.
        WHEN outbox.bot = 'MASTER' THEN recipient.id IS NOT NULL AND NOT (recipient.is_blocked AND outbox.kind = 'OFFER')
        -- Calls show phones: to whoever may act there alone.
        WHEN outbox.kind IN ('RETURNED', 'ESCALATED', 'UNREACHABLE', 'LATE') THEN EXISTS (
            SELECT FROM staff_right(staff.id, NULL) AS who
            WHERE who.acts AND coalesce(orders.city_id, subject.city_id) = ANY (who.cities))
        WHEN outbox.kind = 'HISTORY_ROOT' THEN coalesce(staff.is_active AND upper(staff.role) = 'ADMIN', false)
        ELSE coalesce(staff.is_active, false)
    END AS concerned,
    orders.version,
    orders.revision,
    orders.escalation_reason,
    orders.escalated_at <= outbox.created_at AS is_escalated,
    coalesce(orders.timeslot_end, orders.timeslot_start) <= moment.now AS is_late,
    claimer.full_name AS claimed_by,
    -- Of somebody who is told of it.
    coalesce(claimer.id <> staff.id AND orders.claimed_at > outbox.created_at - interval '1 hour', false) AND EXISTS (
        SELECT FROM staff_on_call(orders.city_id) AS called WHERE called.staff_id = claimer.id
    ) AS is_in_hands,
    orders.claimed_at AT TIME ZONE cities.shown_timezone AS claimed_local,
    holder.id AS holder_id,
    holder.full_name AS holder_name,
    holder.phone AS holder_phone,
    change.to_status AS change_status,
    change.created_at AT TIME ZONE cities.shown_timezone AS change_at,
    change.staff_name AS change_staff,
    change.master_name AS change_master,
    CASE WHEN outbox.bot = 'ADMIN' THEN
        call_seen(outbox.order_id, CASE WHEN outbox.kind = 'UNREACHABLE' THEN outbox.master_id END)
    END AS seen,
    subject.full_name AS subject_name,
    subject.phone AS subject_phone,
    subject.unreachable_since IS NOT NULL AS subject_is_unreachable,
    offers.id AS offer_id,
    offers.state AS offer_state,
    offers.expires_at <= moment.now AS offer_overdue,
    least(greatest(offers.expires_at, '2000-01-01'), '9999-01-01') AS offer_expires_at,
    least(greatest(offers.expires_at, '2000-01-01'), '9999-01-01') AT TIME ZONE cities.shown_timezone AS offer_expires,
    taken.by AS taken_by,
    CASE WHEN isfinite(offers.sent_at) AND isfinite(taken.at) THEN
        -- Whole seconds, as wherever a wait is told.
        greatest(0, floor(extract(epoch FROM taken.at - offers.sent_at)))::bigint
    END AS taken_after_seconds,
    history.reason,
    coalesce(history.to_status = 'CANCELED', false) AS for_good,
    coalesce(outbox.kind = 'CARD' AND history.actor_type = 'ADMIN', false) AS by_staff,
    -- What is yet to be told: of changes of the same order the first row tells all.
    CASE WHEN outbox.kind = 'CHANGED' THEN EXISTS (
        SELECT FROM order_status_history AS opened
        WHERE opened.order_id = outbox.order_id AND opened.from_status = 'CLOSED' AND opened.actor_type = 'ADMIN'
          AND opened.created_at >= outbox.created_at)
    ELSE false END AS reopened,
    CASE WHEN outbox.kind = 'CHANGED' THEN ARRAY (
        SELECT field FROM order_edits
        WHERE order_id = outbox.order_id AND changed_by_staff_id IS NOT NULL AND order_edits.created_at >= outbox.created_at
        GROUP BY field ORDER BY min(order_edits.id))
    END AS edited,
    CASE WHEN outbox.kind = 'MENU' THEN (
        SELECT CASE WHEN what <> 'BLOCKED' THEN concat_ws(':', what, to_value) WHEN to_value IS NULL THEN 'UNBLOCKED' END
        FROM master_changes
        WHERE master_id = recipient.id AND what IN ('SHIFT', 'BLOCKED', 'APPROVED') AND changed_by = 'STAFF'
          AND master_changes.created_at >= outbox.created_at
        ORDER BY master_changes.id DESC LIMIT 1)
    END AS master_change,
    outbox.kind = 'OFFER' AND outbox.message_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM cards AS own
        WHERE own.chat_id = outbox.chat_id AND own.message_id = outbox.message_id AND own.offer_id = outbox.offer_id
    ) AS card_is_gone,
    root.day AS root_day,
    root.changes AS root_changes,
    root.root,
    card.message_id AS card_message,
    card.deletable AS card_is_deletable,
    card.more AS more_cards
FROM outbox
CROSS JOIN (SELECT coalesce($1, now()) AS now) AS moment
LEFT JOIN orders ON orders.id = outbox.order_id
LEFT JOIN cities ON cities.id = orders.city_id
LEFT JOIN districts ON districts.id = orders.district_id
LEFT JOIN masters AS recipient ON outbox.bot = 'MASTER' AND recipient.telegram_user_id = outbox.chat_id
-- What an order's card says depends on the recipient's offer of it, if there is one.
LEFT JOIN offers ON offers.id = CASE
    WHEN outbox.kind = 'CARD' AND NOT recipient.is_blocked THEN (
        SELECT own.id FROM offers AS own
        WHERE own.order_id = outbox.order_id AND own.master_id = recipient.id
        ORDER BY own.state IN ('SENT', 'VIEWED', 'ACCEPTED') DESC, own.id DESC LIMIT 1)
    ELSE outbox.offer_id
END
LEFT JOIN staff ON outbox.bot = 'ADMIN' AND staff.telegram_user_id = outbox.chat_id
LEFT JOIN masters AS subject ON subject.id = outbox.master_id
LEFT JOIN staff AS claimer ON outbox.bot = 'ADMIN' AND claimer.id = orders.claimed_by_staff_id
LEFT JOIN masters AS holder ON outbox.bot = 'ADMIN' AND holder.id = orders.assigned_master_id
-- By whom the offer was ended that got the order instead: not by whoever it was taken from, or who has given it back.
LEFT JOIN LATERAL (
    SELECT assigned.actor_type AS by, assigned.created_at AS at
    FROM order_status_history AS assigned
    WHERE outbox.kind = 'OFFER_ENDED' AND offers.state = 'CANCELED' AND assigned.order_id = offers.order_id
      AND assigned.to_status = 'ASSIGNED' AND assigned.created_at = offers.responded_at
      AND assigned.context ->> 'master_id' IS DISTINCT FROM offers.master_id::text
    ORDER BY assigned.id DESC
    LIMIT 1
) AS taken ON true
-- What first happened to an order since staff were called.
LEFT JOIN LATERAL (
    SELECT later.to_status, later.created_at, actor.full_name AS staff_name, master.full_name AS master_name
    FROM order_status_history AS later
    LEFT JOIN staff AS actor ON actor.id = later.changed_by_staff_id
    LEFT JOIN masters AS master
        ON master.id = coalesce(later.changed_by_master_id, (later.context ->> 'master_id')::bigint)
    WHERE outbox.bot = 'ADMIN' AND later.order_id = outbox.order_id
      AND CASE WHEN outbox.history_id IS NULL THEN later.created_at > outbox.created_at
               ELSE later.id > outbox.history_id END
    ORDER BY later.id LIMIT 1
) AS change ON true
LEFT JOIN order_status_history AS history ON history.id = outbox.history_id
LEFT JOIN dialogs AS dialog ON outbox.kind = 'QUESTION' AND dialog.master_id = recipient.id
    AND dialog.order_id = outbox.order_id AND dialog.answered_by IS NULL
    AND (dialog.kind <> 'RETURN_REASON' OR dialog.asked_at > moment.now - interval '1 hour')
LEFT JOIN history_roots AS root ON root.day = outbox.root_day
LEFT JOIN LATERAL (
    SELECT message_id, count(*) OVER () > 1 AS more,
           -- Telegram deletes for 48 hours.
           sent_at > moment.now - interval '47 hours' AS deletable
    FROM cards WHERE cards.offer_id = outbox.offer_id AND outbox.kind = 'OFFER_ENDED'
    ORDER BY message_id LIMIT 1
) AS card ON true
WHERE outbox.id = ANY ($2)
ORDER BY outbox.id
