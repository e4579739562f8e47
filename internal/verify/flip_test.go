package verify_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/coalition/coalitiontest"
	"muster/internal/ledger"
	"muster/internal/verify"
)

// TestEveryByte changes bytes of every member of a bundle, one at a time, and looks
// at what a reader is told: something fails, and the part that was changed, or the
// one that names it, is named. One sort of byte changes no claim of anybody that the
// reader trusts: the name, or the hash of the key, before a cosignature. It makes it
// somebody else's, which is to be ignored; the reader is told so, and where. By default it takes every 97th byte and all of what
// is short, with MUSTER_LONG=1 every one; that tiles, entries and files hold together
// is also tested, byte by byte, in package ledger.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 1)
	w.early[len(w.statements)/2] = time.Unix(coalitiontest.Deadline+60, 0)
	cfg := w.config()
	members := w.bundle()
	stride := 97
	if os.Getenv("MUSTER_LONG") == "1" {
		stride = 1
	}
	flips, strange := 0, 0
	for i, m := range members {
		step := stride
		if len(m.Body) < 1500 {
			step = min(step, 5)
		}
		for at := i % step; at < len(m.Body); at += step {
			changed := slices.Clone(members)
			changed[i].Body = slices.Clone(m.Body)
			changed[i].Body[at] ^= []byte{0x01, 0x20, 0x80, 0x04}[flips%4]
			flips++
			r, err := verify.Folder(t.Context(), ledger.Members(changed), cfg)
			if err != nil {
				t.Fatalf("byte %d of %s: %v", at, m.Name, err)
			}
			if !r.Failed() && addressed(m, at) && slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Code == "witness_unknown" && f.Place == m.Name }) {
				strange++
				continue
			}
			if !r.Failed() {
				t.Fatalf("byte %d of %s was changed and nothing fails:\n%s", at, m.Name, listing(r))
			}
			named := slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Verdict == verify.Fails && names(f.Place, m.Name) })
			if !named {
				t.Fatalf("byte %d of %s was changed, and no finding names it:\n%s", at, m.Name, listing(r))
			}
		}
	}
	if flips < 500 {
		t.Fatalf("%d bytes were changed", flips)
	}
	if stride == 1 && strange == 0 {
		t.Fatal("no cosignature was made somebody else's")
	}
	t.Logf("%d bytes of %d members were changed, one at a time; %d made a cosignature somebody else's", flips, len(members), strange)
}

// addressed reports whether a byte says whose a cosignature of a checkpoint is: it
// stands in the name, or in the part of the base64 that has the hash of the key. The
// first signature is the ledger's own.
func addressed(m ledger.Member, at int) bool {
	if m.Name != "checkpoint" && !strings.HasPrefix(m.Name, "checkpoints/") {
		return false
	}
	signatures := strings.Index(string(m.Body), "\n\n") + 2
	for i, line := range strings.SplitAfter(string(m.Body[signatures:]), "\n") {
		begin, space := len("\u2014 "), strings.LastIndex(line, " ")
		if within := at - signatures; i > 0 && within >= begin && within < space+1+6 && within != space {
			return true
		}
		signatures += len(line)
	}
	return false
}

// names reports whether a place names a member of a bundle, or what says that it is
// there: a manifest that asks for what is not there is found where it leads to.
func names(place, member string) bool {
	switch {
	case strings.HasPrefix(place, member):
		return true
	case member == "bundle.json":
		return place != ""
	case member == "checkpoint": // its size says which tiles there are
		return strings.HasPrefix(place, "tile/")
	case strings.HasPrefix(member, "tile/"): // an entry and its tile tell the one by the other, or by the root
		return strings.HasPrefix(place, "tile/") || place == "checkpoint"
	}
	return false
}

// TestArchive: one file is checked as the folder is, and a byte between its members
// counts as well.
func TestArchive(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 12, 0)
	body, err := ledger.EncodeArchive(w.bundle())
	if err != nil {
		t.Fatal(err)
	}
	r, err := verify.Archive(t.Context(), body, w.config())
	if err != nil || r.Failed() {
		t.Fatalf("%v\n%s", err, listing(r))
	}
	for _, at := range []int{3, 110, 300, 511, len(body) - 1, len(body) / 2} {
		changed := slices.Clone(body)
		changed[at] ^= 1
		r, err := verify.Archive(t.Context(), changed, w.config())
		if err != nil || !r.Failed() {
			t.Errorf("byte %d of the file: %v", at, err)
		}
	}
}

// FuzzArchive: whatever a file holds, a report or an error comes of it, and only the
// bundle itself holds.
func FuzzArchive(f *testing.F) {
	w := newWorld(f, 12, 0)
	body, err := ledger.EncodeArchive(w.bundle())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add(body[:1024])
	f.Add([]byte{})
	cfg := w.config()
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := verify.Archive(t.Context(), b, cfg)
		strange := err == nil && slices.ContainsFunc(r.Findings, func(f verify.Finding) bool { return f.Code == "witness_unknown" })
		if err == nil && !r.Failed() && !strange && !slices.Equal(b, body) {
			t.Errorf("another file of %d bytes holds", len(b))
		}
	})
}
