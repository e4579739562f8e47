-- +goose Up

-- What a host attests when it has wiped a cycle must outlive the phase.
ALTER TABLE tasks ADD COLUMN sum_left BOOLEAN NOT NULL DEFAULT FALSE; -- whether this host's sum has left, or may have; stays when the task is wiped

-- Of a task that was wiped before this is not known.
UPDATE tasks SET sum_left = TRUE WHERE phase IN ('collected', 'wiped');
