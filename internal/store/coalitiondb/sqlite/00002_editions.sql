-- Editions: releases that are kept with their rosters, texts by version, files, and what
-- was done with them. What people ask for has a kind more, and SQLite changes no
-- CHECK of a table that there is: the table, and those that refer to it, are made again.

-- +goose Up

ALTER TABLE approvals RENAME TO old_approvals;
ALTER TABLE party_keys RENAME TO old_party_keys;
ALTER TABLE requests RENAME TO old_requests;

-- What somebody asked for and others have to want as well.
CREATE TABLE requests (
    number         INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),                                                    -- from 1, without a gap
    kind           TEXT NOT NULL CHECK (kind IN ('enrol a key', 'cancel the cycle', 'release', 'publish an edition')), -- what for
    cycle          TEXT REFERENCES cycles (id),                                                                        -- about which cycle; NULL for a key
    party          TEXT REFERENCES parties (id),                                                                       -- whose key; else NULL
    subject        TEXT NOT NULL,                                                                                      -- the key, or the digest of the release; else empty
    reason         TEXT NOT NULL,                                                                                      -- of a cancellation; else empty
    asker          TEXT REFERENCES account_people (id),                                                                -- who asked; NULL for a command
    maker          TEXT NOT NULL CHECK (maker <> ''),                                                                  -- her name
    at             INTEGER NOT NULL CHECK (at > 0),                                                                    -- when
    verdict        TEXT CHECK (verdict IN ('approved', 'refused', 'withdrawn')),                                       -- how it ended; NULL while it is open
    verdict_reason TEXT,                                                                                               -- why; NULL while it is open
    verdict_maker  TEXT CHECK (verdict_maker <> ''),                                                                   -- the name of who ended it; NULL while it is open
    ended          INTEGER CHECK (ended >= at),                                                                        -- when; NULL while it is open
    CHECK ((kind = 'enrol a key') = (party IS NOT NULL)),
    CHECK ((party IS NULL) = (cycle IS NOT NULL)),
    CHECK ((verdict IS NULL) = (ended IS NULL)),
    CHECK ((verdict IS NULL) = (verdict_maker IS NULL))
) STRICT;

INSERT INTO requests (number, kind, cycle, party, subject, reason, asker, maker, at, verdict, verdict_reason, verdict_maker, ended)
SELECT number, kind, cycle, party, subject, reason, asker, maker, at, verdict, verdict_reason, verdict_maker, ended FROM old_requests;

-- Who wants what was asked for: nobody twice, and no word is given twice.
CREATE TABLE approvals (
    request INTEGER NOT NULL REFERENCES requests (number),                -- what
    slot    TEXT NOT NULL CHECK (slot IN ('second', 'leader', 'helper')), -- which word it is
    person  TEXT NOT NULL REFERENCES account_people (id),                 -- who
    maker   TEXT NOT NULL CHECK (maker <> ''),                            -- her name
    at      INTEGER NOT NULL CHECK (at > 0),                              -- when
    PRIMARY KEY (request, slot),
    UNIQUE (request, person)
) STRICT;

INSERT INTO approvals (request, slot, person, maker, at) SELECT request, slot, person, maker, at FROM old_approvals;

-- The keys with which parties sign, as two people compared them. The highest number counts.
CREATE TABLE party_keys (
    party   TEXT NOT NULL REFERENCES parties (id),                -- whose
    number  INTEGER NOT NULL CHECK (number > 0),                  -- from 1, without a gap
    public  TEXT NOT NULL CHECK (public <> ''),                   -- NAME+HASH+KEY
    at      INTEGER NOT NULL CHECK (at > 0),                      -- when it was enrolled
    request INTEGER NOT NULL UNIQUE REFERENCES requests (number), -- by which it was
    PRIMARY KEY (party, number)
) STRICT;

INSERT INTO party_keys (party, number, public, at, request) SELECT party, number, public, at, request FROM old_party_keys;

DROP TABLE old_approvals;
DROP TABLE old_party_keys;
DROP TABLE old_requests;

CREATE INDEX requests_open ON requests (number) WHERE verdict IS NULL;
CREATE INDEX requests_of ON requests (cycle);

-- +goose StatementBegin
CREATE TRIGGER approvals_stay BEFORE UPDATE ON approvals
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER party_keys_stay BEFORE UPDATE ON party_keys
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER approvals_are_kept BEFORE DELETE ON approvals
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER party_keys_are_kept BEFORE DELETE ON party_keys
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER requests_are_kept BEFORE DELETE ON requests
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER requests_once BEFORE UPDATE ON requests
WHEN old.verdict IS NOT NULL
BEGIN SELECT raise(ABORT, 'a request ends once'); END;
-- +goose StatementEnd

-- Releases as they were approved, with whose answers they count.
CREATE TABLE releases (
    digest  TEXT NOT NULL PRIMARY KEY CHECK (length(digest) = 64), -- hex SHA-256 of the file
    number  INTEGER NOT NULL UNIQUE CHECK (number > 0),            -- in the order in which they were kept
    cycle   TEXT NOT NULL REFERENCES cycles (id),                  -- of which cycle
    cohort  TEXT NOT NULL CHECK (cohort <> ''),                    -- of which cohort of it
    body    BLOB NOT NULL,                                         -- the file
    members TEXT NOT NULL CHECK (members <> ''),                   -- JSON: the names of the roster
    maker   TEXT NOT NULL CHECK (maker <> ''),                     -- the name of who kept it
    at      INTEGER NOT NULL CHECK (at > 0)                        -- when
) STRICT;

-- Editions as they were written, version by version.
CREATE TABLE editions (
    cycle  TEXT NOT NULL REFERENCES cycles (id),                                         -- of which cycle
    name   TEXT NOT NULL CHECK (name IN ('allied', 'partner', 'public', 'ports', 'ai')), -- which of its editions
    number INTEGER NOT NULL CHECK (number > 0),                                          -- of the version, from 1, without a gap
    text   TEXT NOT NULL,                                                                -- as it was written, with references
    maker  TEXT NOT NULL CHECK (maker <> ''),                                            -- the name of who wrote it
    at     INTEGER NOT NULL CHECK (at > 0),                                              -- when
    PRIMARY KEY (cycle, name, number)
) STRICT;

-- Editions as they were proposed: the files that people approve and read.
CREATE TABLE edition_files (
    digest TEXT NOT NULL PRIMARY KEY CHECK (length(digest) = 64), -- hex SHA-256 of the file
    body   BLOB NOT NULL                                          -- the file
) STRICT;

-- What was done with editions. Where one stands follows from it.
CREATE TABLE edition_acts (
    cycle   TEXT NOT NULL,                                                                                          -- of which cycle
    name    TEXT NOT NULL,                                                                                          -- which of its editions
    seq     INTEGER NOT NULL CHECK (seq > 0),                                                                       -- from 1, without a gap
    number  INTEGER NOT NULL,                                                                                       -- of the version
    deed    TEXT NOT NULL CHECK (deed IN ('proposed', 'silence', 'adopted', 'reopened', 'published', 'withdrawn')), -- what
    digest  TEXT NOT NULL REFERENCES edition_files (digest),                                                        -- of the file that it was done with
    request INTEGER REFERENCES requests (number),                                                                   -- by which a second person is asked; NULL but for a proposal
    until   INTEGER CHECK (until > 0),                                                                              -- when a silence ends; NULL for none
    reason  TEXT NOT NULL,                                                                                          -- of a withdrawal; of what the chair said the digest of its last step; else empty
    maker   TEXT NOT NULL CHECK (maker <> ''),                                                                      -- the name of who did it
    at      INTEGER NOT NULL CHECK (at > 0),                                                                        -- when
    PRIMARY KEY (cycle, name, seq),
    FOREIGN KEY (cycle, name, number) REFERENCES editions (cycle, name, number),
    CHECK ((deed = 'proposed') = (request IS NOT NULL)),
    CHECK ((deed = 'silence') = (until IS NOT NULL))
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER releases_stay BEFORE UPDATE ON releases
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER releases_are_kept BEFORE DELETE ON releases
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER editions_stay BEFORE UPDATE ON editions
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER editions_are_kept BEFORE DELETE ON editions
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_files_stay BEFORE UPDATE ON edition_files
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_files_are_kept BEFORE DELETE ON edition_files
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_acts_stay BEFORE UPDATE ON edition_acts
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_acts_are_kept BEFORE DELETE ON edition_acts
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd
