package ledger_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// What a decoder accepts encodes to the same bytes.

func FuzzStatement(f *testing.F) {
	l := ledgertest.New(f, ledgertest.Config{Struck: 1})
	for _, leaf := range openWhole(f, l.Bundle(f)).View.Leaves {
		f.Add(leaf)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ledger.ParseStatement(b)
		if err != nil {
			return
		}
		again, err := s.Encode()
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("accepted in another form than the one that is written: %v", err)
		}
		_ = s.Verify(ledger.PartiesOf(l.Cycle.Charter)) // it must only not break
	})
}

func FuzzEntries(f *testing.F) {
	l := ledgertest.New(f, ledgertest.Config{})
	leaves := openWhole(f, l.Bundle(f)).View.Leaves
	bundle, err := ledger.EncodeEntries(leaves)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bundle, len(leaves))
	f.Add([]byte{0, 0}, 1)
	f.Add([]byte{0, 5, 1}, 1)
	f.Fuzz(func(t *testing.T, b []byte, width int) {
		leaves, err := ledger.DecodeEntries(b, width)
		if err != nil {
			return
		}
		if again, err := ledger.EncodeEntries(leaves); err != nil || !bytes.Equal(again, b) || len(leaves) != width {
			t.Errorf("accepted in another form than the one that is written: %v", err)
		}
	})
}

// signatures returns the lines of a note's signatures but those of strangers, who are
// named as in [ledger.Witnessed], sorted.
func signatures(note []byte, strangers []string) []string {
	_, lines, _ := strings.Cut(string(note), "\n\n")
	return slices.Sorted(func(yield func(string) bool) {
		for line := range strings.Lines(lines) {
			name, signature, _ := strings.Cut(strings.TrimPrefix(line, "\u2014 "), " ")
			hash, err := base64.StdEncoding.DecodeString(strings.TrimSpace(signature))
			if err == nil && slices.Contains(strangers, fmt.Sprintf("%s+%x", name, hash[:4])) {
				continue
			}
			if !yield(line) {
				return
			}
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	l := ledgertest.New(f, ledgertest.Config{})
	f.Add(bytes.Replace(l.Witnessed(f, 2, l.Now), []byte("witness-2"), []byte("witness-3"), 1)) // a stranger's line
	f.Add(l.Witnessed(f, 2, l.Now))
	f.Add(l.Witnessed(f, 0, l.Now))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := ledger.ReadCheckpoint(b)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, []byte(c.Text()+"\n")) {
			t.Error("accepted in another form than the one that is written")
		}
		if w, err := l.Policy.Verify(b, l.Now); err == nil {
			own, ownErr := l.Policy.Join(b, []byte(b[len(c.Text())+1:]), l.Now)
			if ownErr != nil || w.Checkpoint != c {
				t.Fatalf("a checkpoint that counts, and cannot be joined: %v", ownErr)
			}
			if got, want := signatures(b, w.Strangers), signatures(own, nil); !slices.Equal(got, want) {
				t.Errorf("a checkpoint that counts, and has more in it than that: %q, want %q", got, want)
			}
		}
	})
}

func FuzzCosignRequest(f *testing.F) {
	l := ledgertest.New(f, ledgertest.Config{})
	f.Add(ledger.CosignRequest{Old: 3, Proof: make([]ledger.Hash, 4), Checkpoint: l.Witnessed(f, 1, l.Now)}.Encode())
	f.Add(ledger.CosignRequest{Checkpoint: l.Witnessed(f, 0, l.Now)}.Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ledger.ParseCosignRequest(b)
		if err == nil && !bytes.Equal(r.Encode(), b) {
			t.Error("accepted in another form than the one that is written")
		}
	})
}

func FuzzArchive(f *testing.F) {
	archive, err := ledger.EncodeArchive(ledgertest.New(f, ledgertest.Config{Members: 3}).Bundle(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(archive)
	f.Add(make([]byte, 1024))
	f.Fuzz(func(t *testing.T, b []byte) {
		members, err := ledger.DecodeArchive(b)
		if err != nil {
			return
		}
		if again, err := ledger.EncodeArchive(members); err != nil || !bytes.Equal(again, b) {
			t.Errorf("accepted in another form than the one that is written: %v", err)
		}
	})
}

// Resources have one name each.
func FuzzName(f *testing.F) {
	for _, name := range ledger.Resources(70_000) {
		f.Add(name, uint64(70_000))
	}
	f.Fuzz(func(t *testing.T, name string, size uint64) {
		if size > 1<<20 || !ledger.Within(name, size) {
			return
		}
		// Whatever is within a ledger is a full tile of it, or the beginning of one.
		for _, known := range ledger.Resources(size) {
			if known == name || len(known) <= len(name) && bytes.HasPrefix([]byte(name), []byte(known+".p/")) {
				return
			}
			if i := bytes.Index([]byte(known), []byte(".p/")); i >= 0 && bytes.HasPrefix([]byte(name), []byte(known[:i]+".p/")) {
				return
			}
		}
		t.Errorf("%q is within a ledger of %d entries", name, size)
	})
}
