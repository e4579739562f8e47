package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"muster/internal/errs"
)

func TestPlaceError(t *testing.T) {
	t.Parallel()
	refusal := errs.New(errs.Conflict, "the roster is frozen", "")
	rows := []struct {
		name string
		err  error
		want string // "" if the error stays as it is
	}{
		{"a full disk", &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, `no space left in "place"`},
		{"a quota", syscall.EDQUOT, `no space left in "place"`},
		{"a limit on files", syscall.EFBIG, `no space left in "place": a limit on the size of files was met`},
		{"a full database", sqlite3.FULL, `no space left in "place"`},
		{"a database that cannot write", sqlite3.IOERR_WRITE, `no space left in "place", or its disk is broken`},
		{"a database that cannot write for want of space", errors.Join(sqlite3.IOERR_WRITE, syscall.ENOSPC), `no space left in "place"`},
		{"a read-only disk", syscall.EROFS, `the folder "place" cannot be written`},
		{"no permission", fs.ErrPermission, `the folder "place" cannot be written`},
		{"a defect", errors.New("index out of range"), ""},
		{"a refusal", refusal, ""},
		{"a refusal for want of space", errs.Wrap(syscall.ENOSPC, errs.Conflict, "the roster is frozen", ""), ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			err := fmt.Errorf("submission of Ostmere: %w", row.err)
			got := placeError(err, "place", "the way out")
			if row.want == "" {
				if got != err {
					t.Errorf("got %v, want it as it was", got)
				}
				return
			}
			want := errs.Description{Kind: errs.Unavailable, Message: row.want, Hint: "the way out"}
			if diff := cmp.Diff(want, errs.Describe(got)); diff != "" {
				t.Error(diff)
			}
			if !errors.Is(got, row.err) {
				t.Error("the cause is lost")
			}
		})
	}
	if err := placeError(nil, "place", ""); err != nil {
		t.Errorf("nothing became %v", err)
	}
}

// fullAfter returns a disk that has room for n files.
func fullAfter(n int) disk {
	d := realDisk()
	d.write = func(f *os.File, b []byte) (int, error) {
		if n--; n < 0 {
			return 0, &fs.PathError{Op: "write", Path: f.Name(), Err: syscall.ENOSPC}
		}
		return f.Write(b)
	}
	return d
}

// TestWriteOutputOnAFullDisk leaves what was there, and no folder that was made.
func TestWriteOutputOnAFullDisk(t *testing.T) {
	t.Parallel()
	files := []outputFile{{"a.json", []byte("new"), 0o644}, {"b.json", []byte("new"), 0o600}}
	for room := range 2 {
		t.Run(fmt.Sprintf("room for %d", room), func(t *testing.T) {
			t.Parallel()
			there := t.TempDir()
			out := filepath.Join(there, "deep", "er")
			if err := fullAfter(room).writeOutput(out, files, nil); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("got %v", err)
			}
			if entries := listing(t, there); len(entries) > 0 {
				t.Errorf("left behind: %v", entries)
			}
			if err := realDisk().writeOutput(out, []outputFile{{"a.json", []byte("old"), 0o644}}, nil); err != nil {
				t.Fatal(err)
			}
			if err := fullAfter(room).writeOutput(out, files, nil); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("got %v", err)
			}
			if diff := cmp.Diff([]string{"a.json"}, listing(t, out)); diff != "" {
				t.Error(diff)
			}
			if body, err := os.ReadFile(filepath.Join(out, "a.json")); err != nil || string(body) != "old" {
				t.Errorf("got %q, %v", body, err)
			}
		})
	}
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// TestWriteOutputHalfWay breaks the writing of a second result at each file, and
// looks at what the folder then holds and what the error says of it.
func TestWriteOutputHalfWay(t *testing.T) {
	t.Parallel()
	result := func(body string) []outputFile {
		var files []outputFile
		for _, name := range []string{"charter.json", "aggregate.json", "release.json"} {
			files = append(files, outputFile{name, []byte(body), 0o644})
		}
		return files
	}
	rows := []struct{ at, holds string }{
		{"charter.json", "nothing of this run, and of an earlier one charter.json"},
		{"aggregate.json", "charter.json of this run"},
		{"release.json", "charter.json, aggregate.json of this run"},
	}
	for _, row := range rows {
		t.Run(row.at, func(t *testing.T) {
			t.Parallel()
			out := t.TempDir()
			stale := []string{"release.json", "aggregate.json"}
			if err := realDisk().writeOutput(out, result("old"), stale); err != nil {
				t.Fatal(err)
			}
			d := realDisk()
			d.rename = func(from, to string) error {
				if filepath.Base(to) == row.at {
					return &os.LinkError{Op: "rename", Old: from, New: to, Err: errors.New("another program has it open")}
				}
				return os.Rename(from, to)
			}
			err := d.writeOutput(out, result("new"), stale)
			want := errs.Description{
				Kind:    errs.Unavailable,
				Message: fmt.Sprintf("write %s: another program has it open; the folder %q now holds %s", row.at, out, row.holds),
				Hint:    "close what has a file of it open, and run the command again",
			}
			if diff := cmp.Diff(want, errs.Describe(err)); diff != "" {
				t.Error(diff)
			}
			for _, name := range listing(t, out) {
				body, err := os.ReadFile(filepath.Join(out, name))
				if err != nil {
					t.Fatal(err)
				}
				if name != "charter.json" && string(body) != "new" || name == "release.json" {
					t.Errorf("%s of the %s run is beside another's", name, body)
				}
			}
			if err := realDisk().writeOutput(out, result("newer"), stale); err != nil {
				t.Errorf("the next run: %v", err)
			}
		})
	}
}
