package framework_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/framework"
)

// harbour returns the pack of testdata/harbour.yaml.
func harbour(t testing.TB) *framework.Pack {
	t.Helper()
	f, err := os.Open("testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := framework.Read("harbour.yaml", f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestReadHarbour(t *testing.T) {
	t.Parallel()
	p := harbour(t)
	const want = "harbour-lights 0.1.0: 2 areas, 3 outcomes, en fr; digest 88fe8834aa1585ff03f070f71b64ba2caaf75a532c865e628de279005ffcb2af"
	if got := p.String(); got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	if got, want := p.Areas[1].Summary.In("en"), "Somebody looks, and looks again.\nEvery night."; got != want {
		t.Errorf("folded text = %q, want %q", got, want)
	}
	if got, want := p.Areas[1].Summary.In("fr"), "Quelqu'un regarde.\nChaque nuit."; got != want {
		t.Errorf("literal text = %q, want %q", got, want)
	}
	var ids []string
	for _, o := range p.Outcomes() {
		ids = append(ids, o.AreaID()+" "+o.ID)
		if got, ok := p.Outcome(o.ID); !ok || got != o {
			t.Errorf("Outcome(%q) = %v, %t", o.ID, got, ok)
		}
		if area, ok := p.Area(o.AreaID()); !ok || area.ID != o.AreaID() {
			t.Errorf("Area(%q) = %v, %t", o.AreaID(), area, ok)
		}
	}
	if diff := cmp.Diff([]string{"L1 L1.1", "L1 L1.2", "L2 L2.1"}, ids); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if _, ok := p.Outcome("L1"); ok {
		t.Error("an area is an outcome")
	}
	if _, ok := p.Area("L9"); ok {
		t.Error("there is an area L9")
	}
	oil, _ := p.Outcome("L1.2")
	if oil.NotApplicable == nil || oil.Crosswalk != nil {
		t.Errorf("L1.2: not applicable %v, crosswalk %v", oil.NotApplicable, oil.Crosswalk)
	}
	lamps, _ := p.Outcome("L1.1")
	if diff := cmp.Diff(map[string][]string{"iala": {"1.a", "1.b"}}, lamps.Crosswalk); diff != "" || lamps.NotApplicable != nil {
		t.Errorf("L1.1: not applicable %v, crosswalk (-want +got):\n%s", lamps.NotApplicable, diff)
	}
	if p.RollUp.Percent != 80 || p.RollUp.Rule != framework.ShareOfScope {
		t.Errorf("roll-up %d %s", p.RollUp.Percent, p.RollUp.Rule)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	sound, err := os.ReadFile("testdata/harbour.yaml")
	if err != nil {
		t.Fatal(err)
	}
	packs := fstest.MapFS{
		"harbour-lights/pack.yaml": {Data: sound},
		"broken/pack.yaml":         {Data: []byte("format: muster-pack/1\n")},
		"notes/README.md":          {Data: []byte("# no pack\n")},
	}
	t.Run("found", func(t *testing.T) {
		t.Parallel()
		p, err := framework.Find(packs, "harbour-lights")
		if err != nil || p.ID != "harbour-lights" {
			t.Errorf("Find = %v, %v", p, err)
		}
	})
	for _, id := range []string{"harbour", "notes", "../harbour-lights", "harbour-lights/pack.yaml", "", ".", "HARBOUR-LIGHTS"} {
		t.Run("not found "+id, func(t *testing.T) {
			t.Parallel()
			_, err := framework.Find(packs, id)
			if errs.KindOf(err) != errs.NotFound {
				t.Fatalf("err = %v, want not found", err)
			}
			if hint := errs.Describe(err).Hint; !strings.Contains(hint, "broken, harbour-lights;") {
				t.Errorf("hint %q does not say what there is", hint)
			}
		})
	}
	t.Run("faults name the file", func(t *testing.T) {
		t.Parallel()
		_, err := framework.Find(packs, "broken")
		if err == nil || !strings.HasPrefix(err.Error(), "packs/broken/pack.yaml:1:1: ") {
			t.Errorf("err = %v", err)
		}
	})
	t.Run("located", func(t *testing.T) {
		t.Parallel()
		shown, f, err := framework.Locate(packs, "harbour-lights")
		if err != nil || shown != "packs/harbour-lights/pack.yaml" {
			t.Fatalf("Locate = %q, %v", shown, err)
		}
		defer f.Close()
		if data, err := io.ReadAll(f); err != nil || !bytes.Equal(data, sound) {
			t.Errorf("%d bytes, %v", len(data), err)
		}
	})
	t.Run("a file that cannot be opened is not a file that is missing", func(t *testing.T) {
		t.Parallel()
		if _, err := framework.Find(locked{}, "harbour-lights"); errs.KindOf(err) != errs.Internal || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("err = %v, want %v", err, fs.ErrPermission)
		}
	})
	t.Run("a file too large is not read", func(t *testing.T) {
		t.Parallel()
		_, err := framework.Read("pack.yaml", largeFile{})
		if err == nil || err.Error() != "pack.yaml: the file is larger than 32 MiB; allowed: at most 32 MiB" {
			t.Errorf("err = %v", err)
		}
	})
}

// locked is a file system in which nothing can be opened.
type locked struct{}

func (locked) Open(string) (fs.File, error) { return nil, fs.ErrPermission }

// largeFile says that it is large, and cannot be read.
func (largeFile) Read([]byte) (int, error)   { return 0, fs.ErrPermission }
func (largeFile) Close() error               { return nil }
func (largeFile) Stat() (fs.FileInfo, error) { return sizeInfo{}, nil }
func (sizeInfo) Size() int64                 { return framework.MaxSize + 1 }
func (sizeInfo) Mode() fs.FileMode           { return 0 }
func (sizeInfo) IsDir() bool                 { return false }

type (
	largeFile struct{}
	sizeInfo  struct{ fs.FileInfo }
)

func TestLevels(t *testing.T) {
	t.Parallel()
	var zero framework.Level
	if zero != framework.None || zero.Given() {
		t.Error("the zero level is an answer")
	}
	for number, level := range []framework.Level{framework.Level0, framework.Level1, framework.Level2, framework.Level3, framework.Level4} {
		got, ok := framework.LevelOf(number)
		back, given := level.Number()
		if got != level || !ok || back != number || !given || !level.Given() {
			t.Errorf("level %d: LevelOf = %v, %t; Number = %d, %t", number, got, ok, back, given)
		}
	}
	for _, number := range []int{-1, 5, 255, 256} {
		if got, ok := framework.LevelOf(number); ok {
			t.Errorf("LevelOf(%d) = %v", number, got)
		}
	}
	// Every bucket of the level's kinds is a level and back.
	for _, name := range framework.KindVerified.Buckets() {
		var l framework.Level
		if err := json.Unmarshal([]byte(`"`+name+`"`), &l); err != nil || l.String() != name {
			t.Errorf("level %q reads as %v, %v", name, l, err)
		}
		if text, err := json.Marshal(l); err != nil || string(text) != `"`+name+`"` {
			t.Errorf("level %q is written as %s, %v", name, text, err)
		}
		parsed, err := framework.ParseLevel(name)
		if name == "none" != (err != nil) || err == nil && parsed != l {
			t.Errorf("ParseLevel(%q) = %v, %v", name, parsed, err)
		}
	}
	for _, text := range []string{"", "5", "-1", "01", "NA", " 1", "n/a", "none"} {
		if l, err := framework.ParseLevel(text); err == nil || errs.KindOf(err) != errs.Invalid {
			t.Errorf("ParseLevel(%q) = %v, %v", text, l, err)
		}
	}
	if _, err := framework.Level(99).MarshalText(); err == nil {
		t.Error("level 99 is written")
	}
	if got := framework.Level(99).String(); got != "framework.Level(99)" {
		t.Errorf("String() = %q", got)
	}
}

func TestGrades(t *testing.T) {
	t.Parallel()
	var zero framework.Grade
	if zero != framework.NoEvidence {
		t.Error("the zero grade is evidence")
	}
	for _, name := range framework.KindEvidence.Buckets() {
		var g framework.Grade
		if err := json.Unmarshal([]byte(`"`+name+`"`), &g); err != nil || g.String() != name {
			t.Errorf("grade %q reads as %v, %v", name, g, err)
		}
		if text, err := json.Marshal(g); err != nil || string(text) != `"`+name+`"` {
			t.Errorf("grade %q is written as %s, %v", name, text, err)
		}
	}
	for _, text := range []string{"", "E4", "e1", "none", "1"} {
		if g, err := framework.ParseGrade(text); err == nil || errs.KindOf(err) != errs.Invalid {
			t.Errorf("ParseGrade(%q) = %v, %v", text, g, err)
		}
	}
	if _, err := framework.Grade(99).MarshalText(); err == nil {
		t.Error("grade 99 is written")
	}
}
