-- The same store recognises what a program asks for again, and answers it as before.
ALTER TABLE processed_updates DROP CONSTRAINT processed_updates_bot_check;
ALTER TABLE processed_updates ADD CONSTRAINT processed_updates_bot_check CHECK (bot IN ('MASTER', 'ADMIN', 'API')) NOT VALID;
ALTER TABLE processed_updates ADD COLUMN fingerprint bytea, ADD COLUMN answer text;
COMMENT ON COLUMN processed_updates.bot IS 'MASTER, ADMIN: the bot; API: a program';
COMMENT ON COLUMN processed_updates.update_key IS 'What stays the same when it is delivered again: callback <id>, or message <chat> <message id>; of a program <staff> <its key>';
COMMENT ON COLUMN processed_updates.fingerprint IS 'SHA-256 of what a program asked for by this key: the key of another request is refused';
COMMENT ON COLUMN processed_updates.answer IS 'What a program was answered, as it is answered again';
