package demo_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/collective"
	"muster/internal/demo"
	"muster/internal/keys"
	"muster/internal/rehearse"
	"muster/internal/release"
)

func runConfig(t testing.TB, years []demo.Year) demo.RunConfig {
	t.Helper()
	return demo.RunConfig{
		Years: years, Itself: pack(t, "muster-collective"), Dir: t.TempDir(), Rand: rand.Reader,
		Now: func() time.Time { return time.Date(2031, 4, 1, 9, 0, 0, 0, time.UTC) },
	}
}

func read(t testing.TB, elements ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// openCharter opens a charter as a member would.
func openCharter(t testing.TB, dir string) coalition.Charter {
	t.Helper()
	charter, err := coalition.SignedCharter{Body: read(t, dir, "charter.json"), Signature: read(t, dir, "charter.json.sig")}.Open()
	if err != nil {
		t.Fatal(err)
	}
	return charter
}

// TestRun takes all years through their cycles and holds what was kept: signed,
// marked, each year knowing what was released before, nothing released where the
// charter opens nothing.
func TestRun(t *testing.T) {
	t.Parallel()
	all := years(t, yearsConfig(t))
	cfg := runConfig(t, all)
	kept, err := demo.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, len(kept.Surveys), 18)
	var coordinator keys.Public
	digests := make(map[string]string) // of releases, by year, cohort and pack
	for _, k := range kept.Surveys {
		dir := filepath.Join(cfg.Dir, k.Folder)
		charter := openCharter(t, dir)
		if coordinator == "" {
			coordinator = charter.Coordinator.Key
		}
		if !charter.Coordinator.Key.Same(coordinator) {
			t.Errorf("%s: another coordinator", k.Folder)
		}
		equal(t, []string{charter.Marking, charter.Cycle, charter.Cohorts[0].ID, charter.Framework.ID}, []string{demo.Synthetic, k.Cycle, k.Cohort, k.Pack})
		year := all[slices.IndexFunc(all, func(y demo.Year) bool { return y.Cycle == k.Cycle })]
		equal(t, []string{string(charter.Leader.Member), string(charter.Helper.Member)}, year.Hosts[:])
		checkAddenda(t, dir, charter, year.Postponed)
		if k.Result.Release == nil {
			equal(t, k.Step, demo.Step{Cycle: "2029", Cohort: demo.Partners, Pack: "muster-ai"})
			if !bytes.Contains(read(t, dir, "refused.txt"), []byte("8 of 18 members took part")) {
				t.Errorf("%s: refused.txt does not say why", k.Folder)
			}
			for _, name := range []string{"release.json", "aggregate.json"} {
				if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s has %s: %v", k.Folder, name, err)
				}
			}
			continue
		}
		body := read(t, dir, "release.json")
		if err := keys.Verify(keys.KindRelease, body, read(t, dir, "release.json.sig"), coordinator); err != nil {
			t.Errorf("%s: %v", k.Folder, err)
		}
		digests[k.Cycle+k.Cohort+k.Pack] = keys.Digest(body)
		r, err := release.Parse(body)
		if err != nil {
			t.Fatalf("%s: %v", k.Folder, err)
		}
		s := survey(t, year, k.Cohort, k.Pack)
		equal(t, r.Participation.Submissions, len(roster(s)))
		equal(t, r.Participation.Members, len(s.Members))
		hosts := 0
		if k.Cohort == demo.Allies {
			hosts = 2
		}
		equal(t, r.Participation.Hosts, hosts)
		equal(t, len(r.Calendar.Postponed) == 1, year.Postponed != "")
		for _, e := range r.History {
			equal(t, e.Release, digests[e.Cycle+e.Cohort+e.Framework])
		}
	}
	equal(t, len(digests), 17)
	// All of the two years before, and of its own year what its pack showed before.
	current := kept.Current().Release.Release
	equal(t, len(current.History), 11)
	if current.Cycle != "2031" || current.Cohort != demo.Allies || current.Framework.ID != demo.Core {
		t.Errorf("current is %s %s %s", current.Cycle, current.Cohort, current.Framework.ID)
	}
	checkRevision(t, cfg.Dir)
	checkItself(t, cfg.Dir, kept, coordinator)
	checkPictureIsWorthIt(t, current)
}

// checkAddenda holds the postponement to its charter.
func checkAddenda(t testing.TB, dir string, charter coalition.Charter, reason string) {
	t.Helper()
	name := filepath.Join(dir, "addendum-1.json")
	if reason == "" {
		if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	signed := coalition.SignedAddendum{Body: read(t, name), Signature: read(t, name+".sig")}
	deadline, err := charter.DeadlineAfter([]coalition.SignedAddendum{signed})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, deadline.Sub(time.Unix(charter.Deadline, 0)), 21*24*time.Hour)
	a, err := signed.Read(charter)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, a.Reason, reason)
	if !bytes.Contains(read(t, dir, "ledger.jsonl"), []byte(signed.Digest())) {
		t.Errorf("%s is not in the record", name)
	}
}

// checkRevision looks for the two outcomes of the core that were asked otherwise.
func checkRevision(t testing.TB, dir string) {
	t.Helper()
	asked := func(cycle string) map[string]string {
		r, err := release.Parse(read(t, dir, cycle, demo.Allies, demo.Core, "release.json"))
		if err != nil {
			t.Fatal(err)
		}
		digests := make(map[string]string)
		for _, a := range r.Areas {
			for _, o := range a.Outcomes {
				digests[o.ID] = o.Asked
			}
		}
		return digests
	}
	first, second, third := asked("2029"), asked("2030"), asked("2031")
	equal(t, second, third)
	var differ []string
	for id := range second {
		if first[id] != second[id] {
			differ = append(differ, id)
		}
	}
	slices.Sort(differ)
	equal(t, differ, []string{demo.Reworded, demo.Added})
}

func checkItself(t testing.TB, dir string, kept *demo.Kept, coordinator keys.Public) {
	t.Helper()
	equal(t, len(kept.Itself), 3)
	for _, name := range kept.Itself {
		body := read(t, dir, name)
		if err := keys.Verify(keys.KindCollective, body, read(t, dir, name+".sig"), coordinator); err != nil {
			t.Error(err)
		}
		a, err := collective.Parse(body)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, []string{a.Marking, a.Cycle}, []string{demo.Synthetic, filepath.Dir(name)})
	}
}

// checkPictureIsWorthIt: what the gate leaves must be a picture, or the seed was a
// poor choice.
func checkPictureIsWorthIt(t testing.TB, r *release.Release) {
	t.Helper()
	levels, needs, changes := 0, 0, 0
	for _, a := range r.Areas {
		if a.Change.Shown() {
			changes++
		}
		for _, o := range a.Outcomes {
			if o.Level.Shown() {
				levels++
			}
			if _, ok := o.Level.Count("none", "1"); ok {
				needs++
			}
		}
	}
	if levels < 34 || needs < 15 || changes < 1 {
		t.Errorf("levels of %d outcomes, %d with a boundary between 1 and 2, the change of %d areas", levels, needs, changes)
	}
}

// TestRunStops: the first cycle that breaks ends the run, and says which it was.
func TestRunStops(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	cfg := runConfig(t, years(t, yearsConfig(t))[:1])
	cfg.Rehearse = func(ctx context.Context, c rehearse.Config, current bool) (*rehearse.Result, error) {
		if c.Pack.ID == "muster-ports" {
			return nil, broken
		}
		<-ctx.Done() // others are under way when it breaks
		return nil, ctx.Err()
	}
	kept, err := demo.Run(t.Context(), cfg)
	if kept != nil || !errors.Is(err, broken) {
		t.Fatalf("%v, %v", kept, err)
	}
	if want := "2029, muster-ports of allies: the disk is gone"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
