-- +goose Up

-- Which process drives a task. The row stays when the lease is given back, so
-- that a token is never used twice.
CREATE TABLE leases (
    task_id TEXT COLLATE "C" PRIMARY KEY REFERENCES tasks,  -- one a task
    holder  TEXT COLLATE "C" NOT NULL CHECK (holder <> ''), -- names a process from its start to its end
    token   BIGINT           NOT NULL CHECK (token > 0),    -- grows whenever the lease changes hands
    expires BIGINT           NOT NULL CHECK (expires >= 0)  -- microseconds since 1970 UTC; 0: given back
);
