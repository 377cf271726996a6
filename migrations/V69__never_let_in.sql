-- Three statements ask this of a blocked master, and must agree.

CREATE FUNCTION was_never_let_in(of_master bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM master_changes WHERE master_id = of_master AND what = 'ADDED'
    ) AND NOT EXISTS (
        SELECT FROM master_changes
        WHERE master_id = of_master
          AND (what = 'APPROVED' OR what = 'BLOCKED' AND (from_value IS NULL OR to_value IS NULL))
    )
$$;
COMMENT ON FUNCTION was_never_let_in IS 'Of a blocked master: whether he has been blocked from the first day on, as staff have not agreed to let him in';
