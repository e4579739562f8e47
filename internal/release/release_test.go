package release_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/release"
)

func TestNewHoldsEveryBlock(t *testing.T) {
	t.Parallel()
	cfg := config(t, 31, 7)
	r := made(t, 31, 7)
	application := disclosure.Application{
		Rule: disclosure.Rule{Hosts: 2}, Totals: cfg.Totals,
		Participation: disclosure.Participation{Members: 33, Submissions: 31, Hosts: 2, Declined: 1},
		Thresholds:    disclosure.Thresholds{MinimumBatch: 22, ReleaseMinimum: 8},
	}
	for _, m := range roster(31) {
		application.Members = append(application.Members, string(m))
	}
	slices.Sort(application.Members)
	want, err := application.Apply()
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
	r := second(t)
	for _, want := range []release.NotShown{
		{Block: "L1/lowest", Reason: release.NotBoth},
		{Block: "L1/change", Reason: release.Moved},
		{Block: "L1.1/level", Reason: release.TooFew},
		{Block: "L1.1/target", Reason: release.NotBoth},
	} {
		if !slices.Contains(r.NotShown, want) || blocks(r)[want.Block].Shown() || r.Reasons[want.Reason]["fr"] == "" {
			t.Errorf("%v is not listed among %v with its words", want, r.NotShown)
		}
	}
}

func TestNewSaysWhatWasApplied(t *testing.T) {
	t.Parallel()
	first, r := made(t, 31, 7), second(t)
	if !first.Status.Publishable || !r.Status.Publishable || len(r.Status.Reasons) != 0 {
		t.Errorf("status %+v, %+v", first.Status, r.Status)
	}
	if diff := cmp.Diff(release.Rule{ID: "cuts", MinimumBand: 7, Known: 4, Opened: 1}, r.Rule); diff != "" {
		t.Errorf("rule: -want +got\n%s", diff)
	}
	if first.Turnover != nil || len(first.History) != 0 {
		t.Errorf("the first release compares with %v, %v", first.Turnover, first.History)
	}
	if diff := cmp.Diff(&release.Turnover{Since: "2031", Joined: 1}, r.Turnover); diff != "" {
		t.Errorf("turnover: -want +got\n%s", diff)
	}
	want := []release.Earlier{{Cycle: "2031", Cohort: "members", Framework: first.Framework.ID, Release: keys.Digest(canonical(t, first))}}
	if diff := cmp.Diff(want, r.History); diff != "" {
		t.Errorf("history: -want +got\n%s", diff)
	}
	said := make(map[string]framework.Text)
	var order []string
	for _, statement := range r.Method {
		said[statement.ID] = statement.Text
		order = append(order, statement.ID)
	}
	if diff := cmp.Diff([]string{"halves", "opened", "floor", "bands", "turnover", "attack", "hosts", "truth"}, order); diff != "" {
		t.Errorf("sentences: -want +got\n%s", diff)
	}
	for id, numbers := range map[string][]string{
		"opened":   {"32", "34", "23"},
		"floor":    {"8"},
		"bands":    {"7", "4", "1 m"},
		"turnover": {"2031", "1 m"},
		"attack":   {"1 "},
	} {
		for _, number := range numbers {
			for lang, text := range said[id] {
				if !strings.Contains(text, number) {
					t.Errorf("%s in %s does not say %s: %s", id, lang, number, text)
				}
			}
		}
	}
	if got := made(t, 31, 7).Method; slices.ContainsFunc(got, func(s release.Statement) bool { return s.ID == "turnover" }) {
		t.Error("a first release says who joined")
	}
}

func TestRehearsalsAreNotPublishable(t *testing.T) {
	t.Parallel()
	cfg := config(t, 31, 7)
	cfg.Marking = coalition.MarkingRehearsal
	r, err := release.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status.Publishable || !slices.Equal(r.Status.Reasons, []release.Reason{release.Rehearsed}) {
		t.Errorf("status %+v", r.Status)
	}
}

// TestNewRefusesHistories: what was released before must be able to be that.
func TestNewRefusesHistories(t *testing.T) {
	t.Parallel()
	provisionalForm, err := release.Parse(provisional(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		change  func(*release.Config)
		message string
		kind    errs.Kind
	}{
		"another coalition": {func(c *release.Config) { c.Coalition = "Wick" }, "is of", errs.Invalid},
		"the same cycle":    {func(c *release.Config) { c.Cycle = "2031" }, "is there already", errs.Conflict},
		"a later cycle":     {func(c *release.Config) { c.Calendar = release.Calendar{Opens: 1, Deadline: 2} }, "later cycle", errs.Invalid},
		"a roster of other size": {
			func(c *release.Config) { c.History[0].Members = roster(30) }, "the roster has 30", errs.Invalid,
		},
		"the provisional form": {
			func(c *release.Config) { c.History[0].Release = provisionalForm }, "provisional form", errs.Invalid,
		},
		"a release twice": {func(c *release.Config) { c.History = append(c.History, c.History[0]) }, "twice", errs.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := secondConfig(t)
			row.change(&cfg)
			if _, err := release.New(cfg); err == nil || !strings.Contains(err.Error(), row.message) || errs.KindOf(err) != row.kind {
				t.Errorf("got %v of kind %v, want %q", err, errs.KindOf(err), row.message)
			}
		})
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
		{"a member twice", func(c *release.Config) { c.Members[3] = c.Members[4] }, errs.Invalid},
		{"a member too few", func(c *release.Config) { c.Members = c.Members[:30] }, errs.Conflict},
		{"a cohort smaller than what it sent", func(c *release.Config) { c.CohortSize = 30 }, errs.Invalid},
		{"fewer than no colluders", func(c *release.Config) { c.Colluders = -1 }, errs.Invalid},
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
			if _, refused := errors.AsType[*disclosure.Refusal](err); refused != (tt.want == errs.Conflict && tt.name != "a member too few") {
				t.Errorf("a refusal: %t, for %v", refused, err)
			}
		})
	}
}

func TestReleaseRoundTrip(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 5))
	releases := []*release.Release{second(t)}
	for range 12 {
		releases = append(releases, made(t, 22+rng.IntN(60), rng.Uint64()))
	}
	for _, r := range releases {
		b := canonical(t, r)
		parsed, err := release.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(canonical(t, parsed), b) {
			t.Fatal("reads as another release")
		}
		for name, want := range blocks(r) {
			if got := blocks(parsed)[name]; got.Name() != name || got.Kind() != want.Kind() || !cmp.Equal(got.Bands(), want.Bands()) {
				t.Fatalf("%s reads as %s: %v", name, got.Name(), got.Bands())
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	earlier := keys.Digest(canonical(t, made(t, 31, 7)))
	sound := string(canonical(t, second(t)))
	tests := []struct {
		name     string
		old, new string
		message  string
	}{
		{"another kind", "muster release v2", "muster release v3", "kind"},
		{"the provisional kind", "muster release v2", "muster release v1", "cannot be read"},
		{"a rehearsal that is publishable", `"marking":"SYNTHETIC"`, `"marking":"REHEARSAL"`, "status"},
		{"a humbler status", `"publishable":true`, `"publishable":false`, "status"},
		{"a status with a reason", `"status":{"publishable":true,"reasons":[]}`, `"status":{"publishable":true,"reasons":["rehearsal"]}`, "status"},
		{"another rule", `"id":"cuts"`, `"id":"none"`, "rule"},
		{"the provisional rule", `"id":"cuts"`, `"id":"first"`, "rule"},
		{"fewer that are known", `"known":4`, `"known":3`, "as known"},
		{"more colluders than members", `"colluders":0`, `"colluders":33`, "colluders"},
		{"more that opened than members", `"opened":1`, `"opened":31`, "opened"},
		{"another preference", `"prefer":{"lowest":false`, `"prefer":{"lowest":true`, "does not list"},
		{"an unknown field", `{"areas":`, `{"all":1,"areas":`, "cannot be read"},
		{"an unknown field of a block", `{"bands":[`, `{"aaa":1,"bands":[`, "cannot be read"},
		{"white space", `{"areas":`, `{"areas": `, "cannot be read"},
		{"bytes after it", `"thresholds":`, `"thresholds":1}{`, "cannot be read"},
		{"more submissions", `"submissions":32`, `"submissions":33`, "do not sum"},
		{"fewer members", `"members":34`, `"members":30`, "do not fit"},
		{"more hosts", `"hosts":2`, `"hosts":3`, "do not fit"},
		{"lower threshold", `"release_minimum":8`, `"release_minimum":7`, "thresholds"},
		{"higher threshold than there are members", `"release_minimum":8`, `"release_minimum":31`, "too few"},
		{"smaller bands", `"minimum_band":7`, `"minimum_band":6`, "bands of 6"},
		{"one host", `"hosted_by":["Ostmere","Calverra"]`, `"hosted_by":["Ostmere"]`, "two hosts"},
		{"one host twice", `"hosted_by":["Ostmere","Calverra"]`, `"hosted_by":["Ostmere","ostmere"]`, "two hosts"},
		{"a host without a name", `"hosted_by":["Ostmere","Calverra"]`, `"hosted_by":["Ostmere",""]`, "no member name"},
		{"a deadline before the opening", `"opens":1960000000`, `"opens":1964000000`, "deadline"},
		{"another deadline than the last", `"deadline":1963000000,"opens"`, `"deadline":1963000001,"opens"`, "last postponement"},
		{"a postponement without reason", "an election", " ", "without a reason"},
		{"no list of postponements", `"postponed":[{"deadline":1963000000,"reason":"an election"}]`, `"postponed":null`, "null"},
		{"more that joined than there are", `"joined":1`, `"joined":33`, "joined"},
		{"a cycle without name", `"since":"2031"`, `"since":""`, "cycle to compare with"},
		{"no list of earlier releases", `"history":[{"cohort":"members","cycle":"2031","framework":"harbour-lights","release":"` + earlier + `"}]`, `"history":null`, "null"},
		{"an earlier release by name", earlier, "last-year", "no digest"},
		{"a group twice", `"groups":[`, `"groups":[{"cohort":"members","members":32},`, "twice"},
		{"a group of other size", `{"cohort":"members","members":32}]`, `{"cohort":"members","members":31}]`, "groups"},
		{"the own group dropped", `{"cohort":"members","members":32}]`, `{"cohort":"members","dropped":"group_small","members":32}]`, "groups"},
		{"no group", `"groups":[{"cohort":"coast","dropped":"group_different","members":29},{"cohort":"members","members":32}]`, `"groups":[]`, "groups"},
		{"no method", `"method":[`, `"method":[],"methods":[`, "cannot be read"},
		{"a method in one language", `,"fr":"Si les deux hôtes manquaient à leur engagement et réunissaient les moitiés, ils pourraient lire les réponses."`, ``, `"fr"`},
		{"a reason without words", `"moved":{"en"`, `"moves":{"en"`, "reason"},
		{"another reason than it has", `"reason":"moved"`, `"reason":"too_few"`, "does not list"},
		{"an outcome by another digest", `"asked":"`, `"asked":"x`, "digest"},
		{"a charter by another name", charterDigest, charterDigest[2:] + "zz", "digest"},
		{"a control character", `"coalition":"Hithe"`, `"coalition":"\u001b[2J"`, "cannot be printed"},
		{"text turned around", `"coalition":"Hithe"`, `"coalition":"` + "\u202eHithe" + `"`, "cannot be printed"},
		{"no list of what is not shown", `"not_shown":[{"block":"L1/lowest","reason":"not_both"},`, `"not_shown":[`, "list"},
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
	old := `"level":{"bands":[{"count":6,"units":["none"]},{"count":7,"units":["0","1"]},{"count":11,"units":["2","3"]},{"count":7,"units":["4"]}]}`
	if !strings.Contains(sound, old) {
		t.Fatalf("%s reads %v", name, blocks(r)[name].Bands())
	}
	tests := []struct{ name, new, message string }{
		{"a band of five", `[{"count":8,"units":["none"]},{"count":5,"units":["0","1"]},{"count":11,"units":["2","3"]},{"count":7,"units":["4"]}]`, "band of 5"},
		{"one member more", `[{"count":6,"units":["none"]},{"count":7,"units":["0","1"]},{"count":11,"units":["2","3"]},{"count":8,"units":["4"]}]`, "do not sum"},
		{"one member fewer", `[{"count":6,"units":["none"]},{"count":7,"units":["0","1"]},{"count":11,"units":["2","3"]},{"count":6,"units":["4"]}]`, "do not sum"},
		{"a unit missing", `[{"count":6,"units":["none"]},{"count":7,"units":["0","1"]},{"count":18,"units":["2","3"]}]`, "units in order"},
		{"a unit twice", `[{"count":6,"units":["none"]},{"count":7,"units":["0","1"]},{"count":11,"units":["2","3","4"]},{"count":7,"units":["4"]}]`, "units in order"},
		{"units in another order", `[{"count":6,"units":["none"]},{"count":7,"units":["1","0"]},{"count":11,"units":["2","3"]},{"count":7,"units":["4"]}]`, "units in order"},
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
	f.Add(canonical(f, made(f, 24, 1)))
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
