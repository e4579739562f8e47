-- The speaking points of a national brief may be kept, one record for each language of
-- a survey.

-- +goose Up

INSERT INTO kinds (kind) VALUES ('brief');
