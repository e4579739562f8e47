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

func config(t testing.TB) collective.Config {
	return collective.Config{
		Pack: harbour(t), Marking: "SYNTHETIC", Coalition: "Coalition of the Sea of Lanthery", Cycle: "2026",
		Answers: map[string]collective.Answer{
			"L1.1": {Level: "3", Verified: "2", Target: "4", Evidence: "E2"},
			"L1.2": {Level: "na"},
			"L2.1": {Level: "0", Target: "0"},
		},
	}
}

func body(t testing.TB) []byte {
	t.Helper()
	a, err := collective.New(config(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Canonical()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	made, err := collective.New(config(t))
	if err != nil {
		t.Fatal(err)
	}
	read, err := collective.Parse(body(t))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, read); diff != "" {
		t.Errorf("-made +read\n%s", diff)
	}
	got := make(map[string]collective.Answer)
	for _, a := range read.Areas {
		for _, o := range a.Outcomes {
			got[o.ID] = o.Answer
		}
	}
	if diff := cmp.Diff(config(t).Answers, got); diff != "" {
		t.Errorf("answers: -want +got\n%s", diff)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*collective.Config)
		want   string
	}{
		{"no pack", func(c *collective.Config) { c.Pack = nil }, "an assessment of the coalition needs a framework"},
		{"no answer", func(c *collective.Config) { delete(c.Answers, "L1.2") }, "the coalition has no answer to L1.2"},
		{"an answer too many", func(c *collective.Config) { c.Answers["L9.9"] = collective.Answer{Level: "1"} }, "1 answers are to no outcome of harbour-lights"},
		{"a level that is none", func(c *collective.Config) { c.Answers["L1.2"] = collective.Answer{Level: "5"} }, `the coalition's assessment has in L1.2 "5" as a level`},
		{"no level", func(c *collective.Config) { c.Answers["L1.2"] = collective.Answer{Target: "1"} }, `the coalition's assessment has in L1.2 "" as a level`},
		{"a verified level that is none", func(c *collective.Config) { c.Answers["L1.2"] = collective.Answer{Level: "1", Verified: "none"} }, `the coalition's assessment has in L1.2 "none" as a verified level`},
		{"a target that is none", func(c *collective.Config) { c.Answers["L1.2"] = collective.Answer{Level: "1", Target: "na"} }, `the coalition's assessment has in L1.2 "na" as a target`},
		{"a grade that is none", func(c *collective.Config) { c.Answers["L1.2"] = collective.Answer{Level: "1", Evidence: "E4"} }, `the coalition's assessment has in L1.2 "E4" as an evidence grade`},
		{"no cycle", func(c *collective.Config) { c.Cycle = "" }, "the coalition's assessment has no cycle that can be printed"},
		{"a name of two lines", func(c *collective.Config) { c.Coalition = "a\nb" }, "the coalition's assessment has no coalition that can be printed"},
		{"a marking that hides", func(c *collective.Config) { c.Marking = "SYN\u202eTHETIC" }, "the coalition's assessment has a marking that cannot be printed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t)
			row.change(&cfg)
			_, err := collective.New(cfg)
			if err == nil || errs.KindOf(err) != errs.Invalid || err.Error() != row.want {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	sound := string(body(t))
	for _, row := range []struct{ name, old, new, want string }{
		{"another kind", "muster collective v1", "muster collective v2", "is of kind"},
		{"not canonical", `"cycle":"2026"`, `"cycle": "2026"`, "cannot be read"},
		{"an unknown field", `"cycle":"2026"`, `"cycle":"2026","d":1`, "cannot be read"},
		{"a digest that is none", harbour(t).Ref().Digest, "00", "framework digest"},
		{"an id twice", `"id":"L1.2"`, `"id":"L1.1"`, "twice"},
		{"an id that is none", `"id":"L1.2"`, `"id":"L1 2"`, "no proper id"},
		{"a language without a title", `"languages":["en","fr"]`, `"languages":["en","fr","zz"]`, `in "zz"`},
		{"no language", `"languages":["en","fr"]`, `"languages":[]`, "names no language"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(sound, row.old, row.new, 1)
			if changed == sound {
				t.Fatal("nothing was changed")
			}
			_, err := collective.Parse([]byte(changed))
			if err == nil || errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
	if _, err := collective.Parse(make([]byte, collective.MaxSize+1)); errs.KindOf(err) != errs.Invalid {
		t.Errorf("too large: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(body(f))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := collective.Parse(b)
		if err != nil {
			return
		}
		again, err := a.Canonical()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("accepted and written differently: %v", err)
		}
	})
}
