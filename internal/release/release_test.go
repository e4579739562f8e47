package release_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/release"
)

var (
	charterDigest = strings.Repeat("c0", 32)
	rosterDigest  = strings.Repeat("40", 32)
	earlierDigest = strings.Repeat("e1", 32)
)

// harbour returns a small pack and its layout.
func harbour(t testing.TB) (*framework.Pack, *framework.Layout) {
	t.Helper()
	f, err := os.Open("../framework/testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	pack, err := framework.Read("harbour.yaml", f)
	if err != nil {
		t.Fatal(err)
	}
	layout, err := framework.NewLayout(pack)
	if err != nil {
		t.Fatal(err)
	}
	return pack, layout
}

// totals gives every one of n members a bucket in every block: member by member,
// as sealed submissions do, with uneven odds so that small cells occur.
func totals(l *framework.Layout, n int, seed uint64) disclosure.Totals {
	rng := rand.New(rand.NewPCG(seed, 0))
	t := disclosure.Totals{Layout: l, Submissions: uint64(n), Cells: make([]uint64, l.Bits())}
	for i, b := range l.Blocks {
		favourite := rng.IntN(len(b.Buckets))
		for range n {
			bucket := favourite
			if rng.IntN(3) == 0 {
				bucket = rng.IntN(len(b.Buckets))
			}
			t.Cells[l.Offset(i)+bucket]++
		}
	}
	return t
}

func config(t testing.TB, n int, seed uint64) release.Config {
	t.Helper()
	pack, layout := harbour(t)
	return release.Config{
		Coalition: "Hithe", Cycle: "2031", Cohort: "members", Marking: "SYNTHETIC",
		Pack: pack, Totals: totals(layout, n, seed),
		Participation: disclosure.Participation{Members: n + 2, Submissions: n, Hosts: 2, Declined: 1},
		HostedBy:      [2]coalition.MemberID{"Ostmere", "Calverra"},
		Calendar: release.Calendar{
			Opens: 1_930_000_000, Deadline: 1_933_000_000,
			Postponed: []release.Postponement{{Deadline: 1_933_000_000, Reason: "the storm of the third week"}},
		},
		Turnover:      &release.Turnover{Since: "2030", Joined: 1},
		History:       []release.Earlier{{Cycle: "2030", Cohort: "members", Framework: "harbour", Release: earlierDigest}},
		CharterDigest: charterDigest, RosterDigest: rosterDigest,
	}
}

func made(t testing.TB, n int, seed uint64) *release.Release {
	t.Helper()
	r, err := release.New(config(t, n, seed))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blocks returns every block of a release by name.
func blocks(r *release.Release) map[string]disclosure.BandedBlock {
	all := make(map[string]disclosure.BandedBlock)
	for _, a := range r.Areas {
		for _, b := range []disclosure.BandedBlock{a.Lowest, a.Change} {
			all[b.Name()] = b
		}
		for _, o := range a.Outcomes {
			for _, b := range []disclosure.BandedBlock{o.Level, o.Verified, o.Target, o.Gap, o.Evidence} {
				all[b.Name()] = b
			}
		}
	}
	return all
}

func TestNewHoldsEveryBlock(t *testing.T) {
	t.Parallel()
	cfg := config(t, 31, 7)
	r := made(t, 31, 7)
	thresholds := disclosure.Thresholds{MinimumBatch: coalition.MinimumBatch(cfg.Participation.Members), ReleaseMinimum: 8}
	want, err := disclosure.FirstRule(cfg.Totals, cfg.Participation, thresholds)
	if err != nil {
		t.Fatal(err)
	}
	got := blocks(r)
	if len(got) != len(want) {
		t.Errorf("%d blocks, want %d", len(got), len(want))
	}
	var silent []string
	for _, b := range want {
		if diff := cmp.Diff(b.Bands(), got[b.Name()].Bands()); diff != "" {
			t.Errorf("%s: -want +got\n%s", b.Name(), diff)
		}
		if len(b.Bands()) == 1 {
			silent = append(silent, b.Name())
		}
	}
	var listed []string
	for _, n := range r.NotShown {
		listed = append(listed, n.Block)
	}
	slices.Sort(silent)
	slices.Sort(listed)
	if diff := cmp.Diff(silent, listed); diff != "" {
		t.Errorf("not shown: -want +got\n%s", diff)
	}
	if want := (disclosure.Thresholds{MinimumBatch: 22, ReleaseMinimum: 8}); r.Thresholds != want {
		t.Errorf("thresholds %+v, want %+v", r.Thresholds, want)
	}
}

func TestNewListsWhatIsNotShown(t *testing.T) {
	t.Parallel()
	cfg := config(t, 31, 7)
	// One member gave no level, another gave 4, all others 2: no boundary holds.
	copy(cfg.Totals.Cells, []uint64{0, 0, 29, 0, 1, 1, 0})
	r, err := release.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	name := cfg.Totals.Layout.Blocks[0].Name
	if !slices.Contains(r.NotShown, release.NotShown{Block: name, Reason: release.TooFew}) || blocks(r)[name].Shown() {
		t.Errorf("%s is not listed among %v", name, r.NotShown)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*release.Config)
		want   errs.Kind
	}{
		{"too few", func(c *release.Config) { c.ReleaseMinimum = 40 }, errs.Conflict},
		{"a higher minimum batch", func(c *release.Config) { c.MinimumBatch = 32 }, errs.Conflict},
		{"a lower minimum batch", func(c *release.Config) { c.MinimumBatch = 21 }, errs.Invalid},
		{"a lower release minimum", func(c *release.Config) { c.ReleaseMinimum = 7 }, errs.Invalid},
		{"no framework", func(c *release.Config) { c.Pack = nil }, errs.Invalid},
		{"no layout", func(c *release.Config) { c.Totals.Layout = nil }, errs.Invalid},
		{"another layout", func(c *release.Config) {
			other := *c.Totals.Layout
			other.Framework.Version = "9.9.9"
			c.Totals.Layout = &other
		}, errs.Invalid},
		{"no coalition", func(c *release.Config) { c.Coalition = "" }, errs.Invalid},
		{"a coalition that repaints the terminal", func(c *release.Config) { c.Coalition = "\x1b[2J" }, errs.Invalid},
		{"a marking of two lines", func(c *release.Config) { c.Marking = "SYNTHETIC\nNOT" }, errs.Invalid},
		{"no charter", func(c *release.Config) { c.CharterDigest = "" }, errs.Invalid},
		{"a roster's digest in capitals", func(c *release.Config) { c.RosterDigest = strings.ToUpper(strings.Repeat("af", 32)) }, errs.Invalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t, 31, 7)
			tt.change(&cfg)
			r, err := release.New(cfg)
			if err == nil || r != nil || errs.KindOf(err) != tt.want {
				t.Errorf("got %v of kind %v, want kind %v", err, errs.KindOf(err), tt.want)
			}
			if _, refused := errors.AsType[*disclosure.Refusal](err); refused != (tt.want == errs.Conflict) {
				t.Errorf("a refusal: %t, for %v", refused, err)
			}
		})
	}
}

func canonical(t testing.TB, r *release.Release) []byte {
	t.Helper()
	b, err := r.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReleaseRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := made(t, rapid.IntRange(10, 300).Draw(rt, "submissions"), rapid.Uint64().Draw(rt, "seed"))
		b := canonical(t, r)
		parsed, err := release.Parse(b)
		if err != nil {
			rt.Fatal(err)
		}
		if !bytes.Equal(canonical(t, parsed), b) {
			rt.Fatal("reads as another release")
		}
		for name, want := range blocks(r) {
			if got := blocks(parsed)[name]; got.Name() != name || got.Kind() != want.Kind() || !cmp.Equal(got.Bands(), want.Bands()) {
				rt.Fatalf("%s reads as %s: %v", name, got.Name(), got.Bands())
			}
		}
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	sound := string(canonical(t, silent(t)))
	tests := []struct {
		name     string
		old, new string
		message  string
	}{
		{"another kind", "muster release v2", "muster release v3", "kind"},
		{"the provisional kind", "muster release v2", "muster release v1", "cannot be read"},
		{"a bolder status", `"publishable":false`, `"publishable":true`, "status"},
		{"a status without its reason", `"status":{"publishable":false,"reasons":["provisional"]}`, `"status":{"publishable":false,"reasons":[]}`, "status"},
		{"another rule", `"id":"first"`, `"id":"none"`, "rule"},
		{"another parameter of the rule", `"known":0`, `"known":1`, "parameters"},
		{"an unknown field", `{"areas":`, `{"all":1,"areas":`, "cannot be read"},
		{"an unknown field of a block", `{"bands":[`, `{"aaa":1,"bands":[`, "cannot be read"},
		{"white space", `{"areas":`, `{"areas": `, "cannot be read"},
		{"bytes after it", `"thresholds":`, `"thresholds":1}{`, "cannot be read"},
		{"more submissions", `"submissions":31`, `"submissions":32`, "do not sum"},
		{"fewer members", `"members":33`, `"members":30`, "do not fit"},
		{"more hosts", `"hosts":2`, `"hosts":3`, "do not fit"},
		{"lower threshold", `"release_minimum":8`, `"release_minimum":7`, "thresholds"},
		{"higher threshold than there are members", `"release_minimum":8`, `"release_minimum":30`, "too few"},
		{"smaller bands", `"minimum_band":3`, `"minimum_band":2`, "parameters"},
		{"one host", `"hosted_by":["Ostmere","Calverra"]`, `"hosted_by":["Ostmere"]`, "two hosts"},
		{"one host twice", `"hosted_by":["Ostmere","Calverra"]`, `"hosted_by":["Ostmere","ostmere"]`, "two hosts"},
		{"a host without a name", `"hosted_by":["Ostmere","Calverra"]`, `"hosted_by":["Ostmere",""]`, "no member name"},
		{"a deadline before the opening", `"opens":1930000000`, `"opens":1934000000`, "deadline"},
		{"another deadline than the last", `"deadline":1933000000,"opens"`, `"deadline":1933000001,"opens"`, "last postponement"},
		{"a postponement without reason", "the storm of the third week", " ", "without a reason"},
		{"no list of postponements", `"postponed":[{"deadline":1933000000,"reason":"the storm of the third week"}]`, `"postponed":null`, "null"},
		{"more that joined than there are", `"joined":1`, `"joined":32`, "joined"},
		{"a cycle without name", `"since":"2030"`, `"since":""`, "cycle to compare with"},
		{"no list of earlier releases", `"history":[{"cohort":"members","cycle":"2030","framework":"harbour","release":"` + earlierDigest + `"}]`, `"history":null`, "null"},
		{"an earlier release by name", earlierDigest, "last-year", "no digest"},
		{"a group twice", `"groups":[`, `"groups":[{"cohort":"members","members":31},`, "twice"},
		{"a group of other size", `{"cohort":"members","members":31}]`, `{"cohort":"members","members":30}]`, "groups"},
		{"the own group dropped", `{"cohort":"members","members":31}]`, `{"cohort":"members","dropped":"group_small","members":31}]`, "groups"},
		{"no group", `"groups":[{"cohort":"coast","dropped":"group_different","members":29},{"cohort":"members","members":31}]`, `"groups":[]`, "groups"},
		{"no method", `"method":[`, `"method":[],"methods":[`, "cannot be read"},
		{"a method in one language", `,"fr":"Si les deux hôtes manquaient à leur engagement et réunissaient les moitiés, ils pourraient lire les réponses."`, ``, `"fr"`},
		{"a reason without words", `"reasons":{"few_moved":`, `"reasons":{"few_moral":`, "reason"},
		{"another reason than it has", `"reason":"few_moved"`, `"reason":"too_few"`, "does not list"},
		{"an outcome by another digest", `"asked":"`, `"asked":"x`, "digest"},
		{"a charter by another name", charterDigest, charterDigest[2:] + "zz", "digest"},
		{"a control character", `"coalition":"Hithe"`, `"coalition":"\u001b[2J"`, "cannot be printed"},
		{"text turned around", `"coalition":"Hithe"`, `"coalition":"` + "\u202eHithe" + `"`, "cannot be printed"},
		{"no list of what is not shown", `"not_shown":[{"block":"L1/change","reason":"few_moved"},{"block":"L1.1/level","reason":"too_few"}]`, `"not_shown":null`, "list"},
		{"a block said not to be shown", `"not_shown":[`, `"not_shown":[{"block":"X/level","reason":"no"}`, ""},
		{"units out of order", `"units":["none"]`, `"units":["0"]`, "units"},
		{"an empty band of no unit", `{"bands":[`, `{"bands":[{"count":0,"units":[]},`, "units"},
		{"a unit too many", `"bands":[`, `"bands":[{"count":0,"units":["none"]},`, ""},
		{"no bands", `"evidence":{"bands":[`, `"evidence":{"bands":[],"x":[`, "cannot be read"},
		{"no languages", `"languages":["en"`, `"languages":["xx"`, `"xx"`},
		{"a language twice", `"languages":["en"`, `"languages":["en","en"`, "twice"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(sound, tt.old, tt.new, 1)
			if changed == sound {
				t.Fatalf("the release has no %s", tt.old)
			}
			r, err := release.Parse([]byte(changed))
			if err == nil || r != nil || errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("got %v of kind %v, want %q", err, errs.KindOf(err), tt.message)
			}
		})
	}
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		if _, err := release.Parse(make([]byte, release.MaxSize+1)); errs.KindOf(err) != errs.Invalid {
			t.Errorf("got %v", err)
		}
	})
}

// TestParseRefusesCounts changes single counts: what bands promise must
// hold for whoever reads them, not only for whoever made them.
func TestParseRefusesCounts(t *testing.T) {
	t.Parallel()
	cfg := config(t, 31, 7)
	copy(cfg.Totals.Cells, []uint64{3, 4, 5, 6, 7, 3, 3})
	r, err := release.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	name := cfg.Totals.Layout.Blocks[0].Name
	sound := string(canonical(t, r))
	old := `"level":{"bands":[{"count":6,"units":["none"]},{"count":3,"units":["0"]},{"count":4,"units":["1"]},` +
		`{"count":5,"units":["2"]},{"count":6,"units":["3"]},{"count":7,"units":["4"]}]}`
	if !strings.Contains(sound, old) {
		t.Fatalf("%s reads %v", name, blocks(r)[name].Bands())
	}
	tests := []struct{ name, new, message string }{
		{"a band of two", `[{"count":7,"units":["none"]},{"count":2,"units":["0"]},{"count":4,"units":["1"]},` +
			`{"count":5,"units":["2"]},{"count":6,"units":["3"]},{"count":7,"units":["4"]}]`, "band of 2"},
		{"one member more", `[{"count":6,"units":["none"]},{"count":3,"units":["0"]},{"count":4,"units":["1"]},` +
			`{"count":5,"units":["2"]},{"count":6,"units":["3"]},{"count":8,"units":["4"]}]`, "do not sum"},
		{"one member fewer", `[{"count":6,"units":["none"]},{"count":3,"units":["0"]},{"count":4,"units":["1"]},` +
			`{"count":5,"units":["2"]},{"count":6,"units":["3"]},{"count":6,"units":["4"]}]`, "do not sum"},
		{"a unit missing", `[{"count":6,"units":["none"]},{"count":3,"units":["0"]},{"count":4,"units":["1"]},` +
			`{"count":5,"units":["2"]},{"count":13,"units":["3"]}]`, "units in order"},
		{"a unit twice", `[{"count":6,"units":["none"]},{"count":3,"units":["0"]},{"count":4,"units":["1"]},` +
			`{"count":5,"units":["2"]},{"count":6,"units":["3"]},{"count":4,"units":["4"]},{"count":3,"units":["4"]}]`, "units in order"},
		{"units in another order", `[{"count":6,"units":["none"]},{"count":7,"units":["1","0"]},` +
			`{"count":5,"units":["2"]},{"count":6,"units":["3"]},{"count":7,"units":["4"]}]`, "units in order"},
		{"nothing", `[]`, "units in order"},
		{"one band, not listed", `[{"count":31,"units":["none","0","1","2","3","4"]}]`, "does not list"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := release.Parse([]byte(strings.Replace(sound, old, `"level":{"bands":`+tt.new+`}`, 1)))
			if err == nil || errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), tt.message) {
				t.Errorf("got %v, want %q", err, tt.message)
			}
		})
	}
}

func TestReleaseOfAnotherMakerIsNotSigned(t *testing.T) {
	t.Parallel()
	r := made(t, 31, 7)
	r.Areas[0].Lowest, r.Areas[0].Change = r.Areas[0].Change, r.Areas[0].Lowest
	if _, err := r.Canonical(); err == nil {
		t.Error("two blocks change places and nobody says so")
	}
	r = made(t, 31, 7)
	r.Areas[0].Outcomes[0].Level = disclosure.BandedBlock{}
	if _, err := r.Canonical(); err == nil {
		t.Error("a block is missing and nobody says so")
	}
}

func FuzzParse(f *testing.F) {
	f.Add(canonical(f, made(f, 31, 7)))
	f.Add(provisional(f))
	f.Add(canonical(f, made(f, 10, 1)))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := release.Parse(b)
		if err != nil {
			return
		}
		if r.Kind == release.KindV1 {
			if r.Status.Publishable {
				t.Error("the provisional form is publishable")
			}
		} else if !bytes.Equal(canonical(t, r), b) {
			t.Error("accepted and written differently")
		}
		for name, block := range blocks(r) {
			if block.Total() != uint64(r.Participation.Submissions) {
				t.Errorf("%s counts %d", name, block.Total())
			}
		}
	})
}

func TestReleaseShowsThePackItWasMadeFrom(t *testing.T) {
	t.Parallel()
	pack, _ := harbour(t)
	r := made(t, 31, 7)
	if diff := cmp.Diff(pack.Ref(), r.Framework.Ref); diff != "" {
		t.Errorf("framework: -want +got\n%s", diff)
	}
	var got, want []string
	for i, a := range pack.Areas {
		want = append(want, a.ID+a.Title["en"])
		got = append(got, r.Areas[i].ID+r.Areas[i].Title["en"])
		for j := range a.Outcomes {
			want = append(want, a.Outcomes[j].ID+a.Outcomes[j].Title["en"])
			got = append(got, r.Areas[i].Outcomes[j].ID+r.Areas[i].Outcomes[j].Title["en"])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("titles: -want +got\n%s", diff)
	}
	if diff := cmp.Diff(release.Scale{HouseRule: pack.Scale.HouseRule, Levels: pack.Scale.Levels}, r.Scale); diff != "" {
		t.Errorf("scale: -want +got\n%s", diff)
	}
}
