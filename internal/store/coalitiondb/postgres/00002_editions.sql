-- Editions: releases that are kept with their rosters, texts by version, files, and what
-- was done with them.

-- +goose Up

ALTER TABLE requests
    DROP CONSTRAINT requests_kind_check,
    ADD CONSTRAINT requests_kind_check CHECK (kind IN ('enrol a key', 'cancel the cycle', 'release', 'publish an edition'));

-- Releases as they were approved, with whose answers they count.
CREATE TABLE releases (
    digest  TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(digest) = 64), -- hex SHA-256 of the file
    number  BIGINT NOT NULL UNIQUE CHECK (number > 0),                         -- in the order in which they were kept
    cycle   TEXT COLLATE "C" NOT NULL REFERENCES cycles (id),                  -- of which cycle
    cohort  TEXT COLLATE "C" NOT NULL CHECK (cohort <> ''),                    -- of which cohort of it
    body    BYTEA NOT NULL,                                                    -- the file
    members TEXT COLLATE "C" NOT NULL CHECK (members <> ''),                   -- JSON: the names of the roster
    maker   TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),                     -- the name of who kept it
    at      BIGINT NOT NULL CHECK (at > 0)                                     -- when
);

-- Editions as they were written, version by version.
CREATE TABLE editions (
    cycle  TEXT COLLATE "C" NOT NULL REFERENCES cycles (id),                                         -- of which cycle
    name   TEXT COLLATE "C" NOT NULL CHECK (name IN ('allied', 'partner', 'public', 'ports', 'ai')), -- which of its editions
    number BIGINT NOT NULL CHECK (number > 0),                                                       -- of the version, from 1, without a gap
    text   TEXT COLLATE "C" NOT NULL,                                                                -- as it was written, with references
    maker  TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),                                            -- the name of who wrote it
    at     BIGINT NOT NULL CHECK (at > 0),                                                           -- when
    PRIMARY KEY (cycle, name, number)
);

-- Editions as they were proposed: the files that people approve and read.
CREATE TABLE edition_files (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(digest) = 64), -- hex SHA-256 of the file
    body   BYTEA NOT NULL                                                     -- the file
);

-- What was done with editions. Where one stands follows from it.
CREATE TABLE edition_acts (
    cycle   TEXT COLLATE "C" NOT NULL,                                                                                          -- of which cycle
    name    TEXT COLLATE "C" NOT NULL,                                                                                          -- which of its editions
    seq     BIGINT NOT NULL CHECK (seq > 0),                                                                                    -- from 1, without a gap
    number  BIGINT NOT NULL,                                                                                                    -- of the version
    deed    TEXT COLLATE "C" NOT NULL CHECK (deed IN ('proposed', 'silence', 'adopted', 'reopened', 'published', 'withdrawn')), -- what
    digest  TEXT COLLATE "C" NOT NULL REFERENCES edition_files (digest),                                                        -- of the file that it was done with
    request BIGINT REFERENCES requests (number),                                                                                -- by which a second person is asked; NULL but for a proposal
    until   BIGINT CHECK (until > 0),                                                                                           -- when a silence ends; NULL for none
    reason  TEXT COLLATE "C" NOT NULL,                                                                                          -- of a withdrawal; of what the chair said the digest of its last step; else empty
    maker   TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),                                                                      -- the name of who did it
    at      BIGINT NOT NULL CHECK (at > 0),                                                                                     -- when
    PRIMARY KEY (cycle, name, seq),
    FOREIGN KEY (cycle, name, number) REFERENCES editions (cycle, name, number),
    CHECK ((deed = 'proposed') = (request IS NOT NULL)),
    CHECK ((deed = 'silence') = (until IS NOT NULL))
);

-- +goose StatementBegin
CREATE TRIGGER releases_stay BEFORE UPDATE ON releases FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER releases_are_kept BEFORE DELETE ON releases FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER releases_are_not_emptied BEFORE TRUNCATE ON releases FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER editions_stay BEFORE UPDATE ON editions FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER editions_are_kept BEFORE DELETE ON editions FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER editions_are_not_emptied BEFORE TRUNCATE ON editions FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_files_stay BEFORE UPDATE ON edition_files FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_files_are_kept BEFORE DELETE ON edition_files FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_files_are_not_emptied BEFORE TRUNCATE ON edition_files FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_acts_stay BEFORE UPDATE ON edition_acts FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_acts_are_kept BEFORE DELETE ON edition_acts FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER edition_acts_are_not_emptied BEFORE TRUNCATE ON edition_acts FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd
