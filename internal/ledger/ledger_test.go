package ledger_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

// memory is a sink that can fail before or after it has written, or halfway.
type memory struct {
	mu     sync.Mutex
	buffer bytes.Buffer
	fail   error
	after  int // bytes that are written although it fails
}

func (m *memory) Append(b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		m.buffer.Write(b[:min(m.after, len(b))])
		return m.fail
	}
	m.buffer.Write(b)
	return nil
}

func newSigner(t testing.TB, name string) *keys.Signer {
	t.Helper()
	// A reader of constants: the same key in every run, so that failures repeat.
	digest := sha256.Sum256([]byte(name))
	signer, err := keys.Generate(bytes.NewReader(bytes.Repeat(digest[:], 4)), name)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func open(t testing.TB, existing []byte, sink ledger.Sink, signer *keys.Signer) *ledger.File {
	t.Helper()
	f, length, err := ledger.Open(bytes.NewReader(existing), sink, signer)
	if err != nil {
		t.Fatal(err)
	}
	if length != int64(len(existing)) {
		t.Fatalf("Open: a length of %d; want all %d bytes", length, len(existing))
	}
	return f
}

func entries() []ledger.Entry {
	return []ledger.Entry{
		{ID: "charter 2026", Kind: "charter", Data: map[string]string{"charter": "00ff", "members": "32"}},
		{ID: "roster", Kind: "roster", Data: map[string]string{}},
		{ID: `release <&>"\` + "\u2028\t🜁", Kind: "release"},
		{ID: "last", Kind: "release", Data: map[string]string{"ünï": "cödé", "": ""}},
	}
}

// record returns a record of the entries.
func record(t testing.TB, signer *keys.Signer, list ...ledger.Entry) []byte {
	t.Helper()
	sink := new(memory)
	f := open(t, nil, sink, signer)
	for _, e := range list {
		if err := f.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return sink.buffer.Bytes()
}

func TestAppendAndRead(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	b := record(t, signer, entries()...)
	for name, reader := range map[string]io.Reader{
		"at once": bytes.NewReader(b), "byte by byte": iotest.OneByteReader(bytes.NewReader(b)),
		"with the end": iotest.DataErrReader(bytes.NewReader(b)),
	} {
		got, err := ledger.Read(reader, signer.Public())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(entries(), got); diff != "" {
			t.Errorf("%s: entries (-want +got):\n%s", name, diff)
		}
	}
	if lines := bytes.Count(b, []byte("\n")); lines != len(entries()) || !bytes.HasSuffix(b, []byte("\n")) {
		t.Errorf("%d lines for %d entries", lines, len(entries()))
	}
	got, err := ledger.Read(strings.NewReader(""), signer.Public())
	if err != nil || len(got) != 0 {
		t.Errorf("an empty record: %v, %v", got, err)
	}
}

// The form of a line is fixed: other programs read it.
func TestForm(t *testing.T) {
	t.Parallel()
	b := record(t, newSigner(t, "keeper"), entries()[:2]...)
	first, second, _ := strings.Cut(string(b), "\n")
	const prefix = `{"line":{"entry":{"data":{"charter":"00ff","members":"32"},"id":"charter 2026","kind":"charter"},"number":0,"previous":""},` +
		`"signature":"muster signed file v1\nledger entry\n`
	if !strings.HasPrefix(first, prefix) {
		t.Errorf("first line %s;\nwant it to begin with %s", first, prefix)
	}
	digest := sha256.Sum256([]byte(first))
	if want := `"number":1,"previous":"` + hex.EncodeToString(digest[:]) + `"`; !strings.Contains(second, want) {
		t.Errorf("second line %s;\nwant it to hold %s", second, want)
	}
	if got, want := ledger.Digest([]byte(first)), hex.EncodeToString(digest[:]); got != want || ledger.Hex(digest) != want {
		t.Errorf("Digest = %s, Hex = %s; want %s", got, ledger.Hex(digest), want)
	}
}

func TestAppendTwice(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	sink := new(memory)
	f := open(t, nil, sink, signer)
	for _, e := range entries() {
		for range 2 {
			if err := f.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	once := record(t, signer, entries()...)
	if !bytes.Equal(sink.buffer.Bytes(), once) {
		t.Error("the same entries again changed the record")
	}
	// Also by a program that was started again.
	f = open(t, once, sink, signer)
	for _, e := range entries() {
		if err := f.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(sink.buffer.Bytes(), once) {
		t.Error("the same entries after a restart changed the record")
	}
}

func TestAppendConflict(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	first := ledger.Entry{ID: "id", Kind: "release", Data: map[string]string{"a": "1"}}
	b := record(t, signer, first)
	for name, e := range map[string]ledger.Entry{
		"other kind":    {ID: "id", Kind: "roster", Data: map[string]string{"a": "1"}},
		"other value":   {ID: "id", Kind: "release", Data: map[string]string{"a": "2"}},
		"other name":    {ID: "id", Kind: "release", Data: map[string]string{"b": "1"}},
		"more data":     {ID: "id", Kind: "release", Data: map[string]string{"a": "1", "b": "2"}},
		"no data":       {ID: "id", Kind: "release"},
		"quoted in one": {ID: "id", Kind: "release", Data: map[string]string{"a": `1","b":"2`}},
	} {
		sink := new(memory)
		f := open(t, b, sink, signer)
		if err := f.Append(t.Context(), e); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v; want a conflict", name, err)
		}
		if sink.buffer.Len() > 0 {
			t.Errorf("%s: something was written", name)
		}
		// A refusal is no fault of the file: it goes on.
		if err := f.Append(t.Context(), ledger.Entry{ID: "next", Kind: "release"}); err != nil {
			t.Errorf("%s: the next entry: %v", name, err)
		}
		if _, err := ledger.Read(io.MultiReader(bytes.NewReader(b), &sink.buffer), signer.Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	for name, e := range map[string]ledger.Entry{
		"no id":               {Kind: "release"},
		"no kind":             {ID: "id"},
		"id not UTF-8":        {ID: "\xff", Kind: "release"},
		"kind not UTF-8":      {ID: "id", Kind: "\xff"},
		"name not UTF-8":      {ID: "id", Kind: "release", Data: map[string]string{"\xff": ""}},
		"value not UTF-8":     {ID: "id", Kind: "release", Data: map[string]string{"a": "\xc3"}},
		"surrogate as UTF-8":  {ID: "id", Kind: "release", Data: map[string]string{"a": "\xed\xa0\x80"}},
		"longer than a line":  {ID: strings.Repeat("x", 70_000), Kind: "release"},
		"longer when escaped": {ID: strings.Repeat("\x01", 20_000), Kind: "release"},
	} {
		sink := new(memory)
		f := open(t, nil, sink, signer)
		if err := f.Append(t.Context(), e); err == nil {
			t.Errorf("%s: accepted", name)
		}
		if sink.buffer.Len() > 0 {
			t.Errorf("%s: something was written", name)
		}
		if err := f.Append(t.Context(), ledger.Entry{ID: "next", Kind: "release"}); err != nil {
			t.Errorf("%s: the next entry: %v", name, err)
		}
		if _, err := ledger.Read(&sink.buffer, signer.Public()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What Append takes Read takes, up to the very last byte of the limit.
func TestLongestLine(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	longest := 0
	for n := 65_536 - 600; n < 65_536; n++ {
		sink := new(memory)
		if err := open(t, nil, sink, signer).Append(t.Context(), ledger.Entry{ID: strings.Repeat("x", n), Kind: "release"}); err != nil {
			break
		}
		longest = sink.buffer.Len() - 1
		if longest < 65_530 {
			n += 65_530 - longest - 1
			continue
		}
		if _, err := ledger.Read(&sink.buffer, signer.Public()); err != nil {
			t.Errorf("a line of %d bytes was written and is not read: %v", longest, err)
		}
	}
	if longest != 64<<10 {
		t.Errorf("the longest line has %d bytes; want %d", longest, 64<<10)
	}
}

// wantLine checks that a refusal is for people and names the line.
func wantLine(t *testing.T, what string, err error, line int) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: accepted", what)
	case errs.KindOf(err) != errs.Invalid:
		t.Errorf("%s: error of kind %v: %v", what, errs.KindOf(err), err)
	case !strings.HasPrefix(errs.Describe(err).Message, fmt.Sprintf("line %d of the record ", line)):
		t.Errorf("%s: %q does not name line %d", what, errs.Describe(err).Message, line)
	}
}

func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	b := record(t, signer, entries()[:3]...)
	line := 1
	for i, c := range b {
		for _, mask := range []byte{0x01, 0x02, 0x20, 0x80} {
			changed := slices.Clone(b)
			changed[i] ^= mask
			_, err := ledger.Read(bytes.NewReader(changed), signer.Public())
			wantLine(t, fmt.Sprintf("byte %d, %q for %q", i, changed[i], c), err, line)
			if mask == 0x01 && i < len(b)-1 { // the last is the end of a line that nobody acknowledged
				if _, _, err := ledger.Open(bytes.NewReader(changed), new(memory), signer); err == nil {
					t.Errorf("byte %d, %q for %q: Open goes on", i, changed[i], c)
				}
			}
		}
		if c == '\n' {
			line++
		}
	}
}

func TestLinesOutOfPlace(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	lines := bytes.SplitAfter(record(t, signer, entries()...), []byte("\n"))[:4]
	elsewhere := bytes.SplitAfter(record(t, signer, entries()[1], entries()[0], entries()[2]), []byte("\n"))[:3]
	for name, row := range map[string]struct {
		lines [][]byte
		line  int
	}{
		"first dropped":         {[][]byte{lines[1], lines[2], lines[3]}, 1},
		"second dropped":        {[][]byte{lines[0], lines[2], lines[3]}, 2},
		"first twice":           {[][]byte{lines[0], lines[0], lines[1]}, 2},
		"second again later":    {[][]byte{lines[0], lines[1], lines[2], lines[1]}, 4},
		"two exchanged":         {[][]byte{lines[0], lines[2], lines[1], lines[3]}, 2},
		"first moved":           {[][]byte{lines[1], lines[0], lines[2], lines[3]}, 1},
		"of another record":     {[][]byte{lines[0], lines[1], elsewhere[2]}, 3},
		"beginning of another":  {[][]byte{elsewhere[0], lines[1]}, 2},
		"empty line":            {[][]byte{lines[0], []byte("\n"), lines[1]}, 2},
		"Windows' end of line":  {[][]byte{bytes.Replace(lines[0], []byte("\n"), []byte("\r\n"), 1)}, 1},
		"space at the end":      {[][]byte{bytes.Replace(lines[0], []byte("\n"), []byte(" \n"), 1)}, 1},
		"text behind":           {[][]byte{lines[0], []byte("and so on\n")}, 2},
		"a second value behind": {[][]byte{bytes.Replace(lines[0], []byte("\n"), []byte("{}\n"), 1)}, 1},
	} {
		_, err := ledger.Read(bytes.NewReader(bytes.Join(row.lines, nil)), signer.Public())
		wantLine(t, name, err, row.line)
	}
}

// Nobody but the keeper can make a line, and nobody can add to one.
func TestSignatures(t *testing.T) {
	t.Parallel()
	signer, stranger := newSigner(t, "keeper"), newSigner(t, "stranger")
	b := record(t, signer, entries()...)
	_, err := ledger.Read(bytes.NewReader(b), stranger.Public())
	wantLine(t, "another keeper", err, 1)
	_, err = ledger.Read(bytes.NewReader(b), newSigner(t, "keeper 2").Public())
	wantLine(t, "another keeper of that name", err, 1)

	two := bytes.SplitAfter(record(t, stranger, entries()...), []byte("\n"))
	own := bytes.SplitAfter(b, []byte("\n"))
	_, err = ledger.Read(bytes.NewReader(slices.Concat(own[0], two[1])), signer.Public())
	wantLine(t, "a line by a stranger", err, 2)

	// The stranger adds a signature of its own beside the keeper's.
	last, _, _ := strings.Cut(string(record(t, signer, entries()[0])), "\n")
	theirs, _, _ := strings.Cut(string(record(t, stranger, entries()[0])), "\n")
	_, theirs, _ = strings.Cut(theirs, `\n\n`)
	added := strings.TrimSuffix(last, `"}`) + theirs
	_, err = ledger.Read(strings.NewReader(added+"\n"), signer.Public())
	wantLine(t, "a further signature", err, 1)
}

func TestLineTooLong(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	b := record(t, signer, entries()[0])
	for name, tail := range map[string]io.Reader{
		"with an end": strings.NewReader(strings.Repeat("x", 70_000) + "\n"), "without": strings.NewReader(strings.Repeat("x", 70_000)),
		"without end at all": endless{},
	} {
		_, err := ledger.Read(io.MultiReader(bytes.NewReader(b), tail), signer.Public())
		wantLine(t, name, err, 2)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return copy(b, strings.Repeat("[", len(b))), nil }

func TestReaderFails(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	broken := errors.New("disk")
	b := record(t, signer, entries()...)
	for n := range len(b) {
		r := io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(broken))
		if _, err := ledger.Read(r, signer.Public()); !errors.Is(err, broken) {
			t.Fatalf("after %d bytes: %v; want the reader's error", n, err)
		}
	}
}

// A power cut while a line was written leaves part of it.
func TestTornLastLine(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	whole := record(t, signer, entries()[:2]...)
	all := record(t, signer, entries()[:3]...)
	for n := len(whole) + 1; n < len(all); n++ {
		torn := all[:n]
		_, err := ledger.Read(bytes.NewReader(torn), signer.Public())
		wantLine(t, fmt.Sprintf("Read of %d bytes", n), err, 3)
		if n%20 != 0 && n != len(all)-1 {
			continue
		}
		sink := new(memory)
		f, length, err := ledger.Open(bytes.NewReader(torn), sink, signer)
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		if length != int64(len(whole)) {
			t.Fatalf("%d bytes: a length of %d; want %d, without the torn line", n, length, len(whole))
		}
		// The caller cuts the file, and the lost entry comes again.
		sink.buffer.Write(torn[:length])
		if err := f.Append(t.Context(), entries()[2]); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(sink.buffer.Bytes(), all) {
			t.Errorf("%d bytes: the record is not the one that was interrupted", n)
		}
	}
}

func TestSinkFails(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	full := errors.New("disk full")
	for _, written := range []int{0, 1, 100, 1 << 20} {
		sink := new(memory)
		f := open(t, nil, sink, signer)
		if err := f.Append(t.Context(), entries()[0]); err != nil {
			t.Fatal(err)
		}
		sink.fail, sink.after = full, written
		if err := f.Append(t.Context(), entries()[1]); !errors.Is(err, full) {
			t.Errorf("%d bytes written: %v; want the sink's error", written, err)
		}
		sink.fail = nil
		before := sink.buffer.Len()
		for _, e := range entries()[:3] { // known or not: the state of the disk is not known
			err := f.Append(t.Context(), e)
			if errs.KindOf(err) != errs.Unavailable || !errors.Is(err, full) {
				t.Errorf("%d bytes written, then %q: %v; want Unavailable with the cause", written, e.ID, err)
			}
		}
		if sink.buffer.Len() != before {
			t.Errorf("%d bytes written: the file went on", written)
		}
		// Opened again it goes on where the disk stands.
		b := slices.Clone(sink.buffer.Bytes())
		f, length, err := ledger.Open(bytes.NewReader(b), sink, signer)
		if err != nil {
			t.Fatalf("%d bytes written: %v", written, err)
		}
		sink.buffer.Truncate(int(length))
		for _, e := range entries() {
			if err := f.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(sink.buffer.Bytes(), record(t, signer, entries()...)) {
			t.Errorf("%d bytes written: the record differs", written)
		}
	}
}

func TestAppendConcurrently(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	sink := new(memory)
	f := open(t, nil, sink, signer)
	var wg sync.WaitGroup
	var want []ledger.Entry
	for i := range 40 {
		e := ledger.Entry{ID: fmt.Sprint("entry ", i), Kind: "release"}
		want = append(want, e)
		for range 2 { // twice each
			wg.Go(func() {
				if err := f.Append(t.Context(), e); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	got, err := ledger.Read(&sink.buffer, signer.Public())
	if err != nil {
		t.Fatal(err)
	}
	byID := cmpopts.SortSlices(func(a, b ledger.Entry) bool { return a.ID < b.ID })
	if diff := cmp.Diff(want, got, byID); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}
