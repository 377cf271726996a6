-- Every database begins with a root that is to be made. One that is opened when there is none says that those before were taken away.

ALTER TABLE history_roots ADD COLUMN begins_anew boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN history_roots.begins_anew IS 'Opened when there was no root at all: those before it were deleted by hand';
