package packs_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/framework"
	"muster/packs"
)

// published is every pack with what must not change under its version: how many
// outcomes each area has, and the digest. Whoever changes a word gives the pack a
// new version and brings version and digest here up to date.
var published = []struct {
	id, version string
	answeredBy  string
	areas       []string // id and number of outcomes
	outcomes    int
	digest      string
}{
	{
		"muster-ai", "1.0.0", "",
		[]string{"I1 4", "I2 3", "I3 2", "I4 3"},
		12, "fab8bb78d58ed51abb16cb3bfe78ab0f54eb9adb29543bc9e655ccfc6003ccc5",
	},
	{
		"muster-collective", "1.0.0", framework.ByCoordinator,
		[]string{"C1 3", "C2 4", "C3 3", "C4 2"},
		12, "0f5fcd9f0d603ba61b8577841260808a291b74ec83d266e981eba29510bcbcc2",
	},
	{
		"muster-core", "1.1.0", "",
		[]string{"A1 5", "A2 4", "A3 4", "A4 5", "A5 4", "A6 4", "A7 4", "A8 6"},
		36, "18b5693543b99104f7786c6714f0db0dab0339c374a69fb0b34057925285d6e4",
	},
	{
		"muster-ports", "1.0.1", "",
		[]string{"P1 4", "P2 4", "P3 5", "P4 4", "P5 3"},
		20, "aac9754c497dbb472f8f9236d968b09255537958ef324813ab35efdfbdb8827f",
	},
}

// each runs test for every pack.
func each(t *testing.T, test func(*testing.T, *framework.Pack)) {
	t.Helper()
	for _, want := range published {
		t.Run(want.id, func(t *testing.T) {
			t.Parallel()
			p, err := framework.Find(packs.FS(), want.id)
			if err != nil {
				t.Fatal(err)
			}
			test(t, p)
		})
	}
}

// TestArchive holds packs.zip to the folders, byte by byte.
func TestArchive(t *testing.T) {
	t.Parallel()
	folders, err := fs.Glob(os.DirFS("."), "*/pack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var packed []string
	err = fs.WalkDir(packs.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			packed = append(packed, name)
		}
		return err
	})
	if diff := cmp.Diff(folders, packed); err != nil || diff != "" {
		t.Fatalf("%v; run go generate (-folders +packs.zip):\n%s", err, diff)
	}
	for _, name := range folders {
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := fs.ReadFile(packs.FS(), name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s in packs.zip differs from the folder's (%v): run go generate", name, err)
		}
	}
}

func TestEveryFolderIsAPackOfTheTable(t *testing.T) {
	t.Parallel()
	folders, err := fs.ReadDir(packs.FS(), ".")
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, folder := range folders {
		got = append(got, folder.Name())
	}
	for _, p := range published {
		want = append(want, p.id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("packs (-table +folders):\n%s", diff)
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	for _, want := range published {
		t.Run(want.id, func(t *testing.T) {
			t.Parallel()
			p, err := framework.Find(packs.FS(), want.id)
			if err != nil {
				t.Fatal(err)
			}
			var areas []string
			for _, a := range p.Areas {
				areas = append(areas, fmt.Sprintf("%s %d", a.ID, len(a.Outcomes)))
				for i, o := range a.Outcomes {
					if id := fmt.Sprintf("%s.%d", a.ID, i+1); o.ID != id {
						t.Errorf("outcome %s stands where %s should", o.ID, id)
					}
				}
			}
			if diff := cmp.Diff(want.areas, areas); diff != "" || len(p.Outcomes()) != want.outcomes {
				t.Errorf("%d outcomes, want %d; by area (-want +got):\n%s", len(p.Outcomes()), want.outcomes, diff)
			}
			if p.ID != want.id || p.Version != want.version || p.AnsweredBy != want.answeredBy {
				t.Errorf("%s %s answered by %q, want %s %s answered by %q", p.ID, p.Version, p.AnsweredBy, want.id, want.version, want.answeredBy)
			}
			if got := hex.EncodeToString(p.Digest[:]); got != want.digest {
				t.Errorf("digest %s, want %s: a published version does not change; give the pack a new one", got, want.digest)
			}
			if p.Marking != "TLP:CLEAR" || p.Licence != "Apache-2.0" || !slices.Equal(p.Languages, []string{"en", "fr"}) {
				t.Errorf("marking %s, licence %s, languages %q: our packs are TLP:CLEAR under Apache-2.0, in en and fr", p.Marking, p.Licence, p.Languages)
			}
		})
	}
}

// TestChecks holds our packs to more than a reader does: not even a warning.
func TestChecks(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *framework.Pack) {
		shown, f, err := framework.Locate(packs.FS(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, warnings, err := framework.Check(shown, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range warnings {
			t.Error(w)
		}
	})
}

// TestLayout makes sure that what members answer can be sealed in one submission.
func TestLayout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, p *framework.Pack) {
		_, err := framework.NewLayout(p)
		if sealed := err == nil; sealed != (p.AnsweredBy == "") {
			t.Errorf("a pack answered by %q: %v", p.AnsweredBy, err)
		}
	})
}

// TestOneScale: a level means the same whichever pack it is a level of.
func TestOneScale(t *testing.T) {
	t.Parallel()
	core, err := framework.Find(packs.FS(), "muster-core")
	if err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, p *framework.Pack) {
		if diff := cmp.Diff(core.Scale, p.Scale); diff != "" {
			t.Errorf("scale (-muster-core +%s):\n%s", p.ID, diff)
		}
		if p.RollUp.Rule != framework.ShareOfScope || p.RollUp.Percent != core.RollUp.Percent {
			t.Errorf("roll-up %s, %d %%", p.RollUp.Rule, p.RollUp.Percent)
		}
	})
}
