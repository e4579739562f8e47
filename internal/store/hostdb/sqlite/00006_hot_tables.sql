-- +goose Up

-- The tables that have a row a report. Their keys begin with the report's id,
-- which differs from row to row, where the task's is the same in nearly all; and
-- whether the task, or the job, is known is asked once for all rows of a job,
-- before they are inserted, and no more for each of them.

ALTER TABLE settled_reports RENAME TO old_settled_reports;
-- What became of each report; the row outlives the report, against replay.
CREATE TABLE settled_reports (
    task_id      TEXT    NOT NULL,                                              -- the task
    report_id    TEXT    NOT NULL CHECK (length(report_id) = 22),               -- DAP's id of the report
    accepted     INTEGER NOT NULL CHECK (accepted IN (0, 1)),                   -- whether it was added up
    report_error TEXT    NOT NULL CHECK ((accepted = 1) = (report_error = '')), -- DAP's name of the error; empty if accepted
    PRIMARY KEY (report_id, task_id)
) WITHOUT ROWID, STRICT;
INSERT INTO settled_reports (task_id, report_id, accepted, report_error) SELECT task_id, report_id, accepted, report_error FROM old_settled_reports;
DROP TABLE old_settled_reports;

ALTER TABLE leader_job_reports RENAME TO old_leader_job_reports;
-- A report is in one job only.
CREATE TABLE leader_job_reports (
    task_id   TEXT    NOT NULL,                                -- with number: the job
    number    INTEGER NOT NULL,                                -- with task_id: the job
    position  INTEGER NOT NULL CHECK (position >= 0),          -- its place in the job, from 0
    report_id TEXT    NOT NULL CHECK (length(report_id) = 22), -- DAP's id of the report
    PRIMARY KEY (task_id, number, position),
    UNIQUE (report_id, task_id)
) WITHOUT ROWID, STRICT;
INSERT INTO leader_job_reports (task_id, number, position, report_id) SELECT task_id, number, position, report_id FROM old_leader_job_reports;
DROP TABLE old_leader_job_reports;

ALTER TABLE reports RENAME TO old_reports;
-- Uploaded reports, at the Leader. The body is as it came over the wire: both
-- input shares in it are encrypted, the Leader's to a key outside the database.
CREATE TABLE reports (
    task_id   TEXT NOT NULL REFERENCES tasks,               -- the task it was uploaded to
    report_id TEXT NOT NULL CHECK (length(report_id) = 22), -- DAP's id of the report
    body      BLOB NOT NULL CHECK (length(body) > 0),       -- DAP's Report
    PRIMARY KEY (report_id, task_id)
) STRICT;
INSERT INTO reports (task_id, report_id, body) SELECT task_id, report_id, body FROM old_reports;
DROP TABLE old_reports;
