-- +goose Up

-- The state of one host. Ids are unpadded base64url, times are microseconds
-- since 1970 UTC, digests are lower-case hex.
-- Text is sorted by its bytes, as on SQLite.

CREATE TABLE tasks (
    task_id TEXT COLLATE "C" PRIMARY KEY CHECK (length(task_id) = 43),                                     -- DAP's id of the task
    role    TEXT COLLATE "C" NOT NULL CHECK (role IN ('leader', 'helper')),                                -- this host's part; never changes
    phase   TEXT COLLATE "C" NOT NULL CHECK (phase IN ('open', 'closing', 'frozen', 'collected', 'wiped')) -- only moves forward
);

-- Postponements of the deadline, signed by coordinator and hosts.
CREATE TABLE addenda (
    task_id   TEXT COLLATE "C" NOT NULL REFERENCES tasks,              -- whose deadline
    number    BIGINT           NOT NULL CHECK (number > 0),            -- from 1, without a gap
    body      BYTEA            NOT NULL CHECK (length(body) > 0),      -- canonical JSON
    signature BYTEA            NOT NULL CHECK (length(signature) > 0), -- the note over it
    PRIMARY KEY (task_id, number)
);

-- What members say they sent: any number a member, the highest sequence counts.
CREATE TABLE receipts (
    task_id   TEXT COLLATE "C" NOT NULL REFERENCES tasks,               -- the task it was sent to
    member    TEXT COLLATE "C" NOT NULL CHECK (member <> ''),           -- the member's id in the charter
    seq       BIGINT           NOT NULL CHECK (seq > 0),                -- counts the member's submissions
    report_id TEXT COLLATE "C" NOT NULL CHECK (length(report_id) = 22), -- DAP's id of the report
    body      BYTEA            NOT NULL CHECK (length(body) > 0),       -- canonical JSON, as signed
    signature BYTEA            NOT NULL CHECK (length(signature) > 0),  -- the member's note
    PRIMARY KEY (task_id, member, seq),
    UNIQUE (task_id, report_id)
);

-- Receipts that count for nothing, by decision of the hosts and for good.
CREATE TABLE set_aside (
    task_id TEXT COLLATE "C" NOT NULL, -- the task it was sent to
    member  TEXT COLLATE "C" NOT NULL, -- who sent it
    seq     BIGINT NOT NULL, -- which of the member's
    PRIMARY KEY (task_id, member, seq),
    FOREIGN KEY (task_id, member, seq) REFERENCES receipts (task_id, member, seq)
);

-- The roster. While the task is closing it carries this host's signature only.
CREATE TABLE rosters (
    task_id   TEXT COLLATE "C" PRIMARY KEY REFERENCES tasks,          -- one a task
    body      BYTEA            NOT NULL CHECK (length(body) > 0),     -- canonical JSON; never changes
    signature BYTEA            NOT NULL CHECK (length(signature) > 0) -- the note; it may grow by a signature
);

-- Amendments to the roster, with both hosts' signatures.
CREATE TABLE amendments (
    task_id   TEXT COLLATE "C" NOT NULL REFERENCES rosters,            -- whose roster
    number    BIGINT           NOT NULL CHECK (number > 0),            -- from 1, without a gap
    body      BYTEA            NOT NULL CHECK (length(body) > 0),      -- canonical JSON
    signature BYTEA            NOT NULL CHECK (length(signature) > 0), -- the note over it
    PRIMARY KEY (task_id, number)
);

-- Uploaded reports, at the Leader. The body is as it came over the wire: both
-- input shares in it are encrypted, the Leader's to a key outside the database.
CREATE TABLE reports (
    task_id   TEXT COLLATE "C" NOT NULL REFERENCES tasks,               -- the task it was uploaded to
    report_id TEXT COLLATE "C" NOT NULL CHECK (length(report_id) = 22), -- DAP's id of the report
    body      BYTEA            NOT NULL CHECK (length(body) > 0),       -- DAP's Report
    PRIMARY KEY (task_id, report_id)
);

-- What became of each report; the row outlives the report, against replay.
CREATE TABLE settled_reports (
    task_id      TEXT COLLATE "C" NOT NULL REFERENCES tasks,                       -- the task
    report_id    TEXT COLLATE "C" NOT NULL CHECK (length(report_id) = 22),         -- DAP's id of the report
    accepted     BOOLEAN          NOT NULL,                                        -- whether it was added up
    report_error TEXT COLLATE "C" NOT NULL CHECK (accepted = (report_error = '')), -- DAP's name of the error; empty if accepted
    PRIMARY KEY (task_id, report_id)
);

-- The Leader's plan of aggregation jobs.
CREATE TABLE leader_jobs (
    task_id TEXT COLLATE "C" NOT NULL REFERENCES tasks,    -- the task
    number  BIGINT           NOT NULL CHECK (number >= 0), -- from 0, without a gap
    request BYTEA,                                         -- JSON: what fixes the request, that is sent with the same bytes however often
    done    BOOLEAN          NOT NULL DEFAULT FALSE,       -- whether the answer was committed
    PRIMARY KEY (task_id, number),
    CHECK (NOT done OR request IS NOT NULL)
);

-- A report is in one job only.
CREATE TABLE leader_job_reports (
    task_id   TEXT COLLATE "C" NOT NULL,                                -- with number: the job
    number    BIGINT           NOT NULL,                                -- with task_id: the job
    position  BIGINT           NOT NULL CHECK (position >= 0),          -- its place in the job, from 0
    report_id TEXT COLLATE "C" NOT NULL CHECK (length(report_id) = 22), -- DAP's id of the report
    PRIMARY KEY (task_id, number, position),
    UNIQUE (task_id, report_id),
    FOREIGN KEY (task_id, number) REFERENCES leader_jobs (task_id, number)
);

-- The Helper's answers, by the id of the request (its digest): the same
-- request gets the same bytes again.
CREATE TABLE helper_jobs (
    task_id  TEXT COLLATE "C" NOT NULL REFERENCES tasks,     -- the task
    job_id   TEXT COLLATE "C" NOT NULL CHECK (job_id <> ''), -- digest of the request, base64url
    response BYTEA            NOT NULL,                      -- DAP's AggregationJobResp
    PRIMARY KEY (task_id, job_id)
);

-- What was added up, a row a unit of time.
CREATE TABLE batch_buckets (
    task_id  TEXT COLLATE "C" NOT NULL REFERENCES tasks,              -- the task
    start    BIGINT           NOT NULL CHECK (start >= 0),            -- in units of the task's time precision
    share    BYTEA            NOT NULL CHECK (length(share) > 0),     -- this host's share of the totals, sealed
    count    BIGINT           NOT NULL CHECK (count > 0),             -- reports in it
    checksum BYTEA            NOT NULL CHECK (length(checksum) = 32), -- over their ids
    PRIMARY KEY (task_id, start)
);

-- The collection of a task's batch. The primary key is the rule: one a task.
CREATE TABLE collections (
    task_id  TEXT COLLATE "C" PRIMARY KEY REFERENCES tasks,         -- the task
    request  BYTEA            NOT NULL CHECK (length(request) > 0), -- the coordinator's (Leader) or the Leader's (Helper)
    response BYTEA                                                  -- null until the host has its answer; then it never changes
);
