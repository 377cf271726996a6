-- $1 staff or null, $2 the staff's Telegram user or null, $3 order, $4 how many
SELECT
    last.at,
    last.at AT TIME ZONE cities.shown_timezone AS local,
    last.from_status,
    last.to_status,
    last.field,
    masters.full_name AS by_master,
    staff.full_name AS by_staff,
    last.reason,
    given_to.full_name AS given_to,
    last.amount,
    last.old_value,
    last.emptied
FROM staff_right($1, $2) AS who
JOIN orders ON orders.id = $3 AND orders.city_id = ANY (who.cities)
JOIN cities ON cities.id = orders.city_id
CROSS JOIN LATERAL (
    (SELECT created_at AS at, id, from_status, to_status, NULL AS field, changed_by_master_id, changed_by_staff_id, reason,
            -- Whoever takes an order is who has changed it.
            CASE WHEN to_status = 'ASSIGNED' AND changed_by_master_id IS NULL THEN (context ->> 'master_id')::bigint END AS given_to,
            CASE WHEN to_status = 'CLOSED' THEN context ->> 'amount' END AS amount, NULL AS old_value,
            false AS emptied
     FROM order_status_history
     WHERE order_id = orders.id
     ORDER BY id DESC
     LIMIT $4)
    UNION ALL
    (SELECT created_at, id, NULL, NULL, field, changed_by_master_id, changed_by_staff_id, NULL, NULL, NULL, old_value,
            new_value IS NULL
     FROM order_edits
     WHERE order_id = orders.id
     ORDER BY id DESC
     LIMIT $4)
    ORDER BY at DESC, id DESC
    LIMIT $4
) AS last
LEFT JOIN masters ON masters.id = last.changed_by_master_id
LEFT JOIN masters AS given_to ON given_to.id = last.given_to
LEFT JOIN staff ON staff.id = last.changed_by_staff_id
ORDER BY last.at DESC, last.id DESC
