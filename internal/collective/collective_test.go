package collective_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/collective"
	"muster/internal/errs"
	"muster/internal/framework"
)

func harbour(t testing.TB) *framework.Pack {
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
	return pack
}

// config answers every outcome in turn with another level, the last with none.
func config(t testing.TB) collective.Config {
	t.Helper()
	pack := harbour(t)
	answers := make(map[string]collective.Answer)
	levels := []framework.Level{framework.Level3, framework.Level0, framework.Withheld}
	for i, o := range pack.Outcomes() {
		answers[o.ID] = collective.Answer{Level: levels[i%3], Verified: framework.None, Target: framework.Level4, Evidence: framework.E2}
	}
	return collective.Config{Coalition: "Hithe", Cycle: "2031", Cohort: "keepers", Marking: "SYNTHETIC", Pack: pack, Answers: answers}
}

func made(t testing.TB) *collective.Assessment {
	t.Helper()
	a, err := collective.New(config(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func canonical(t testing.TB, a *collective.Assessment) []byte {
	t.Helper()
	b, err := a.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestNewSaysWhatWasAnswered(t *testing.T) {
	t.Parallel()
	pack := harbour(t)
	a := made(t)
	var got []string
	for _, area := range a.Areas {
		for _, o := range area.Outcomes {
			got = append(got, o.ID+" "+o.Level.String()+" "+o.Says["en"])
		}
	}
	var want []string
	for i, o := range pack.Outcomes() {
		want = append(want, o.ID+" "+[]string{"3 " + o.Descriptors[3]["en"], "0 " + o.Descriptors[0]["en"], "withheld "}[i%3])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change  func(*collective.Config)
		message string
	}{
		"no framework":         {func(c *collective.Config) { c.Pack = nil }, "needs its framework"},
		"an answer missing":    {func(c *collective.Config) { delete(c.Answers, "L1.1") }, "L1.1 has no answer"},
		"an answer to nothing": {func(c *collective.Config) { c.Answers["X1.1"] = c.Answers["L1.1"] }, "does not have"},
		"no level":             {func(c *collective.Config) { c.Answers["L1.1"] = collective.Answer{} }, "no level at L1.1"},
		"a target that is none": {func(c *collective.Config) {
			c.Answers["L1.1"] = collective.Answer{Level: framework.Level1, Target: framework.Withheld}
		}, "target at L1.1"},
		"no coalition":    {func(c *collective.Config) { c.Coalition = "" }, "coalition"},
		"no cohort":       {func(c *collective.Config) { c.Cohort = "" }, "cohort"},
		"another marking": {func(c *collective.Config) { c.Marking = "SECRET" }, "marking"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t)
			row.change(&cfg)
			if _, err := collective.New(cfg); err == nil || !strings.Contains(err.Error(), row.message) || errs.KindOf(err) != errs.Invalid {
				t.Errorf("got %v, want %q", err, row.message)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	sound := string(canonical(t, made(t)))
	for _, row := range []struct{ name, old, new, message string }{
		{"another kind", "muster collective v1", "muster collective v2", "kind"},
		{"white space", `{"areas":`, `{"areas": `, "cannot be read"},
		{"an unknown field", `{"areas":`, `{"aaa":1,"areas":`, "cannot be read"},
		{"a level beside the scale", `"level":"3"`, `"level":"5"`, "cannot be read"},
		{"no level", `"level":"3"`, `"level":"none"`, "no level"},
		{"a level without what it says", `"level":"withheld"`, `"level":"2"`, "is not there"},
		{"what a level says without the level", `"level":"3"`, `"level":"na"`, "not given"},
		{"a digest cut short", `"asked":"`, `"asked":"0`, "digest"},
		{"an outcome twice", `"id":"L1.2"`, `"id":"L1.1"`, "twice"},
		{"an area without outcomes", `{"areas":[`, `{"areas":[{"id":"L0","outcomes":[],"title":{"en":"x"}},`, "without outcomes"},
		{"a coalition that repaints the terminal", `"coalition":"Hithe"`, `"coalition":"\u001b[2J"`, "printed"},
		{"a title turned around", `"title":{"en":"`, `"title":{"en":"` + "\u202e", "printed"},
		{"a framework without digest", `"framework":{"digest":"`, `"framework":{"digest":"x`, "digest"},
		{"no language", `"languages":["en"`, `"languages":["en","en"`, "language"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(sound, row.old, row.new, 1)
			if changed == sound {
				t.Fatalf("the file has no %s", row.old)
			}
			a, err := collective.Parse([]byte(changed))
			if err == nil || a != nil || errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.message) {
				t.Errorf("got %v, want %q", err, row.message)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(canonical(f, made(f)))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := collective.Parse(b)
		if err == nil && !bytes.Equal(canonical(t, a), b) {
			t.Error("accepted and written differently")
		}
	})
}
