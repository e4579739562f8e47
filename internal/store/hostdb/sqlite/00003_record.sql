-- +goose Up

-- The host's record: what was decided and done, in order. Each line has the
-- digest of the one before it and the host's signature.
CREATE TABLE record_lines (
    entry_id TEXT    PRIMARY KEY CHECK (entry_id <> ''),  -- the entry's id: one entry, one line
    number   INTEGER NOT NULL UNIQUE CHECK (number >= 0), -- from 0, without a gap
    line     BLOB    NOT NULL CHECK (length(line) > 0)    -- canonical JSON, without its end
) STRICT;
