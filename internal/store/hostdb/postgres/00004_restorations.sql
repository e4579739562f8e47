-- +goose Up

-- That this database came from a backup: what happened after it is not in it.
CREATE TABLE restorations (
    backup     TEXT COLLATE "C" NOT NULL CHECK (length(backup) = 64),                                              -- hex SHA-256 of the backup's manifest
    restored   BIGINT           NOT NULL CHECK (restored >= 0),                                                    -- when
    taken      BIGINT           NOT NULL CHECK (taken >= 0),                                                       -- when the backup was
    statement  TEXT COLLATE "C" NOT NULL CHECK (statement IN ('collected', 'not collected', 'not asked')),         -- what the coordinator said of its collection
    reconciled BOOLEAN          NOT NULL DEFAULT FALSE,                                                            -- whether the other host was asked since
    PRIMARY KEY (backup, restored)
);
