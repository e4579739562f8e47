-- What became of the workbooks of bodies may be kept, one record for each body and
-- survey: when one was given out and came back.

-- +goose Up

INSERT INTO kinds (kind) VALUES ('workbook');
