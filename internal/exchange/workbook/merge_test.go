package workbook_test

import (
	"muster/internal/assess"
	"muster/internal/exchange/workbook"
)

// at is the history of entries that never changed.
func at(now func(workbook.Key) workbook.Saved) func(workbook.Key, int64) (assess.Entry, bool) {
	return func(k workbook.Key, revision int64) (assess.Entry, bool) {
		s := now(k)
		return s.Entry, s.Revision == revision
	}
}
