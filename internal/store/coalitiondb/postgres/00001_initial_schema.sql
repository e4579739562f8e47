-- What the coordinator keeps: people, members and partners with their keys, cycles with
-- their history, questions and the record. Times are microseconds since 1970 UTC, digests
-- are lower-case hex, and of tokens only digests are kept. Of answers there is a status.
-- Text is sorted by its bytes, as on SQLite.

-- +goose Up

-- Everybody who was ever invited. Nobody is deleted: what a person did stays under her name.
CREATE TABLE account_people (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(id) = 32), -- 16 random bytes in hex
    name    TEXT COLLATE "C" NOT NULL CHECK (name <> ''),                  -- as others see it
    folded  TEXT COLLATE "C" NOT NULL UNIQUE CHECK (folded <> ''),         -- the name as it is compared: no two people look alike
    grants  TEXT COLLATE "C" NOT NULL CHECK (grants <> ''),                -- JSON: roles, and what each is limited to
    added   BIGINT NOT NULL CHECK (added > 0),                             -- when she was invited
    joined  BIGINT CHECK (joined >= added),                                -- when she first proved who she is; NULL if she has not yet
    removed BIGINT CHECK (removed >= added)                                -- when she was removed; NULL while she belongs to the pages
);

-- What lets somebody in once.
CREATE TABLE account_invitations (
    digest   TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(digest) = 64), -- SHA-256 of the token, in hex
    person   TEXT COLLATE "C" NOT NULL REFERENCES account_people (id),          -- whom it lets in
    made     BIGINT NOT NULL CHECK (made > 0),                                  -- when
    maker    TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),                     -- the name of who made it
    expires  BIGINT NOT NULL CHECK (expires > made),                            -- from when on it is good no more
    recovery BOOLEAN NOT NULL,                                                  -- whether the person had joined before
    used     BIGINT CHECK (used >= made),                                       -- when it was used up; NULL if it was not
    void     BIGINT CHECK (void >= made),                                       -- when it was taken back; NULL if it was not
    CHECK (used IS NULL OR used < expires),
    CHECK (used IS NULL OR void IS NULL)
);

-- What a person signs in with. One that was removed stays: nobody else takes it over.
CREATE TABLE account_credentials (
    kind    TEXT COLLATE "C" NOT NULL CHECK (kind IN ('passkey', 'provider')), -- a passkey, or an identity that a provider vouches for
    issuer  TEXT COLLATE "C" NOT NULL,                                         -- of an identity its issuer; else empty
    id      TEXT COLLATE "C" NOT NULL CHECK (id <> ''),                        -- of a passkey its id in base64url, of an identity its subject
    person  TEXT COLLATE "C" NOT NULL REFERENCES account_people (id),          -- whose it is
    name    TEXT COLLATE "C" NOT NULL CHECK (name <> ''),                      -- as the person knows it
    record  TEXT COLLATE "C" CHECK (record <> ''),                             -- of a passkey public key, counter and flags; else NULL
    added   BIGINT NOT NULL CHECK (added > 0),                                 -- when
    used    BIGINT CHECK (used >= added),                                      -- when last; NULL if never
    removed BIGINT CHECK (removed >= added),                                   -- when; NULL while it is good
    PRIMARY KEY (kind, issuer, id),
    CHECK ((kind = 'passkey') = (record IS NOT NULL)),
    CHECK ((kind = 'provider') = (issuer <> ''))
);

-- The browsers that are signed in.
CREATE TABLE account_sessions (
    digest  TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (digest <> ''), -- of the token, which only the browser has
    person  TEXT COLLATE "C" NOT NULL REFERENCES account_people (id),   -- who signed in
    began   BIGINT NOT NULL CHECK (began > 0),                          -- when
    seen    BIGINT NOT NULL CHECK (seen >= began),                      -- when it was last used, to the minute
    expires BIGINT NOT NULL CHECK (expires > began),                    -- when it ends however much it is used
    value   BYTEA NOT NULL                                              -- what the pages keep with it
);

-- What happened to people.
CREATE TABLE account_events (
    seq    BIGINT NOT NULL PRIMARY KEY CHECK (seq > 0),    -- in their order
    at     BIGINT NOT NULL CHECK (at > 0),                 -- when
    what   TEXT COLLATE "C" NOT NULL CHECK (what <> ''),   -- what
    maker  TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),  -- the name of who did it
    person TEXT COLLATE "C" NOT NULL CHECK (person <> ''), -- the name of whom it concerns
    detail TEXT COLLATE "C" NOT NULL,                      -- roles, or the kind of a credential; may be empty
    source TEXT COLLATE "C" NOT NULL                       -- the address that it came from; empty for a command
);

-- Where people are written to, by mail.
CREATE TABLE contacts (
    person  TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES account_people (id), -- who
    address TEXT COLLATE "C" NOT NULL CHECK (address <> ''),                      -- name@host
    lang    TEXT COLLATE "C" NOT NULL CHECK (lang IN ('en', 'fr'))                -- the language to write in
);

-- The coalition that this database is of: one row.
CREATE TABLE coalition (
    one  BIGINT NOT NULL PRIMARY KEY CHECK (one = 1), -- there is one
    name TEXT COLLATE "C" NOT NULL CHECK (name <> '')  -- as its charters have it
);

-- Members and partners. Nobody is deleted.
CREATE TABLE parties (
    id     TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),          -- small letters, digits and hyphens
    name   TEXT COLLATE "C" NOT NULL CHECK (name <> ''),                    -- as a charter lists it
    folded TEXT COLLATE "C" NOT NULL UNIQUE CHECK (folded <> ''),           -- the name as it is compared: no two look alike
    kind   TEXT COLLATE "C" NOT NULL CHECK (kind IN ('member', 'partner')), -- of the coalition, or its guest
    added  BIGINT NOT NULL CHECK (added > 0),                               -- when
    gone   BIGINT CHECK (gone >= added)                                     -- when it left; NULL while it belongs to the coalition
);

-- One a year: where it stands.
CREATE TABLE cycles (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (id <> ''),       -- as its charter has it
    framework TEXT COLLATE "C" NOT NULL,                                    -- the id of the pack; empty while it is not chosen
    version   TEXT COLLATE "C" NOT NULL,                                    -- of the pack
    digest    TEXT COLLATE "C" NOT NULL CHECK (length(digest) IN (0, 64)),  -- hex SHA-256 of the pack in its canonical form
    leader    TEXT COLLATE "C" REFERENCES parties (id),                     -- a host; NULL while it is not chosen
    helper    TEXT COLLATE "C" REFERENCES parties (id),                     -- the other one
    marking   TEXT COLLATE "C" NOT NULL,                                    -- of the charter; empty for none
    phase     TEXT COLLATE "C" NOT NULL CHECK (phase <> ''),                -- where it stands
    made      BIGINT NOT NULL CHECK (made > 0),                             -- when it was begun
    opens     BIGINT CHECK (opens > 0),                                     -- when it opens; NULL while that is not set
    deadline  BIGINT CHECK (deadline > opens),                              -- until when answers are taken
    wipe      BIGINT CHECK (wipe > deadline),                               -- when what it leaves is wiped
    charter   TEXT COLLATE "C" NOT NULL CHECK (length(charter) IN (0, 64)), -- hex SHA-256 of the charter that is adopted; empty until then
    release   TEXT COLLATE "C" NOT NULL CHECK (length(release) IN (0, 64)), -- hex SHA-256 of the release that was approved; empty until then
    CHECK (leader IS NULL OR helper IS NULL OR leader <> helper),
    CHECK ((opens IS NULL) = (deadline IS NULL)),
    CHECK ((deadline IS NULL) = (wipe IS NULL))
);

-- How cycles came to their phases.
CREATE TABLE steps (
    cycle  TEXT COLLATE "C" NOT NULL REFERENCES cycles (id),  -- which
    number BIGINT NOT NULL CHECK (number > 0),                -- from 1, without a gap
    before TEXT COLLATE "C" NOT NULL CHECK (before <> ''),    -- the phase that was left
    after  TEXT COLLATE "C" NOT NULL CHECK (after <> before), -- the phase that began
    reason TEXT COLLATE "C" NOT NULL,                         -- why; empty where none is needed
    maker  TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),     -- the names of who did it
    at     BIGINT NOT NULL CHECK (at > 0),                    -- when
    PRIMARY KEY (cycle, number)
);

-- How deadlines moved after a charter was adopted: only later.
CREATE TABLE extensions (
    cycle  TEXT COLLATE "C" NOT NULL REFERENCES cycles (id), -- which
    number BIGINT NOT NULL CHECK (number > 0),               -- from 1, without a gap
    before BIGINT NOT NULL CHECK (before > 0),               -- the deadline that was
    after  BIGINT NOT NULL CHECK (after > before),           -- the one that is
    reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),   -- why
    maker  TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),    -- the name of who moved it
    at     BIGINT NOT NULL CHECK (at > 0),                   -- when
    PRIMARY KEY (cycle, number)
);

-- Where each party of a cycle stands, and how it came there. It is all that is kept of answers.
CREATE TABLE participations (
    cycle  TEXT COLLATE "C" NOT NULL REFERENCES cycles (id),                                                                -- of which cycle
    party  TEXT COLLATE "C" NOT NULL REFERENCES parties (id),                                                               -- who
    number BIGINT NOT NULL CHECK (number > 0),                                                                              -- from 1, without a gap
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('not started', 'under way', 'signed off', 'delivered', 'declined')), -- where it stands
    maker  TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),                                                                   -- the name of who said so
    at     BIGINT NOT NULL CHECK (at > 0),                                                                                  -- when
    PRIMARY KEY (cycle, party, number)
);

-- What somebody asked for and others have to want as well.
CREATE TABLE requests (
    number         BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),                                           -- from 1, without a gap
    kind           TEXT COLLATE "C" NOT NULL CHECK (kind IN ('enrol a key', 'cancel the cycle', 'release')), -- what for
    cycle          TEXT COLLATE "C" REFERENCES cycles (id),                                                  -- about which cycle; NULL for a key
    party          TEXT COLLATE "C" REFERENCES parties (id),                                                 -- whose key; else NULL
    subject        TEXT COLLATE "C" NOT NULL,                                                                -- the key, or the digest of the release; else empty
    reason         TEXT COLLATE "C" NOT NULL,                                                                -- of a cancellation; else empty
    asker          TEXT COLLATE "C" REFERENCES account_people (id),                                          -- who asked; NULL for a command
    maker          TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),                                            -- her name
    at             BIGINT NOT NULL CHECK (at > 0),                                                           -- when
    verdict        TEXT COLLATE "C" CHECK (verdict IN ('approved', 'refused', 'withdrawn')),                 -- how it ended; NULL while it is open
    verdict_reason TEXT COLLATE "C",                                                                         -- why; NULL while it is open
    verdict_maker  TEXT COLLATE "C" CHECK (verdict_maker <> ''),                                             -- the name of who ended it; NULL while it is open
    ended          BIGINT CHECK (ended >= at),                                                               -- when; NULL while it is open
    CHECK ((kind = 'enrol a key') = (party IS NOT NULL)),
    CHECK ((party IS NULL) = (cycle IS NOT NULL)),
    CHECK ((verdict IS NULL) = (ended IS NULL)),
    CHECK ((verdict IS NULL) = (verdict_maker IS NULL))
);

-- Who wants what was asked for: nobody twice, and no word is given twice.
CREATE TABLE approvals (
    request BIGINT NOT NULL REFERENCES requests (number),                             -- what
    slot    TEXT COLLATE "C" NOT NULL CHECK (slot IN ('second', 'leader', 'helper')), -- which word it is
    person  TEXT COLLATE "C" NOT NULL REFERENCES account_people (id),                 -- who
    maker   TEXT COLLATE "C" NOT NULL CHECK (maker <> ''),                            -- her name
    at      BIGINT NOT NULL CHECK (at > 0),                                           -- when
    PRIMARY KEY (request, slot),
    UNIQUE (request, person)
);

-- The keys with which parties sign, as two people compared them. The highest number counts.
CREATE TABLE party_keys (
    party   TEXT COLLATE "C" NOT NULL REFERENCES parties (id),   -- whose
    number  BIGINT NOT NULL CHECK (number > 0),                  -- from 1, without a gap
    public  TEXT COLLATE "C" NOT NULL CHECK (public <> ''),      -- NAME+HASH+KEY
    at      BIGINT NOT NULL CHECK (at > 0),                      -- when it was enrolled
    request BIGINT NOT NULL UNIQUE REFERENCES requests (number), -- by which it was
    PRIMARY KEY (party, number)
);

-- What was asked about a cycle, and what all are told.
CREATE TABLE questions (
    number  BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),           -- from 1, without a gap
    cycle   TEXT COLLATE "C" NOT NULL REFERENCES cycles (id),         -- about which
    asker   TEXT COLLATE "C" NOT NULL REFERENCES account_people (id), -- who asked; shown to nobody but herself
    text    TEXT COLLATE "C" NOT NULL CHECK (text <> ''),             -- as she wrote it
    asked   BIGINT NOT NULL CHECK (asked > 0),                        -- when
    wording TEXT COLLATE "C" CHECK (wording <> ''),                   -- as all read it; NULL until it is answered
    answer  TEXT COLLATE "C" CHECK (answer <> ''),                    -- NULL until then
    maker   TEXT COLLATE "C" CHECK (maker <> ''),                     -- the name of who answered; NULL until then
    at      BIGINT CHECK (at >= asked),                               -- when it was answered; NULL until then
    CHECK ((at IS NULL) = (wording IS NULL)),
    CHECK ((at IS NULL) = (answer IS NULL)),
    CHECK ((at IS NULL) = (maker IS NULL))
);

-- Reminders that were sent: nobody gets the same one twice.
CREATE TABLE sendings (
    person TEXT COLLATE "C" NOT NULL REFERENCES account_people (id), -- to whom
    cycle  TEXT COLLATE "C" NOT NULL,                                -- about which cycle; empty where it is about none
    topic  TEXT COLLATE "C" NOT NULL CHECK (topic <> ''),            -- what it was about, and how near
    at     BIGINT NOT NULL CHECK (at > 0),                           -- when
    PRIMARY KEY (person, cycle, topic)
);

-- What happened, line by line, each chained to the one before it.
CREATE TABLE record (
    number BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),               -- from 1, without a gap
    at     BIGINT NOT NULL CHECK (at > 0),                               -- when
    maker  TEXT COLLATE "C" NOT NULL,                                    -- the names of who did it; empty where that is not to be known
    what   TEXT COLLATE "C" NOT NULL CHECK (what <> ''),                 -- what
    cycle  TEXT COLLATE "C" NOT NULL,                                    -- about which cycle; empty for none
    party  TEXT COLLATE "C" NOT NULL,                                    -- about which member or partner; empty for none
    detail TEXT COLLATE "C" NOT NULL,                                    -- what more there is to say
    digest TEXT COLLATE "C" NOT NULL UNIQUE CHECK (length(digest) = 64)  -- hex SHA-256 of the line before and this one
);

CREATE INDEX account_invitations_of ON account_invitations (person);
CREATE INDEX account_credentials_of ON account_credentials (person);
CREATE INDEX account_sessions_of ON account_sessions (person);
CREATE INDEX requests_open ON requests (number) WHERE verdict IS NULL;
CREATE INDEX requests_of ON requests (cycle);
CREATE INDEX questions_of ON questions (cycle);

-- What happened does not change, and nothing of it is deleted.
-- +goose StatementBegin
CREATE FUNCTION muster_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_events_stay BEFORE UPDATE ON account_events FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER steps_stay BEFORE UPDATE ON steps FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER extensions_stay BEFORE UPDATE ON extensions FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER participations_stay BEFORE UPDATE ON participations FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER approvals_stay BEFORE UPDATE ON approvals FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER party_keys_stay BEFORE UPDATE ON party_keys FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER sendings_stay BEFORE UPDATE ON sendings FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER record_stay BEFORE UPDATE ON record FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened does not change');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_events_are_kept BEFORE DELETE ON account_events FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER steps_are_kept BEFORE DELETE ON steps FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER extensions_are_kept BEFORE DELETE ON extensions FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER participations_are_kept BEFORE DELETE ON participations FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER approvals_are_kept BEFORE DELETE ON approvals FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER party_keys_are_kept BEFORE DELETE ON party_keys FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER sendings_are_kept BEFORE DELETE ON sendings FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER record_are_kept BEFORE DELETE ON record FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_people_are_kept BEFORE DELETE ON account_people FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_credentials_are_kept BEFORE DELETE ON account_credentials FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER coalition_are_kept BEFORE DELETE ON coalition FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER parties_are_kept BEFORE DELETE ON parties FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER cycles_are_kept BEFORE DELETE ON cycles FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER requests_are_kept BEFORE DELETE ON requests FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER questions_are_kept BEFORE DELETE ON questions FOR EACH ROW
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_invitations_once BEFORE UPDATE ON account_invitations FOR EACH ROW
WHEN (old.used IS NOT NULL OR old.void IS NOT NULL)
EXECUTE FUNCTION muster_refuse('an invitation is used once');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER requests_once BEFORE UPDATE ON requests FOR EACH ROW
WHEN (old.verdict IS NOT NULL)
EXECUTE FUNCTION muster_refuse('a request ends once');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER questions_once BEFORE UPDATE ON questions FOR EACH ROW
WHEN (old.at IS NOT NULL)
EXECUTE FUNCTION muster_refuse('a question is answered once');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_credentials_once BEFORE UPDATE ON account_credentials FOR EACH ROW
WHEN (new.person <> old.person)
EXECUTE FUNCTION muster_refuse('a credential stays with its person');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_events_are_not_emptied BEFORE TRUNCATE ON account_events FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER steps_are_not_emptied BEFORE TRUNCATE ON steps FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER extensions_are_not_emptied BEFORE TRUNCATE ON extensions FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER participations_are_not_emptied BEFORE TRUNCATE ON participations FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER approvals_are_not_emptied BEFORE TRUNCATE ON approvals FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER party_keys_are_not_emptied BEFORE TRUNCATE ON party_keys FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER sendings_are_not_emptied BEFORE TRUNCATE ON sendings FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER record_are_not_emptied BEFORE TRUNCATE ON record FOR EACH STATEMENT
EXECUTE FUNCTION muster_refuse('what happened is not deleted');
-- +goose StatementEnd
