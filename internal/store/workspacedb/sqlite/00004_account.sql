-- The people of a workspace that several use: who was invited, what each signs in
-- with, which browsers are signed in, and what happened. Of tokens only digests are
-- kept. A workspace of one person on its own machine leaves these tables empty.

-- +goose Up

-- Everybody who was ever invited. Nobody is deleted: what a person did stays under her name.
CREATE TABLE account_people (
    id      TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),          -- 16 random bytes in hex
    name    TEXT NOT NULL CHECK (name <> ''),                           -- as others see it
    folded  TEXT NOT NULL UNIQUE CHECK (folded <> ''),                  -- the name as it is compared: no two people look alike
    grants  TEXT NOT NULL CHECK (json_type(grants) = 'array'),          -- roles, and what each is limited to
    added   INTEGER NOT NULL CHECK (added > 0),                         -- when she was invited
    joined  INTEGER CHECK (joined >= added),                            -- when she first proved who she is; NULL if she has not yet
    removed INTEGER CHECK (removed >= added)                            -- when she was removed; NULL while she belongs to the workspace
) STRICT;

-- What lets somebody in once.
CREATE TABLE account_invitations (
    digest   TEXT NOT NULL PRIMARY KEY CHECK (length(digest) = 64),     -- SHA-256 of the token, in hex
    person   TEXT NOT NULL REFERENCES account_people (id),              -- whom it lets in
    made     INTEGER NOT NULL CHECK (made > 0),                         -- when
    maker    TEXT NOT NULL CHECK (maker <> ''),                         -- the name of who made it
    expires  INTEGER NOT NULL CHECK (expires > made),                   -- from when on it is good no more
    recovery INTEGER NOT NULL CHECK (recovery IN (0, 1)),               -- 1 if the person had joined before
    used     INTEGER CHECK (used >= made),                              -- when it was used up; NULL if it was not
    void     INTEGER CHECK (void >= made),                              -- when it was taken back; NULL if it was not
    CHECK (used IS NULL OR used < expires),
    CHECK (used IS NULL OR void IS NULL)
) STRICT;
CREATE INDEX account_invitations_of ON account_invitations (person);

-- +goose StatementBegin
CREATE TRIGGER account_invitation_once BEFORE UPDATE ON account_invitations
WHEN old.used IS NOT NULL OR old.void IS NOT NULL
BEGIN SELECT raise(ABORT, 'an invitation is used once'); END;
-- +goose StatementEnd

-- What a person signs in with. One that was removed stays: nobody else takes it over.
CREATE TABLE account_credentials (
    kind    TEXT NOT NULL CHECK (kind IN ('passkey', 'provider')),      -- a passkey, or an identity that a provider vouches for
    issuer  TEXT NOT NULL,                                              -- of an identity its issuer; else empty
    id      TEXT NOT NULL CHECK (id <> ''),                             -- of a passkey its id in base64url, of an identity its subject
    person  TEXT NOT NULL REFERENCES account_people (id),               -- whose it is
    name    TEXT NOT NULL CHECK (name <> ''),                           -- as the person knows it
    record  TEXT CHECK (json_valid(record)),                            -- of a passkey public key, counter and flags; else NULL
    added   INTEGER NOT NULL CHECK (added > 0),                         -- when
    used    INTEGER CHECK (used >= added),                              -- when last; NULL if never
    removed INTEGER CHECK (removed >= added),                           -- when; NULL while it is good
    PRIMARY KEY (kind, issuer, id),
    CHECK ((kind = 'passkey') = (record IS NOT NULL)),
    CHECK ((kind = 'provider') = (issuer <> ''))
) STRICT;
CREATE INDEX account_credentials_of ON account_credentials (person);

-- +goose StatementBegin
CREATE TRIGGER account_credential_stays BEFORE UPDATE ON account_credentials
WHEN new.person <> old.person
BEGIN SELECT raise(ABORT, 'a credential stays with its person'); END;
-- +goose StatementEnd

-- The browsers that are signed in.
CREATE TABLE account_sessions (
    digest  TEXT NOT NULL PRIMARY KEY CHECK (digest <> ''),             -- of the token, which only the browser has
    person  TEXT NOT NULL REFERENCES account_people (id),               -- who signed in
    began   INTEGER NOT NULL CHECK (began > 0),                         -- when
    seen    INTEGER NOT NULL CHECK (seen >= began),                     -- when it was last used, to the minute
    expires INTEGER NOT NULL CHECK (expires > began),                   -- when it ends however much it is used
    value   BLOB NOT NULL                                               -- what the pages keep with it
) STRICT;
CREATE INDEX account_sessions_of ON account_sessions (person);

-- What happened to people.
CREATE TABLE account_events (
    seq    INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),                -- in their order
    at     INTEGER NOT NULL CHECK (at > 0),                             -- when
    what   TEXT NOT NULL CHECK (what <> ''),                            -- what
    maker  TEXT NOT NULL CHECK (maker <> ''),                           -- the name of who did it
    person TEXT NOT NULL CHECK (person <> ''),                          -- the name of whom it concerns
    detail TEXT NOT NULL,                                               -- roles, or the kind of a credential; may be empty
    source TEXT NOT NULL                                                -- the address that it came from; empty for a command
) STRICT;

-- +goose StatementBegin
CREATE TRIGGER account_event_stays BEFORE UPDATE ON account_events
BEGIN SELECT raise(ABORT, 'what happened does not change'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER account_event_is_kept BEFORE DELETE ON account_events
BEGIN SELECT raise(ABORT, 'what happened is not deleted'); END;
-- +goose StatementEnd
