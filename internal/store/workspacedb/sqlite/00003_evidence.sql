-- What a record may be becomes a table, so that a later kind is a row of it and no
-- new history: SQLite changes no CHECK in place. This once history is written anew;
-- rows and revisions stay as they are.
--
-- And copies of evidence may be kept, for who asks for it. They are no part of
-- history: what somebody takes out is gone.

-- +goose Up

-- What a record may be.
CREATE TABLE kinds (
    kind TEXT NOT NULL PRIMARY KEY -- as in history
) STRICT, WITHOUT ROWID;

INSERT INTO kinds (kind) VALUES
    ('workspace'), ('survey'), ('charter'), ('entry'), ('body'), ('contribution'), ('section'), ('comment'), ('reference'),
    ('finding'), ('opinion'), ('chain'), ('decision'), ('sealing'), ('action'), ('release'),
    ('setting'), ('approver'), ('copy'), ('needs');

-- Every revision of everything that is kept.
CREATE TABLE history_of_kinds (
    rev     INTEGER NOT NULL PRIMARY KEY CHECK (rev > 0), -- the revision: a later one is higher
    kind    TEXT NOT NULL REFERENCES kinds (kind),        -- what it is
    survey  TEXT NOT NULL,                                -- cycle/pack that it belongs to, or empty
    outcome TEXT NOT NULL,                                -- outcome that it is about, or empty
    id      TEXT NOT NULL,                                -- which of several, or empty
    base    INTEGER NOT NULL CHECK (base >= 0 AND base < rev), -- the revision that it takes the place of, 0 if it is the first
    person  TEXT NOT NULL CHECK (person <> ''),           -- the name of who made it
    at      INTEGER NOT NULL CHECK (at > 0),              -- when
    value   TEXT CHECK (json_valid(value)),               -- JSON; NULL where it was removed
    UNIQUE (kind, survey, outcome, id, base),             -- no two take the place of one: that would lose an update
    CHECK (kind <> 'entry' OR survey <> '' AND outcome <> '' AND id = '' AND value IS NOT NULL),
    CHECK (kind <> 'entry' OR coalesce(json_extract(value, '$.level'), 'none') IN ('none', '0', '1', '2', '3', '4', 'na', 'withheld')),
    CHECK (kind <> 'contribution' OR survey <> '' AND outcome <> '' AND id <> ''),
    CHECK (kind NOT IN ('decision', 'sealing') OR value IS NOT NULL AND base = 0) -- what was decided or sealed is never changed
) STRICT;

INSERT INTO history_of_kinds (rev, kind, survey, outcome, id, base, person, at, value)
SELECT rev, kind, survey, outcome, id, base, person, at, value FROM history ORDER BY rev;

DROP TABLE newest; -- first, for it refers to history
DROP TABLE history;
ALTER TABLE history_of_kinds RENAME TO history;

-- The newest revision of each key.
CREATE TABLE newest (
    kind    TEXT NOT NULL, -- as in history
    survey  TEXT NOT NULL, -- as in history
    outcome TEXT NOT NULL, -- as in history
    id      TEXT NOT NULL, -- as in history
    rev     INTEGER NOT NULL UNIQUE REFERENCES history (rev), -- the newest row of the key
    PRIMARY KEY (kind, survey, outcome, id)
) STRICT, WITHOUT ROWID;

INSERT INTO newest (kind, survey, outcome, id, rev)
SELECT kind, survey, outcome, id, max(rev) FROM history GROUP BY kind, survey, outcome, id;

-- Copies of pieces of evidence, each beside a record of the kind 'copy'.
CREATE TABLE copies (
    survey  TEXT NOT NULL, -- of the reference
    outcome TEXT NOT NULL, -- of the reference
    id      TEXT NOT NULL, -- of the reference
    body    BLOB NOT NULL CHECK (length(body) <= 10485760), -- what lay there when it was copied
    PRIMARY KEY (survey, outcome, id)
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER history_stays BEFORE UPDATE ON history
BEGIN SELECT raise(ABORT, 'history does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER history_is_kept BEFORE DELETE ON history
BEGIN SELECT raise(ABORT, 'history is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER history_follows BEFORE INSERT ON history
WHEN new.base <> coalesce((SELECT rev FROM newest WHERE kind = new.kind AND survey = new.survey AND outcome = new.outcome AND id = new.id), 0)
BEGIN SELECT raise(ABORT, 'a revision takes the place of the newest'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER newest_is_later BEFORE UPDATE ON newest
WHEN new.rev <= old.rev
BEGIN SELECT raise(ABORT, 'the newest revision is the highest'); END;
-- +goose StatementEnd
