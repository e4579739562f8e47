package coalition_test

import (
	"bytes"
	"os"
	"testing"

	"muster/internal/web/coalition"
	"muster/internal/web/coalition/picturetest"
	"muster/packs"
)

func TestFileSize(t *testing.T) {
	found, err := picturetest.Packs(packs.FS, "muster-core", "muster-ports", "muster-ai")
	if err != nil {
		t.Fatal(err)
	}
	releases, err := picturetest.Releases(picturetest.Default(found))
	if err != nil {
		t.Fatal(err)
	}
	var cfg coalition.Config
	for _, r := range releases {
		s, err := coalition.NewSheet(r)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Sheets = append(cfg.Sheets, s)
	}
	pages, err := coalition.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range [][]string{{"en"}, {"en", "fr"}} {
		var b bytes.Buffer
		if err := pages.WriteFile(&b, coalition.FileConfig{Languages: l}); err != nil {
			t.Fatal(err)
		}
		t.Log(l, b.Len())
		os.WriteFile("/tmp/picture.html", b.Bytes(), 0o644)
	}
}
