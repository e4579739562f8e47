-- What the coordinator keeps: people, members and partners with their keys, cycles with
-- their history, questions and the record. Times are microseconds since 1970 UTC, digests
-- are lower-case hex, and of tokens only digests are kept. Of answers there is a status.

-- +goose Up

-- Everybody who was ever invited. Nobody is deleted: what a person did stays under her name.
CREATE TABLE account_people (
    id      TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32), -- 16 random bytes in hex
    name    TEXT NOT NULL CHECK (name <> ''),                  -- as others see it
    folded  TEXT NOT NULL UNIQUE CHECK (folded <> ''),         -- the name as it is compared: no two people look alike
    grants  TEXT NOT NULL CHECK (grants <> ''),                -- JSON: roles, and what each is limited to
    added   INTEGER NOT NULL CHECK (added > 0),                -- when she was invited
    joined  INTEGER CHECK (joined >= added),                   -- when she first proved who she is; NULL if she has not yet
    removed INTEGER CHECK (removed >= added)                   -- when she was removed; NULL while she belongs to the pages
) STRICT;

-- What lets somebody in once.
CREATE TABLE account_invitations (
    digest   TEXT NOT NULL PRIMARY KEY CHECK (length(digest) = 64), -- SHA-256 of the token, in hex
    person   TEXT NOT NULL REFERENCES account_people (id),          -- whom it lets in
    made     INTEGER NOT NULL CHECK (made > 0),                     -- when
    maker    TEXT NOT NULL CHECK (maker <> ''),                     -- the name of who made it
    expires  INTEGER NOT NULL CHECK (expires > made),               -- from when on it is good no more
    recovery INTEGER NOT NULL CHECK (recovery IN (0, 1)),           -- whether the person had joined before
    used     INTEGER CHECK (used >= made),                          -- when it was used up; NULL if it was not
    void     INTEGER CHECK (void >= made),                          -- when it was taken back; NULL if it was not
    CHECK (used IS NULL OR used < expires),
    CHECK (used IS NULL OR void IS NULL)
) STRICT;

-- What a person signs in with. One that was removed stays: nobody else takes it over.
CREATE TABLE account_credentials (
    kind    TEXT NOT NULL CHECK (kind IN ('passkey', 'provider')), -- a passkey, or an identity that a provider vouches for
    issuer  TEXT NOT NULL,                                         -- of an identity its issuer; else empty
    id      TEXT NOT NULL CHECK (id <> ''),                        -- of a passkey its id in base64url, of an identity its subject
    person  TEXT NOT NULL REFERENCES account_people (id),          -- whose it is
    name    TEXT NOT NULL CHECK (name <> ''),                      -- as the person knows it
    record  TEXT CHECK (record <> ''),                             -- of a passkey public key, counter and flags; else NULL
    added   INTEGER NOT NULL CHECK (added > 0),                    -- when
    used    INTEGER CHECK (used >= added),                         -- when last; NULL if never
    removed INTEGER CHECK (removed >= added),                      -- when; NULL while it is good
    PRIMARY KEY (kind, issuer, id),
    CHECK ((kind = 'passkey') = (record IS NOT NULL)),
    CHECK ((kind = 'provider') = (issuer <> ''))
) STRICT;

-- The browsers that are signed in.
CREATE TABLE account_sessions (
    digest  TEXT NOT NULL PRIMARY KEY CHECK (digest <> ''), -- of the token, which only the browser has
    person  TEXT NOT NULL REFERENCES account_people (id),   -- who signed in
    began   INTEGER NOT NULL CHECK (began > 0),             -- when
    seen    INTEGER NOT NULL CHECK (seen >= began),         -- when it was last used, to the minute
    expires INTEGER NOT NULL CHECK (expires > began),       -- when it ends however much it is used
    value   BLOB NOT NULL                                   -- what the pages keep with it
) STRICT;

-- What happened to people.
CREATE TABLE account_events (
    seq    INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0), -- in their order
    at     INTEGER NOT NULL CHECK (at > 0),              -- when
    what   TEXT NOT NULL CHECK (what <> ''),             -- what
    maker  TEXT NOT NULL CHECK (maker <> ''),            -- the name of who did it
    person TEXT NOT NULL CHECK (person <> ''),           -- the name of whom it concerns
    detail TEXT NOT NULL,                                -- roles, or the kind of a credential; may be empty
    source TEXT NOT NULL                                 -- the address that it came from; empty for a command
) STRICT;

-- Where people are written to, by mail.
CREATE TABLE contacts (
    person  TEXT NOT NULL PRIMARY KEY REFERENCES account_people (id), -- who
    address TEXT NOT NULL CHECK (address <> ''),                      -- name@host
    lang    TEXT NOT NULL CHECK (lang IN ('en', 'fr'))                -- the language to write in
) STRICT;

-- The coalition that this database is of: one row.
CREATE TABLE coalition (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1), -- there is one
    name TEXT NOT NULL CHECK (name <> '')               -- as its charters have it
) STRICT;

-- Members and partners. Nobody is deleted.
CREATE TABLE parties (
    id     TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),          -- small letters, digits and hyphens
    name   TEXT NOT NULL CHECK (name <> ''),                    -- as a charter lists it
    folded TEXT NOT NULL UNIQUE CHECK (folded <> ''),           -- the name as it is compared: no two look alike
    kind   TEXT NOT NULL CHECK (kind IN ('member', 'partner')), -- of the coalition, or its guest
    added  INTEGER NOT NULL CHECK (added > 0),                  -- when
    gone   INTEGER CHECK (gone >= added)                        -- when it left; NULL while it belongs to the coalition
) STRICT;

-- One a year: where it stands.
CREATE TABLE cycles (
    id        TEXT NOT NULL PRIMARY KEY CHECK (id <> ''),       -- as its charter has it
    framework TEXT NOT NULL,                                    -- the id of the pack; empty while it is not chosen
    version   TEXT NOT NULL,                                    -- of the pack
    digest    TEXT NOT NULL CHECK (length(digest) IN (0, 64)),  -- hex SHA-256 of the pack in its canonical form
    leader    TEXT REFERENCES parties (id),                     -- a host; NULL while it is not chosen
    helper    TEXT REFERENCES parties (id),                     -- the other one
    marking   TEXT NOT NULL,                                    -- of the charter; empty for none
    phase     TEXT NOT NULL CHECK (phase <> ''),                -- where it stands
    made      INTEGER NOT NULL CHECK (made > 0),                -- when it was begun
    opens     INTEGER CHECK (opens > 0),                        -- when it opens; NULL while that is not set
    deadline  INTEGER CHECK (deadline > opens),                 -- until when answers are taken
    wipe      INTEGER CHECK (wipe > deadline),                  -- when what it leaves is wiped
    charter   TEXT NOT NULL CHECK (length(charter) IN (0, 64)), -- hex SHA-256 of the charter that is adopted; empty until then
    release   TEXT NOT NULL CHECK (length(release) IN (0, 64)), -- hex SHA-256 of the release that was approved; empty until then
    CHECK (leader IS NULL OR helper IS NULL OR leader <> helper),
    CHECK ((opens IS NULL) = (deadline IS NULL)),
    CHECK ((deadline IS NULL) = (wipe IS NULL))
) STRICT;

-- How cycles came to their phases.
CREATE TABLE steps (
    cycle  TEXT NOT NULL REFERENCES cycles (id),  -- which
    number INTEGER NOT NULL CHECK (number > 0),   -- from 1, without a gap
    before TEXT NOT NULL CHECK (before <> ''),    -- the phase that was left
    after  TEXT NOT NULL CHECK (after <> before), -- the phase that began
    reason TEXT NOT NULL,                         -- why; empty where none is needed
    maker  TEXT NOT NULL CHECK (maker <> ''),     -- the names of who did it
    at     INTEGER NOT NULL CHECK (at > 0),       -- when
    PRIMARY KEY (cycle, number)
) STRICT;

-- How deadlines moved after a charter was adopted: only later.
CREATE TABLE extensions (
    cycle  TEXT NOT NULL REFERENCES cycles (id),    -- which
    number INTEGER NOT NULL CHECK (number > 0),     -- from 1, without a gap
    before INTEGER NOT NULL CHECK (before > 0),     -- the deadline that was
    after  INTEGER NOT NULL CHECK (after > before), -- the one that is
    reason TEXT NOT NULL CHECK (reason <> ''),      -- why
    maker  TEXT NOT NULL CHECK (maker <> ''),       -- the name of who moved it
    at     INTEGER NOT NULL CHECK (at > 0),         -- when
    PRIMARY KEY (cycle, number)
) STRICT;

-- Where each party of a cycle stands, and how it came there. It is all that is kept of answers.
CREATE TABLE participations (
    cycle  TEXT NOT NULL REFERENCES cycles (id),                                                                -- of which cycle
    party  TEXT NOT NULL REFERENCES parties (id),                                                               -- who
    number INTEGER NOT NULL CHECK (number > 0),                                                                 -- from 1, without a gap
    status TEXT NOT NULL CHECK (status IN ('not started', 'under way', 'signed off', 'delivered', 'declined')), -- where it stands
    maker  TEXT NOT NULL CHECK (maker <> ''),                                                                   -- the name of who said so
    at     INTEGER NOT NULL CHECK (at > 0),                                                                     -- when
    PRIMARY KEY (cycle, party, number)
) STRICT;

-- What somebody asked for and others have to want as well.
CREATE TABLE requests (
    number         INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),                              -- from 1, without a gap
    kind           TEXT NOT NULL CHECK (kind IN ('enrol a key', 'cancel the cycle', 'release')), -- what for
    cycle          TEXT REFERENCES cycles (id),                                                  -- about which cycle; NULL for a key
    party          TEXT REFERENCES parties (id),                                                 -- whose key; else NULL
    subject        TEXT NOT NULL,                                                                -- the key, or the digest of the release; else empty
    reason         TEXT NOT NULL,                                                                -- of a cancellation; else empty
    asker          TEXT REFERENCES account_people (id),                                          -- who asked; NULL for a command
    maker          TEXT NOT NULL CHECK (maker <> ''),                                            -- her name
    at             INTEGER NOT NULL CHECK (at > 0),                                              -- when
    verdict        TEXT CHECK (verdict IN ('approved', 'refused', 'withdrawn')),                 -- how it ended; NULL while it is open
    verdict_reason TEXT,                                                                         -- why; NULL while it is open
    verdict_maker  TEXT CHECK (verdict_maker <> ''),                                             -- the name of who ended it; NULL while it is open
    ended          INTEGER CHECK (ended >= at),                                                  -- when; NULL while it is open
    CHECK ((kind = 'enrol a key') = (party IS NOT NULL)),
    CHECK ((party IS NULL) = (cycle IS NOT NULL)),
    CHECK ((verdict IS NULL) = (ended IS NULL)),
    CHECK ((verdict IS NULL) = (verdict_maker IS NULL))
) STRICT;

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

-- The keys with which parties sign, as two people compared them. The highest number counts.
CREATE TABLE party_keys (
    party   TEXT NOT NULL REFERENCES parties (id),                -- whose
    number  INTEGER NOT NULL CHECK (number > 0),                  -- from 1, without a gap
    public  TEXT NOT NULL CHECK (public <> ''),                   -- NAME+HASH+KEY
    at      INTEGER NOT NULL CHECK (at > 0),                      -- when it was enrolled
    request INTEGER NOT NULL UNIQUE REFERENCES requests (number), -- by which it was
    PRIMARY KEY (party, number)
) STRICT;

-- What was asked about a cycle, and what all are told.
CREATE TABLE questions (
    number  INTEGER NOT NULL PRIMARY KEY CHECK (number > 0), -- from 1, without a gap
    cycle   TEXT NOT NULL REFERENCES cycles (id),            -- about which
    asker   TEXT NOT NULL REFERENCES account_people (id),    -- who asked; shown to nobody but herself
    text    TEXT NOT NULL CHECK (text <> ''),                -- as she wrote it
    asked   INTEGER NOT NULL CHECK (asked > 0),              -- when
    wording TEXT CHECK (wording <> ''),                      -- as all read it; NULL until it is answered
    answer  TEXT CHECK (answer <> ''),                       -- NULL until then
    maker   TEXT CHECK (maker <> ''),                        -- the name of who answered; NULL until then
    at      INTEGER CHECK (at >= asked),                     -- when it was answered; NULL until then
    CHECK ((at IS NULL) = (wording IS NULL)),
    CHECK ((at IS NULL) = (answer IS NULL)),
    CHECK ((at IS NULL) = (maker IS NULL))
) STRICT;

-- Reminders that were sent: nobody gets the same one twice.
CREATE TABLE sendings (
    person TEXT NOT NULL REFERENCES account_people (id), -- to whom
    cycle  TEXT NOT NULL,                                -- about which cycle; empty where it is about none
    topic  TEXT NOT NULL CHECK (topic <> ''),            -- what it was about, and how near
    at     INTEGER NOT NULL CHECK (at > 0),              -- when
    PRIMARY KEY (person, cycle, topic)
) STRICT;

-- What happened, line by line, each chained to the one before it.
CREATE TABLE record (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),  -- from 1, without a gap
    at     INTEGER NOT NULL CHECK (at > 0),                  -- when
    maker  TEXT NOT NULL,                                    -- the names of who did it; empty where that is not to be known
    what   TEXT NOT NULL CHECK (what <> ''),                 -- what
    cycle  TEXT NOT NULL,                                    -- about which cycle; empty for none
    party  TEXT NOT NULL,                                    -- about which member or partner; empty for none
    detail TEXT NOT NULL,                                    -- what more there is to say
    digest TEXT NOT NULL UNIQUE CHECK (length(digest) = 64)  -- hex SHA-256 of the line before and this one
) STRICT;

CREATE INDEX account_invitations_of ON account_invitations (person);
CREATE INDEX account_credentials_of ON account_credentials (person);
CREATE INDEX account_sessions_of ON account_sessions (person);
CREATE INDEX requests_open ON requests (number) WHERE verdict IS NULL;
CREATE INDEX requests_of ON requests (cycle);
CREATE INDEX questions_of ON questions (cycle);

-- What happened does not change, and nothing of it is deleted.
-- +goose StatementBegin
CREATE TRIGGER account_events_stay BEFORE UPDATE ON account_events
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER steps_stay BEFORE UPDATE ON steps
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER extensions_stay BEFORE UPDATE ON extensions
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER participations_stay BEFORE UPDATE ON participations
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER approvals_stay BEFORE UPDATE ON approvals
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER party_keys_stay BEFORE UPDATE ON party_keys
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER sendings_stay BEFORE UPDATE ON sendings
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER record_stay BEFORE UPDATE ON record
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_events_are_kept BEFORE DELETE ON account_events
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER steps_are_kept BEFORE DELETE ON steps
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER extensions_are_kept BEFORE DELETE ON extensions
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER participations_are_kept BEFORE DELETE ON participations
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
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
CREATE TRIGGER sendings_are_kept BEFORE DELETE ON sendings
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER record_are_kept BEFORE DELETE ON record
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_people_are_kept BEFORE DELETE ON account_people
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_credentials_are_kept BEFORE DELETE ON account_credentials
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER coalition_are_kept BEFORE DELETE ON coalition
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER parties_are_kept BEFORE DELETE ON parties
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER cycles_are_kept BEFORE DELETE ON cycles
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER requests_are_kept BEFORE DELETE ON requests
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER questions_are_kept BEFORE DELETE ON questions
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_invitations_once BEFORE UPDATE ON account_invitations
WHEN old.used IS NOT NULL OR old.void IS NOT NULL
BEGIN SELECT raise(ABORT, 'an invitation is used once'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER requests_once BEFORE UPDATE ON requests
WHEN old.verdict IS NOT NULL
BEGIN SELECT raise(ABORT, 'a request ends once'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER questions_once BEFORE UPDATE ON questions
WHEN old.at IS NOT NULL
BEGIN SELECT raise(ABORT, 'a question is answered once'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_credentials_once BEFORE UPDATE ON account_credentials
WHEN new.person <> old.person
BEGIN SELECT raise(ABORT, 'a credential stays with its person'); END;
-- +goose StatementEnd
