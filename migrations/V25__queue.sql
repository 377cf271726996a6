-- What dispatchers look at: the queue with its filters, and the search. V26 fills the search with the orders that are there.

-- The search's indexes need the extension. It is a trusted one: a role that may create something in the database may create it.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
EXCEPTION
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION 'this role may not create the extension pg_trgm, which the dispatchers'' search needs: let the owner of the database % run CREATE EXTENSION pg_trgm in it (or GRANT CREATE ON DATABASE % TO %), then migrate again',
            quote_ident(current_database()), quote_ident(current_database()), quote_ident(current_user)
            USING ERRCODE = 'insufficient_privilege';
    WHEN undefined_file OR feature_not_supported THEN
        RAISE EXCEPTION 'this server does not have the extension pg_trgm, which the dispatchers'' search needs: install PostgreSQL''s contrib package (Debian has it in postgresql, Fedora in postgresql-contrib), then migrate again'
            USING ERRCODE = 'feature_not_supported';
END
$$;

CREATE TABLE staff_queues (
    staff_id    bigint PRIMARY KEY REFERENCES staff,
    -- No foreign keys: they would lock rows that somebody else is at work on. What is not there any more matches nothing.
    city_id     bigint,
    category    text CHECK (category IN ('ELECTRICS', 'PLUMBING', 'APPLIANCES', 'WINDOWS', 'HANDYMAN', 'ROADSIDE')),
    state       text CHECK (state IN (
                    'URGENT', 'SEARCHING', 'DEFERRED', 'ASSIGNED', 'EN_ROUTE', 'WORKING', 'PAYMENT', 'CLOSED', 'CANCELED')),
    master_id   bigint,
    day         date CHECK (day BETWEEN '2000-01-01' AND '2999-12-31'),
    sought      text CHECK (length(sought) BETWEEN 1 AND 200),
    changed_at  timestamptz NOT NULL DEFAULT now() CHECK (changed_at BETWEEN '2000-01-01Z' AND '9999-12-01Z')
);
COMMENT ON TABLE staff_queues IS 'What a dispatcher has narrowed the queue to, and searched for last. Null: nothing';
COMMENT ON COLUMN staff_queues.state IS 'URGENT: what needs somebody now; SEARCHING: whatever looks for a master; the rest as orders.status';
COMMENT ON COLUMN staff_queues.master_id IS 'Whose orders';
COMMENT ON COLUMN staff_queues.day IS 'On the clocks of the order''s city: of the visit, else of the creation; of what is over, the day when it ended, and null means today';
COMMENT ON COLUMN staff_queues.sought IS 'The words that were searched for last, so that the search''s pages can be turned';

CREATE TABLE order_search (
    -- No foreign key: an order goes with its row here by a trigger.
    order_id bigint PRIMARY KEY,
    city_id  bigint NOT NULL,
    words    text NOT NULL,
    phone    text NOT NULL
);
COMMENT ON TABLE order_search IS 'What orders are found by. Beside orders, so that taking an order does not write the search''s indexes; kept by triggers';
COMMENT ON COLUMN order_search.words IS 'Address and client''s name, see search_words';
COMMENT ON COLUMN order_search.phone IS 'The digits of the client''s phone';

CREATE FUNCTION search_words(written text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT translate(lower(written),
                     'абвгдеёжзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯ',
                     'abvgdeejziyklmnoprstufhcqwwxixeuaabvgdeejziyklmnoprstufhcqwwxixeua')
$$;
COMMENT ON FUNCTION search_words IS 'As it is searched: small Latin letters whatever the server''s locale is, as under C lower() leaves Russian letters alone and pg_trgm takes them for spaces. Letters that people confuse are one: е ё э, и ы, ш щ, ъ ь, у ю, а я';

CREATE FUNCTION note_new_orders_for_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_search (order_id, city_id, words, phone)
    SELECT id, city_id, search_words(concat_ws(' ', address, client_name)), regexp_replace(client_phone, '[^0-9]', '', 'g')
    FROM made
    ON CONFLICT (order_id) DO UPDATE SET city_id = excluded.city_id, words = excluded.words, phone = excluded.phone;
    RETURN NULL;
END
$$;
CREATE FUNCTION note_order_for_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_search (order_id, city_id, words, phone)
    VALUES (NEW.id, NEW.city_id, search_words(concat_ws(' ', NEW.address, NEW.client_name)),
            regexp_replace(NEW.client_phone, '[^0-9]', '', 'g'))
    ON CONFLICT (order_id) DO UPDATE SET city_id = excluded.city_id, words = excluded.words, phone = excluded.phone;
    RETURN NULL;
END
$$;
CREATE FUNCTION forget_orders_in_search() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM order_search USING gone WHERE order_search.order_id = gone.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER note_new_orders_for_search AFTER INSERT ON orders REFERENCING NEW TABLE AS made
    FOR EACH STATEMENT EXECUTE FUNCTION note_new_orders_for_search();
CREATE TRIGGER note_order_for_search AFTER UPDATE OF city_id, address, client_name, client_phone ON orders
    FOR EACH ROW EXECUTE FUNCTION note_order_for_search();
CREATE TRIGGER forget_orders_in_search AFTER DELETE ON orders REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_orders_in_search();
