package main

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"muster/internal/assess"
	"muster/internal/exchange/workbook"
	"muster/internal/framework"
	"muster/packs"
)

// An import of a file that holds two surveys and the form is killed, wherever it is:
// all of them are there, or none.
func TestWorkspaceImportOfAWholeBookKilled(t *testing.T) {
	t.Parallel()
	c := &hosting{t: t, dir: t.TempDir(), printed: new(buffer)}
	c.clock.Store(hostingBegins)
	lock := c.workspaceLock("ws", "Ostmere")
	book := workbook.Book{Member: "Ostmere"}
	export := []string{"workspace", "export", "--form"}
	for _, id := range []string{"muster-core", "muster-ports"} {
		pack, err := framework.Find(packs.FS(), id)
		check(t, err)
		c.must(append([]string{"workspace", "load", "--framework", id, "--cycle", "2027"}, lock...)...)
		book.Surveys = append(book.Surveys, workbook.Survey{Cycle: "2027", Pack: pack})
		export = append(export, "--survey", "2027/"+id)
	}
	// found is what the workspace has now: of how many answers which round, and the form's.
	found := func(name string) (*workbook.Import, map[string]int) {
		t.Helper()
		path := c.at(name)
		c.must(append(append(export, "--out", path), lock...)...)
		body, err := os.ReadFile(path)
		check(t, err)
		in, err := workbook.Read(bytes.NewReader(body), int64(len(body)), workbook.Config{Name: name, Surveys: book.Surveys})
		check(t, err)
		rounds := make(map[string]int)
		for _, row := range in.Rows {
			rounds[row.Entry.Note]++
		}
		for _, need := range in.Needs {
			rounds[need.What]++
		}
		return in, rounds
	}
	said := func(round int) string { return fmt.Sprintf("PLANTED %d", round) }
	write := func(in *workbook.Import, round int) string {
		t.Helper()
		edited := book
		edited.Surveys = nil
		for _, s := range book.Surveys {
			s.Saved = make(map[string]workbook.Saved)
			for _, row := range in.Rows {
				if row.Key.Survey == s.ID() {
					s.Saved[row.Key.Outcome] = workbook.Saved{Revision: row.Base, Entry: assess.Entry{Level: framework.Level2, Note: said(round)}}
				}
			}
			edited.Surveys = append(edited.Surveys, s)
		}
		edited.Needs, edited.NeedsRevision = []workbook.Need{{What: said(round)}}, in.NeedsRevision
		var b bytes.Buffer
		check(t, workbook.Write(&b, edited))
		path := c.at(fmt.Sprintf("in-%d.xlsx", round))
		check(t, os.WriteFile(path, b.Bytes(), 0o600))
		return path
	}
	in, _ := found("out-0.xlsx")
	all := len(in.Rows) + 1 // and the form
	start := time.Now()
	if !c.killed(time.Minute, append([]string{"workspace", "import", write(in, 1)}, lock...)...) {
		t.Fatal("not done within a minute")
	}
	last, whole, none, kills := 1, 0, 0, 0
	for i, after := range killRounds(time.Since(start)) {
		round := i + 2
		in, _ := found(fmt.Sprintf("out-%d.xlsx", round))
		done := c.killed(after, append([]string{"workspace", "import", write(in, round)}, lock...)...)
		if !done {
			kills++
		}
		_, now := found(fmt.Sprintf("after-%d.xlsx", round))
		switch {
		case now[said(round)] == all:
			last, whole = round, whole+1
		case !done && now[said(last)] == all:
			none++
		default:
			t.Fatalf("round %d, killed after %v, done %v: %v of %d", round, after, done, now, all)
		}
	}
	if kills == 0 {
		t.Error("every import was faster than its kill")
	}
	t.Logf("%d kills, %d imports there as a whole, %d not at all", kills, whole, none)
	c.nothingInClear("ws")
}
