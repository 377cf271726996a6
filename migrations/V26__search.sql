-- The search, for the orders that are there. Work goes on meanwhile: orders are read, and new ones note themselves (V25).

INSERT INTO order_search (order_id, city_id, words, phone)
SELECT id, city_id, search_words(concat_ws(' ', address, client_name)), regexp_replace(client_phone, '[^0-9]', '', 'g')
FROM orders
ON CONFLICT (order_id) DO NOTHING;

-- The extension may have been put into a schema of its own.
DO $$
DECLARE
    place text := (SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
                   WHERE extname = 'pg_trgm');
BEGIN
    EXECUTE format('CREATE INDEX order_search_words ON order_search USING gin (words %s.gin_trgm_ops)', place);
    EXECUTE format('CREATE INDEX order_search_phone ON order_search USING gin (phone %s.gin_trgm_ops)', place);
END
$$;
