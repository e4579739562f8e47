-- +goose Up

-- That this database came from a backup: what happened after it is not in it.
CREATE TABLE restorations (
    backup     TEXT    NOT NULL CHECK (length(backup) = 64),                                              -- hex SHA-256 of the backup's manifest
    restored   INTEGER NOT NULL CHECK (restored >= 0),                                                    -- when
    taken      INTEGER NOT NULL CHECK (taken >= 0),                                                       -- when the backup was
    statement  TEXT    NOT NULL CHECK (statement IN ('collected', 'not collected', 'not asked')),         -- what the coordinator said of its collection
    reconciled INTEGER NOT NULL DEFAULT 0 CHECK (reconciled IN (0, 1)),                                   -- whether the other host was asked since
    PRIMARY KEY (backup, restored)
) STRICT;
