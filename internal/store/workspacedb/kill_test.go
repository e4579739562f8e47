package workspacedb_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// A process is killed while it saves and imports, wherever it is, and at both sides
// of a commit: the workspace opens, every acknowledged answer is there, an import is
// there as a whole or not at all, and no file holds what was written in clear.
func TestKilled(t *testing.T) {
	t.Parallel()
	dir, temporary := t.TempDir(), t.TempDir()
	path := filepath.Join(dir, "workspace.db")
	w := workspacetest.Open(t, workspacedb.Config{Path: path, Key: workspacetest.Key()})
	must(t, w.Begin(t.Context(), w.Lead, workspacetest.Member))
	id := w.Load(t, workspacetest.Pack(t, 12*savers, "there"))
	must(t, w.DB.Close()) // the one that is killed is alone; closing twice is no error

	rounds := 6
	if os.Getenv("MUSTER_LONG") != "" {
		rounds = 40
	}
	var saved []acknowledgement
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), envPath+"="+path, fmt.Sprintf("%s=r%d", envRound, round), "TMPDIR="+temporary, "TMP="+temporary)
		kill := time.Duration(0)
		switch round % 3 {
		case 0:
			kill = time.Duration(30+97*round%400) * time.Millisecond
		case 1:
			cmd.Env = append(cmd.Env, envFault+"=before commit", fmt.Sprintf("%s=%d", envCount, 7+round))
		case 2:
			cmd.Env = append(cmd.Env, envFault+"=after commit", fmt.Sprintf("%s=%d", envCount, 11+round))
		}
		lines := runUntilKilled(t, cmd, kill)
		if len(lines) == 0 {
			t.Fatalf("round %d: nothing was acknowledged", round)
		}
		saved = append(saved, lines...)
		if found := inClear(t, dir, temporary); found != nil {
			t.Fatalf("round %d: in clear: %q", round, found)
		}
		checkSaved(t, path, id, saved)
	}
	t.Logf("%d kills, %d acknowledgements, all there", rounds, len(saved))
}

// acknowledgement is a line of the process that was killed.
type acknowledgement struct {
	kind, where string
	rev         workspace.Revision
	note        string
}

// runUntilKilled starts the command, kills it after a while unless it does that
// itself, and returns what it had acknowledged.
func runUntilKilled(t *testing.T, cmd *exec.Cmd, after time.Duration) []acknowledgement {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	watch := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer watch.Stop()
	var all []acknowledgement
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var a acknowledgement
		text := lines.Text()
		if n, _ := fmt.Sscanf(text, "saved %s %d %s", &a.where, &a.rev, &a.note); n == 3 {
			a.kind = "saved"
		} else if n, _ := fmt.Sscanf(text, "imported %s %s", &a.where, &a.note); n == 2 {
			a.kind = "imported"
		} else {
			t.Errorf("the process said %q", text)
		}
		all = append(all, a)
		if len(all) == 1 && after > 0 { // from the first answer on, so that there is one
			time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
		}
	}
	if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
		t.Fatalf("the process was not killed: %v\n%s", err, &stderr)
	}
	return all
}

func checkSaved(t *testing.T, path string, id workspace.SurveyID, all []acknowledgement) {
	t.Helper()
	db, err := workspacedb.Open(t.Context(), workspacedb.Config{Path: path, Key: workspacetest.Key()})
	must(t, err)
	defer func() { must(t, db.Close()) }()
	if _, err := db.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := workspace.New(workspace.Config{Store: db, Now: time.Now})
	lead := workspace.Lead("Asta Lind")
	notes := make(map[string]map[string]bool) // by outcome, every note that it ever had
	revisions := make(map[workspace.Revision]string)
	pack, err := s.Pack(t.Context(), lead, id)
	must(t, err)
	for _, o := range pack.Outcomes() {
		history, err := s.History(t.Context(), lead, id, o.ID)
		must(t, err)
		notes[o.ID] = make(map[string]bool)
		for _, h := range history {
			notes[o.ID][h.Entry.Note] = true
			revisions[h.Rev] = o.ID + " " + h.Entry.Note
		}
	}
	for _, a := range all {
		if a.kind == "saved" && revisions[a.rev] != a.where+" "+a.note {
			t.Errorf("acknowledged as revision %d: %s %s; there is %q", a.rev, a.where, a.note, revisions[a.rev])
		}
		for i := range 6 {
			if a.kind == "imported" && !notes[fmt.Sprintf("A%s.%d", a.where, i+1)][a.note] {
				t.Errorf("acknowledged import %s is not in A%s.%d", a.note, a.where, i+1)
			}
		}
	}
	// An import is whole, also one that nobody was told of.
	for area := savers + 1; area <= 2*savers; area++ {
		first := notes[fmt.Sprintf("A%d.1", area)]
		for i := range 6 {
			if other := notes[fmt.Sprintf("A%d.%d", area, i+1)]; len(other) != len(first) {
				t.Errorf("area A%d has imports in part", area)
			} else {
				for note := range first {
					if !other[note] {
						t.Errorf("A%d.%d is without %s", area, i+1, note)
					}
				}
			}
		}
	}
}

// inClear returns the files that hold what was written, or what tells a database.
func inClear(t *testing.T, dirs ...string) []string {
	t.Helper()
	var found []string
	files := 0
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			body, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			files++
			for _, text := range []string{songbird, "SQLite format 3", "Asta Lind", "CREATE TABLE"} {
				if bytes.Contains(body, []byte(text)) {
					found = append(found, filepath.Base(path)+": "+text)
				}
			}
			return nil
		})
		must(t, err)
	}
	if files == 0 {
		t.Fatal("no file was looked at")
	}
	return found
}

// The search finds what is there: in a file in clear it finds all of it.
func TestInClearFinds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "x"), []byte(strings.Repeat("-", 5000)+songbird+"SQLite format 3"), 0o600))
	if found := inClear(t, dir); len(found) != 2 {
		t.Errorf("found %q", found)
	}
}
