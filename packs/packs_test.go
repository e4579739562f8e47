package packs_test

import (
	"io/fs"
	"slices"
	"testing"

	"muster/internal/framework"
	"muster/packs"
)

func TestEveryPackIsSound(t *testing.T) {
	t.Parallel()
	folders, err := fs.ReadDir(packs.FS, ".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, folder := range folders {
		names = append(names, folder.Name())
	}
	if !slices.Contains(names, "muster-core") {
		t.Fatalf("the packs are %q: muster-core is missing", names)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := framework.Find(packs.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			if p.ID != name {
				t.Errorf("the folder %s holds pack %s", name, p.ID)
			}
			if p.Marking != "TLP:CLEAR" || p.Licence != "Apache-2.0" {
				t.Errorf("marking %s, licence %s: our packs are TLP:CLEAR under Apache-2.0", p.Marking, p.Licence)
			}
			if _, err := framework.NewLayout(p); err != nil {
				t.Error(err)
			}
		})
	}
}
