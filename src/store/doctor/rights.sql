-- $1 the tables that migrations have made
WITH ours AS MATERIALIZED (
    SELECT oid, relname::text AS name, relowner
    FROM pg_class
    WHERE relnamespace = to_regnamespace('public') AND relkind = 'r' AND relname::text = ANY ($1)
), refused AS (
    SELECT ours.name, array_to_string(ARRAY (
               SELECT wanted.what FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS wanted (what)
               WHERE NOT has_table_privilege(ours.oid, wanted.what)), ', ') AS what
    FROM ours
)
SELECT
    current_user::text AS role,
    coalesce(has_schema_privilege(to_regnamespace('public'), 'USAGE'), false) AS uses_schema,
    ARRAY (SELECT name FROM refused WHERE what <> '' ORDER BY name) AS tables,
    ARRAY (SELECT what FROM refused WHERE what <> '' ORDER BY name) AS refused,
    -- Numbers are also taken by themselves. Whoever may insert needs no right for an identity column's own.
    ARRAY (SELECT pg_class.oid::regclass::text FROM pg_class
           WHERE oid = to_regclass('public.staff_id_seq') AND NOT has_sequence_privilege(oid, 'USAGE')
    ) AS sequences,
    ARRAY (SELECT DISTINCT proname::text FROM pg_proc
           WHERE pronamespace = to_regnamespace('public') AND NOT has_function_privilege(pg_proc.oid, 'EXECUTE')
             -- Those of an extension are its own affair.
             AND NOT EXISTS (SELECT FROM pg_depend
                             WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
           ORDER BY 1) AS functions,
    coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)
        AND NOT EXISTS (SELECT FROM ours WHERE NOT pg_has_role(relowner, 'MEMBER')) AS migrates
