//go:build unix

package cli

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/config"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// TestExportHistory: a bundle for members brings earlier releases with their lists, and
// says so; an auditor's brings the releases and how many members are in both; the
// public's has nothing of them.
func TestExportHistory(t *testing.T) {
	t.Parallel()
	canonical := func(v any) []byte {
		body, err := keys.Canonical(v)
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	// Last year four of this year's five were counted, and one who is no member any more.
	var roster, earlier []byte
	framework := map[string]string{"id": "lights"}
	l := ledgertest.New(t, ledgertest.Config{Release: func(c *coalitiontest.Cycle, now string, count int) []byte {
		var entries []coalition.RosterEntry
		for i, m := range append([]coalition.MemberID{"Aldmark"}, slices.Sorted(maps.Keys(c.Members))[1:]...) {
			digest := sha256.Sum256([]byte(m))
			entries = append(entries, coalition.RosterEntry{Member: m, Report: dap.ReportID(digest[:16]).String(), Sequence: uint64(i + 1), Receipt: ledger.Hex(digest)})
		}
		roster = canonical(coalition.NewRoster(c.Task(t).ID, entries))
		earlier = canonical(map[string]any{"framework": framework, "roster_digest": keys.Digest(roster)})
		return canonical(map[string]any{
			"framework": framework, "cohort": coalitiontest.Cohort, "charter_digest": c.Signed.Digest(), "roster_digest": now,
			"history": []any{map[string]string{"framework": "lights", "release": keys.Digest(earlier)}}, "participation": map[string]int{"submissions": count},
		})
	}})
	dir := filepath.Join(t.TempDir(), "ledger")
	var printed bytes.Buffer
	env := Env{Err: &printed, Out: &printed, Rand: rand.Reader, Now: func() time.Time { return l.Now }}
	fillLedger(t, env, dir, l, roster, earlier)

	for _, row := range []struct {
		name     string
		flags    ledgerExportFlags
		says     string
		saysNot  string
		holds    [][]byte
		without  [][]byte
		overlaps []ledger.Overlap
	}{
		{"members", ledgerExportFlags{}, "rosters of earlier cycles, with which its release reckons, are in it, too: 1; they say who submitted then", "", [][]byte{earlier, roster}, nil, nil},
		{"auditor", ledgerExportFlags{auditor: true}, "it holds the release, the earlier ones that it reckons with, and every edition", "rosters", [][]byte{earlier}, [][]byte{roster}, []ledger.Overlap{
			{Releases: []string{keys.Digest(earlier)}, Members: 1},
			{Releases: []string{keys.Digest(l.Release.Body)}, Members: 1},
			{Releases: slices.Sorted(slices.Values([]string{keys.Digest(earlier), keys.Digest(l.Release.Body)})), Members: 4},
		}},
		{"public", ledgerExportFlags{public: true}, "holds the cycle", "rosters", nil, [][]byte{earlier, roster}, nil},
	} {
		printed.Reset()
		row.flags.ledger, row.flags.out = dir, filepath.Join(filepath.Dir(dir), row.name+".tar")
		if err := runLedgerExport(t.Context(), env, "2026", "", row.flags); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if said := printed.String(); !strings.Contains(said, row.says) || row.saysNot != "" && strings.Contains(said, row.saysNot) {
			t.Errorf("%s: it says %s", row.name, said)
		}
		b, err := openBundle(t.Context(), row.flags.out)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		for _, body := range row.holds {
			if b.Files[keys.Digest(body)] == nil {
				t.Errorf("%s: %s is not in it", row.name, body)
			}
		}
		for _, body := range row.without {
			if b.Files[keys.Digest(body)] != nil {
				t.Errorf("%s: %s is in it", row.name, body)
			}
		}
		slices.SortFunc(row.overlaps, func(x, y ledger.Overlap) int { return slices.Compare(x.Releases, y.Releases) })
		if diff := cmp.Diff(row.overlaps, b.Manifest.Overlaps); diff != "" {
			t.Errorf("%s: %s", row.name, diff)
		}
	}
}

// fillLedger makes the folder of a ledger with the cycle of l, last year's charter and
// release before it, and the files that are kept of both.
func fillLedger(t *testing.T, env Env, dir string, l *ledgertest.Ledger, roster, earlier []byte) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(runLedgerInit(env, dir, "ledger.example"))
	path := filepath.Join(dir, config.LedgerFile)
	text, err := os.ReadFile(path)
	must(err)
	must(os.WriteFile(path, bytes.Replace(text, []byte("threshold: 1"), []byte("threshold: 0"), 1), 0o600))
	f, err := openLedger(dir)
	must(err)
	members, err := l.Log.Members()
	must(err)
	note, err := l.Log.Checkpoint(t.Context())
	must(err)
	c, err := ledger.ReadCheckpoint(note)
	must(err)
	view, err := ledger.ReadView(t.Context(), members, c)
	must(err)
	statements, err := view.Statements()
	must(err)
	var all []ledger.Statement
	charter := ledger.Digest([]byte("last year's charter"))
	for _, s := range statements {
		if s.Kind != ledger.KindCharter && s.Kind != ledger.KindRelease {
			continue
		}
		s.Cycle, s.Charter, s.Fields = "2025", charter, maps.Clone(s.Fields)
		s.Fields["digest"] = map[ledger.Kind]string{ledger.KindCharter: charter, ledger.KindRelease: keys.Digest(earlier)}[s.Kind]
		if s.Kind == ledger.KindRelease {
			s.Fields["roster"] = keys.Digest(roster)
		}
		s, err = s.Sign(l.Cycle.Coordinator)
		must(err)
		all = append(all, s)
		if s.Kind == ledger.KindRelease {
			s.Kind, s.Fields = ledger.KindRoster, map[string]string{"digest": keys.Digest(roster), "task_id": l.Cycle.Task(t).ID.String(), "submissions": "5", "receipts": charter}
			s, err = s.Sign(l.Cycle.Coordinator)
			must(err)
			all = append(all, s)
		}
	}
	log, err := f.write(t.Context(), env)
	must(err)
	must(log.Add(t.Context(), append(all, statements...)...))
	_, _, err = log.Publish(t.Context(), nil)
	must(err)
	must(log.Close(t.Context()))
	kept := [][]byte{roster, earlier, l.Cycle.Signed.Body, l.Frozen.Roster.Body, l.Release.Body, []byte("the public edition")}
	for _, w := range l.Wipes {
		kept = append(kept, w.Body)
	}
	for _, body := range kept {
		must(f.keepFile(body))
	}
}
