-- +goose Up

-- The tables that have a row a report. Their keys begin with the report's id,
-- which differs from row to row, where the task's is the same in nearly all; and
-- whether the task, or the job, is known is asked once for all rows of a job,
-- before they are inserted, and no more for each of them.

ALTER TABLE settled_reports
    DROP CONSTRAINT settled_reports_task_id_fkey,
    DROP CONSTRAINT settled_reports_pkey,
    ADD PRIMARY KEY (report_id, task_id);

ALTER TABLE leader_job_reports
    DROP CONSTRAINT leader_job_reports_task_id_number_fkey,
    DROP CONSTRAINT leader_job_reports_task_id_report_id_key,
    ADD UNIQUE (report_id, task_id);

ALTER TABLE reports
    DROP CONSTRAINT reports_pkey,
    ADD PRIMARY KEY (report_id, task_id);
