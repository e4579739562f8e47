package workspace_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"muster/internal/assess"
	"muster/internal/errs"
	"muster/internal/workspace"
)

// drawer has one piece, which may say another size than it has.
type drawer struct {
	body io.Reader
	size int64
	err  error
}

func (d drawer) Open(string, string) (io.ReadCloser, int64, error) {
	return io.NopCloser(d.body), d.size, d.err
}

// endless never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestReadPiece(t *testing.T) {
	t.Parallel()
	// SHA-256 of "abc" is an example of FIPS 180-4.
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	var told []int64
	read, err := workspace.ReadPiece(t.Context(), workspace.ReadConfig{
		Pieces: drawer{body: strings.NewReader("abc"), size: 3}, Copy: true, Progress: func(read, total int64) { told = append(told, read, total) },
	}, "x")
	must(t, err)
	if read.SHA256 != abc || read.Bytes != 3 || string(read.Body) != "abc" || len(told) < 2 || told[1] != 3 {
		t.Errorf("read %+v, told %v", read, told)
	}
	read, err = workspace.ReadPiece(t.Context(), workspace.ReadConfig{Pieces: drawer{body: strings.NewReader(""), size: 0}, Copy: true}, "x")
	must(t, err)
	if read.Bytes != 0 || read.Body == nil {
		t.Errorf("an empty piece: %+v", read)
	}
	for _, row := range []struct {
		name  string
		piece drawer
		place string
		keep  bool
		want  errs.Kind
	}{
		{"an address", drawer{body: strings.NewReader("abc"), size: 3}, "https://x.example/", false, errs.Invalid},
		{"gone", drawer{err: errs.New(errs.NotFound, "none", "")}, "x", false, errs.NotFound},
		{"longer than it says", drawer{body: strings.NewReader("abcd"), size: 3}, "x", false, errs.Conflict},
		{"shorter than it says", drawer{body: strings.NewReader("ab"), size: 3}, "x", false, errs.Conflict},
		{"without an end", drawer{body: endless{}, size: 5 << 20}, "x", false, errs.Conflict},
		{"larger than is read", drawer{body: endless{}, size: workspace.MaxPiece + 1}, "x", false, errs.Invalid},
		{"larger than is copied", drawer{body: endless{}, size: workspace.MaxCopy + 1}, "x", true, errs.Invalid},
		{"broken", drawer{body: io.MultiReader(strings.NewReader("a"), broken{}), size: 3}, "x", false, errs.Unavailable},
	} {
		_, err := workspace.ReadPiece(t.Context(), workspace.ReadConfig{Pieces: row.piece, Copy: row.keep}, row.place)
		if err == nil || errs.KindOf(err) != row.want {
			t.Errorf("%s: %v, want %v", row.name, err, row.want)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = workspace.ReadPiece(ended, workspace.ReadConfig{Pieces: drawer{body: endless{}, size: workspace.MaxPiece}}, "x")
	refused(t, err, errs.Unavailable)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is gone: /srv/secret") }

// A copy is of the piece that was hashed and of no other, is no part of history, and is
// gone with its reference.
func TestCopies(t *testing.T) {
	t.Parallel()
	w, id := answered(t)
	ctx := t.Context()
	reading := func(body string) workspace.Reading {
		read, err := workspace.ReadPiece(ctx, workspace.ReadConfig{Pieces: drawer{body: strings.NewReader(body), size: int64(len(body))}, Copy: true}, "x")
		must(t, err)
		return read
	}
	read := reading("abc")
	ref, err := w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: "/srv/abc.pdf", SHA256: read.SHA256, Bytes: read.Bytes})
	must(t, err)
	refused(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", ref.ID, reading("abd")), errs.Conflict)
	refused(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", "000009", read), errs.NotFound)
	refused(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", ref.ID, workspace.Reading{SHA256: read.SHA256, Bytes: 3}), errs.Invalid)
	refused(t, w.KeepCopy(ctx, workspace.Person{Name: "V", Roles: []workspace.Role{workspace.RoleVerifier}}, id, "A1.1", ref.ID, read), errs.Denied)
	must(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", ref.ID, read))
	must(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", ref.ID, read)) // again changes nothing
	kept, body, err := w.Copy(ctx, w.Lead, id, "A1.1", ref.ID)
	must(t, err)
	if string(body) != "abc" || workspace.CopyName(kept) != "A1.1-000001.pdf" {
		t.Errorf("%q %s", body, workspace.CopyName(kept))
	}
	copies, err := w.Copies(ctx, w.Lead, id)
	must(t, err)
	if len(copies) != 1 || copies["A1.1/"+ref.ID].By != "Asta Lind" {
		t.Errorf("copies %+v", copies)
	}
	// The piece that is meant is another by now: its copy is taken out.
	_, err = w.Measured(ctx, w.Lead, id, "A1.1", ref.ID, ref.Rev, reading("abd"))
	must(t, err)
	_, _, err = w.Copy(ctx, w.Lead, id, "A1.1", ref.ID)
	refused(t, err, errs.NotFound)
	_, err = w.Measured(ctx, w.Lead, id, "A1.1", ref.ID, ref.Rev, read)
	refused(t, err, errs.Conflict) // somebody was faster
	must(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", ref.ID, reading("abd")))
	must(t, w.RemoveReference(ctx, w.Lead, id, "A1.1", ref.ID))
	_, _, err = w.Copy(ctx, w.Lead, id, "A1.1", ref.ID)
	refused(t, err, errs.NotFound)

	empty, err := w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.1", Place: "/srv/../.. ", SHA256: reading("").SHA256})
	must(t, err)
	must(t, w.KeepCopy(ctx, w.Lead, id, "A1.1", empty.ID, reading("")))
	if kept, body, err = w.Copy(ctx, w.Lead, id, "A1.1", empty.ID); err != nil || len(body) != 0 || workspace.CopyName(kept) != "A1.1-000002.bin" {
		t.Errorf("an empty copy: %q %v", body, err)
	}
	large := bytes.Repeat([]byte("x"), workspace.MaxCopy)
	big := workspace.Reading{SHA256: reading(string(large)).SHA256, Bytes: workspace.MaxCopy, Body: large}
	ref, err = w.AddReference(ctx, w.Lead, id, assess.Reference{Outcome: "A1.2", Place: "big", SHA256: big.SHA256, Bytes: big.Bytes})
	must(t, err)
	must(t, w.KeepCopy(ctx, w.Lead, id, "A1.2", ref.ID, big))
	if _, body, err = w.Copy(ctx, w.Lead, id, "A1.2", ref.ID); err != nil || !bytes.Equal(body, large) {
		t.Errorf("%d bytes of the largest copy, %v", len(body), err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	w, _ := answered(t)
	ctx := t.Context()
	first, err := w.PutSettings(ctx, w.Lead, 0, workspace.Settings{Evidence: "/srv/evidence"})
	must(t, err)
	again, err := w.PutSettings(ctx, w.Lead, 0, workspace.Settings{Evidence: "/srv/evidence"})
	must(t, err)
	if again != first {
		t.Errorf("the same again is %+v", again)
	}
	_, err = w.PutSettings(ctx, w.Lead, 0, workspace.Settings{Evidence: "/srv/other"})
	refused(t, err, errs.Conflict)
	for _, bad := range []string{"https://x.example/", "a\nb", strings.Repeat("x", 3_000)} {
		_, err = w.PutSettings(ctx, w.Lead, first.Rev, workspace.Settings{Evidence: bad})
		refused(t, err, errs.Invalid)
	}
	_, err = w.PutSettings(ctx, workspace.Person{Name: "V", Roles: []workspace.Role{workspace.RoleVerifier}}, first.Rev, workspace.Settings{})
	refused(t, err, errs.Denied)
}
