package exchange_test

import (
	stdcmp "cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"muster/internal/assess"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/exchange"
)

// folder returns a folder in memory, of names and contents.
func folder(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func members(assessments []*assess.Assessment) []string {
	var names []string
	for _, a := range assessments {
		names = append(names, a.Member)
	}
	return names
}

// faultsOf returns the faults of an error, each with its place, or fails.
func faultsOf(t *testing.T, err error) []string {
	t.Helper()
	var faults errs.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("got %v, want faults", err)
	}
	var texts []string
	for _, fault := range faults {
		placed(t, fault)
		texts = append(texts, fault.String())
	}
	return texts
}

func TestReadFolder(t *testing.T) {
	t.Parallel()
	fsys := folder(map[string]string{
		"Ostmere.csv":       good,
		"Åldovar.csv":       good,
		"Old Calverra.CSV":  good,
		"a.b.Csv":           good,
		"Yarrowend.cvs":     good,
		"Yarrowend.csv.txt": good,
		"README":            "",
		"charter.json":      "{}",
		"sub/Tarvessa.csv":  good,
		".DS_Store":         "",
		"._Ostmere.csv":     "",
		".csv":              "",
	})
	got, ignored, err := exchange.ReadFolder(fsys, "in", packOf(2, 1))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, members(got), []string{"Old Calverra", "Ostmere", "a.b", "Åldovar"})
	equal(t, ignored, []string{"README", "Yarrowend.csv.txt", "Yarrowend.cvs", "charter.json", "sub"})
	for _, a := range got {
		equal(t, a.Answers, goodAnswers())
	}
}

func TestReadFolderOfOneCaseOnly(t *testing.T) {
	t.Parallel()
	const byCase = `"%s" and "%s" are files of one member: neither case nor the way an accent is written tells members apart`
	rows := []struct{ name, first, second, want string }{
		{"upper and lower case", "OSTMERE.csv", "ostmere.csv", ""},
		{"the extension's case", "Ostmere.CSV", "Ostmere.csv", ""},
		{"composed and decomposed", "A\u030aldovar.csv", "\u00c5ldovar.csv", `"A\u030aldovar.csv" and "\u00c5ldovar.csv" are files of one member: the same name in two encodings of its letters`},
		{"composed and decomposed, in another case", "A\u030aldovar.csv", "\u00e5ldovar.csv", ""},
		{"sharp s", "Strasse.csv", "Straße.csv", ""},
		{"Greek final sigma", "ΟΔΟΣ.csv", "οδος.csv", ""},
		{"Kelvin sign", "Kelmarrin.csv", "\u212aelmarrin.csv", `"Kelmarrin.csv" and "\u212aelmarrin.csv" are files of one member: the same name in two encodings of its letters`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fsys := folder(map[string]string{row.first: good, row.second: good})
			got, _, err := exchange.ReadFolder(fsys, "in", packOf(2, 1))
			if got != nil {
				t.Errorf("got %v", members(got))
			}
			want := stdcmp.Or(row.want, fmt.Sprintf(byCase, row.first, row.second))
			equal(t, faultsOf(t, err), []string{filepath.Join("in", row.second) + ":1:1: " + want + "; allowed: one file a member"})
			if coalition.Fold(strings.TrimSuffix(row.first, ".csv")) == coalition.Fold("Calverra") {
				t.Error("different members have one key")
			}
		})
	}
}

func TestReadFolderCollectsTheFaultsOfAllFiles(t *testing.T) {
	t.Parallel()
	fsys := folder(map[string]string{
		"B.csv": strings.Replace(good, "na", "5", 1),
		"A.csv": strings.Replace(good, "na", "6", 1),
		"C.csv": good,
		"D.csv": "",
	})
	got, _, err := exchange.ReadFolder(fsys, "in", packOf(2, 1))
	if got != nil {
		t.Errorf("got %v", members(got))
	}
	equal(t, faultsOf(t, err), []string{
		filepath.Join("in", "A.csv") + `:3:6: level: "6" is not a level; allowed: ` + allowedLevel,
		filepath.Join("in", "B.csv") + `:3:6: level: "5" is not a level; allowed: ` + allowedLevel,
		filepath.Join("in", "D.csv") + `:1:1: the file is empty; allowed: ` + allowedHeader + `, then one row for each outcome`,
	})
}

func TestReadFolderQuotesBadNames(t *testing.T) {
	t.Parallel()
	fsys := folder(map[string]string{"Ost\x1b[2Jmere.csv": good, "Yarrowend.csv": good, "Ost\xffmere.csv": good})
	got, _, err := exchange.ReadFolder(fsys, "in", packOf(2, 1))
	if got != nil {
		t.Errorf("got %v", members(got))
	}
	const allowed = "; allowed: member.csv; 1 to 64 characters before .csv, no space at either end, no control, direction or invisible characters"
	equal(t, faultsOf(t, err), []string{
		`in:1:1: the file name "Ost\x1b[2Jmere.csv" holds a control, direction or invisible character` + allowed,
		`in:1:1: the file name "Ost\xffmere.csv" is not UTF-8` + allowed,
	})
}

func TestReadFolderWithoutAnswers(t *testing.T) {
	t.Parallel()
	const none = ":1:1: the folder has no file of answers; allowed: one file a member, named member.csv"
	for name, row := range map[string]struct {
		files   map[string]string
		ignored []string
	}{
		"empty":           {nil, nil},
		"dotfiles":        {map[string]string{".x.csv": good}, nil},
		"other files":     {map[string]string{"Ostmere.xlsx": ""}, []string{"Ostmere.xlsx"}},
		"a folder deeper": {map[string]string{"answers/Ostmere.csv": good}, []string{"answers"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, ignored, err := exchange.ReadFolder(folder(row.files), "in", packOf(2, 1))
			equal(t, faultsOf(t, err), []string{"in" + none})
			equal(t, ignored, row.ignored)
		})
	}
	t.Run("no folder", func(t *testing.T) {
		t.Parallel()
		_, _, err := exchange.ReadFolder(os.DirFS(filepath.Join(t.TempDir(), "missing")), "in", packOf(2, 1))
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("got %v", err)
		}
	})
}

// TestReadFolderOpensRegularFilesOnly gives it entries that must not be opened.
func TestReadFolderOpensRegularFilesOnly(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		mode fs.FileMode
		want string
	}{
		{"a link", fs.ModeSymlink, "this is a link"},
		{"a folder", fs.ModeDir, "this is a folder"},
		{"a pipe", fs.ModeNamedPipe, "this is a pipe"},
		{"a socket", fs.ModeSocket, "this is not a file"},
		{"a device", fs.ModeDevice, "this is not a file"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			fsys := guarded{fstest.MapFS{"Ostmere.csv": {Data: []byte(good), Mode: row.mode | 0o644}}, t}
			_, _, err := exchange.ReadFolder(fsys, "in", packOf(2, 1))
			equal(t, faultsOf(t, err), []string{
				filepath.Join("in", "Ostmere.csv") + ":1:1: " + row.want + "; allowed: a regular file",
			})
		})
	}
}

// guarded fails the test when anything but the folder is opened.
type guarded struct {
	fs.FS
	t *testing.T
}

func (g guarded) Open(name string) (fs.File, error) {
	if name != "." {
		g.t.Errorf("%s was opened", name)
	}
	return g.FS.Open(name)
}

// TestReadFolderLooksAgain exchanges a file after the folder was listed.
func TestReadFolderLooksAgain(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name string
		late fstest.MapFS
		want string
	}{
		{"for a pipe", fstest.MapFS{"Ostmere.csv": {Mode: fs.ModeNamedPipe}}, "this is a pipe; allowed: a regular file"},
		{"for nothing", fstest.MapFS{}, "the file cannot be read: file does not exist"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := exchange.ReadFolder(exchanged{folder(map[string]string{"Ostmere.csv": good}), row.late}, "in", packOf(2, 1))
			equal(t, faultsOf(t, err), []string{filepath.Join("in", "Ostmere.csv") + ":1:1: " + row.want})
		})
	}
}

// exchanged lists one folder and opens the files of another.
type exchanged struct{ listed, opened fs.FS }

func (e exchanged) Open(name string) (fs.File, error) {
	if name == "." {
		return e.listed.Open(name)
	}
	return e.opened.Open(name)
}

func TestReadFolderBounds(t *testing.T) {
	t.Parallel()
	many := func(n int, form string) map[string]string {
		files := make(map[string]string)
		for i := range n {
			files[fmt.Sprintf(form, i)] = good
		}
		return files
	}
	t.Run("most members", func(t *testing.T) {
		t.Parallel()
		got, _, err := exchange.ReadFolder(folder(many(exchange.MaxMembers, "m%05d.csv")), "in", packOf(2, 1))
		if err != nil || len(got) != exchange.MaxMembers {
			t.Errorf("got %d, %v", len(got), err)
		}
	})
	t.Run("a member more", func(t *testing.T) {
		t.Parallel()
		_, _, err := exchange.ReadFolder(folder(many(exchange.MaxMembers+1, "m%05d.csv")), "in", packOf(2, 1))
		equal(t, faultsOf(t, err), []string{"in:1:1: the folder has files of more than 2000 members; allowed: at most 2000"})
	})
	t.Run("too many entries", func(t *testing.T) {
		t.Parallel()
		_, _, err := exchange.ReadFolder(folder(many(20_001, "m%05d.txt")), "in", packOf(2, 1))
		equal(t, faultsOf(t, err), []string{"in:1:1: the folder has more than 20000 entries; allowed: a folder for the answers alone"})
	})
	t.Run("faults", func(t *testing.T) {
		t.Parallel()
		files := many(100, "m%05d.csv")
		for name := range files {
			files[name] = exchange.Header + strings.Repeat("\nA1.1,x,x,x,x", 100)
		}
		_, _, err := exchange.ReadFolder(folder(files), "in", packOf(2, 1))
		equal(t, len(faultsOf(t, err)), 10*errs.MaxFaults)
	})
}

func TestMemberName(t *testing.T) {
	t.Parallel()
	const allowed = "member.csv; 1 to 64 characters before .csv, no space at either end, no control, direction or invisible characters"
	long := strings.Repeat("é", 64)
	rows := []struct{ name, file, want, refusal string }{
		{"plain", "Ostmere.csv", "Ostmere", ""},
		{"extension in capitals", "Ostmere.CSV", "Ostmere", ""},
		{"with a space", "Old Calverra.csv", "Old Calverra", ""},
		{"with a dot", "St. Ilvoren.csv", "St. Ilvoren", ""},
		{"other letters", "Ωμέγα.csv", "Ωμέγα", ""},
		{"decomposed", "A\u030aldovar.csv", "\u00c5ldovar", ""},
		{"longest", long + ".csv", long, ""},
		{"longest when composed", strings.Repeat("e\u0301", 64) + ".csv", long, ""},
		{"too long", long + "x.csv", "", "is too long"},
		{"no name", ".csv", "", "names no member"},
		{"leading space", " Ostmere.csv", "", "has a space before or after the member's name"},
		{"trailing space", "Ostmere .csv", "", "has a space before or after the member's name"},
		{"trailing no-break space", "Ostmere\u00a0.csv", "", "has a space before or after the member's name"},
		{"line feed", "Ost\nmere.csv", "", "holds a control, direction or invisible character"},
		{"escape", "Ost\x1b[2Jmere.csv", "", "holds a control, direction or invisible character"},
		{"delete", "Ost\x7fmere.csv", "", "holds a control, direction or invisible character"},
		{"C1 control", "Ost\u0085mere.csv", "", "holds a control, direction or invisible character"},
		{"direction override", "Ost\u202emere.csv", "", "holds a control, direction or invisible character"},
		{"direction isolate", "Ost\u2066mere.csv", "", "holds a control, direction or invisible character"},
		{"zero-width space", "Ost\u200bmere.csv", "", "holds a control, direction or invisible character"},
		{"soft hyphen", "Ost\u00admere.csv", "", "holds a control, direction or invisible character"},
		{"byte order mark", "\ufeffOstmere.csv", "", "holds a control, direction or invisible character"},
		{"line separator", "Ost\u2028mere.csv", "", "holds a control, direction or invisible character"},
		{"Hangul filler", "Ost\u3164mere.csv", "", "holds a control, direction or invisible character"},
		{"variation selector", "Ost\ufe0fmere.csv", "", "holds a control, direction or invisible character"},
		{"unassigned", "Ost\u0378mere.csv", "", "holds a control, direction or invisible character"},
		{"private use", "Ost\ue000mere.csv", "", "holds a control, direction or invisible character"},
		{"not UTF-8", "Ost\xffmere.csv", "", "is not UTF-8"},
		{"extension twice", "Ostmere.csv.csv", "", "ends in .csv twice"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := exchange.MemberName(row.file)
			if got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if row.refusal == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			description := errs.Describe(err)
			want := errs.Description{Kind: errs.Invalid, Message: "the file name " + errs.Quote(row.file) + " " + row.refusal, Hint: allowed}
			if diff := cmp.Diff(want, description); diff != "" {
				t.Error(diff)
			}
			if strings.ContainsFunc(description.Message, func(r rune) bool { return r < ' ' || r == '\u202e' }) {
				t.Errorf("the message repaints the terminal: %q", description.Message)
			}
		})
	}
	t.Run("another extension", func(t *testing.T) {
		t.Parallel()
		if name, err := exchange.MemberName("Ostmere.cſv"); err == nil {
			t.Errorf("got %q", name)
		}
	})
}

func BenchmarkReadFolder(b *testing.B) {
	pack := packOf(5, 5, 5, 5, 4, 4, 4, 4)
	answers := make(map[string]assess.Answer)
	for i, outcome := range pack.Outcomes() {
		answers[outcome.ID] = assess.Answer{Level: assess.Levels()[i%7], Verified: assess.Levels()[i%5], Target: assess.Targets()[i%6]}
	}
	var text strings.Builder
	if err := exchange.WriteAnswers(&text, pack, answers); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	for i := range 32 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("m%02d.csv", i)), []byte(text.String()), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	b.ReportAllocs()
	b.SetBytes(int64(32 * text.Len()))
	for b.Loop() {
		got, _, err := exchange.ReadFolder(root.FS(), dir, pack)
		if err != nil || len(got) != 32 {
			b.Fatal(len(got), err)
		}
	}
}
