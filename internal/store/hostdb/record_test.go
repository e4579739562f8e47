package hostdb_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/store/hostdb"
)

func newSigner(t *testing.T) *keys.Signer {
	t.Helper()
	signer, err := keys.Generate(rand.Reader, "host a")
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func entry(n int) ledger.Entry {
	return ledger.Entry{ID: fmt.Sprintf("entry %d", n), Kind: "test", Data: map[string]string{"n": fmt.Sprint(n)}}
}

func written(t *testing.T, db *hostdb.DB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := db.WriteRecord(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRecord: what was appended is read back in order, each entry once, over a
// restart, too.
func TestRecord(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			cfg, signer := e.config(t), newSigner(t)
			db := open(t, cfg)
			if tail, err := db.RecordTail(t.Context()); err != nil || tail != (ledger.Tail{}) {
				t.Errorf("an empty record ends at %v, %v", tail, err)
			}
			var want []ledger.Entry
			for i := range 3 {
				want = append(want, entry(i))
				for range 2 {
					if err := db.Record(signer).Append(t.Context(), entry(i)); err != nil {
						t.Fatal(err)
					}
				}
			}
			again := open(t, cfg)
			changed := entry(1)
			changed.Data = map[string]string{"n": "another"}
			if err := again.Record(signer).Append(t.Context(), changed); errs.KindOf(err) != errs.Conflict {
				t.Errorf("another entry under a known id: %v", err)
			}
			if err := again.Record(signer).Append(t.Context(), ledger.Entry{ID: "x"}); err == nil {
				t.Error("an entry without a kind was taken")
			}
			got, tail, err := ledger.ReadAll(bytes.NewReader(written(t, again)), signer.Public())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			if kept, err := again.RecordTail(t.Context()); err != nil || kept != tail || tail.Lines != 3 {
				t.Errorf("the record ends at %v, %v; want %v", kept, err, tail)
			}
		})
	}
}

// TestRecordOfSeveralProcesses: several that append at the same time, each with
// a connection of its own, leave one whole chain.
func TestRecordOfSeveralProcesses(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			const processes, each = 4, 10
			cfg, signer := e.config(t), newSigner(t)
			var wg sync.WaitGroup
			for p := range processes {
				db := open(t, cfg)
				wg.Go(func() {
					for i := range each {
						n := p*each + i
						if i%5 == 0 {
							n = 1000 + i // all of them append this one
						}
						if err := db.Record(signer).Append(t.Context(), entry(n)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			got, err := ledger.Read(bytes.NewReader(written(t, open(t, cfg))), signer.Public())
			if err != nil {
				t.Fatal(err)
			}
			if want := processes*(each-2) + 2; len(got) != want {
				t.Errorf("%d entries, want %d", len(got), want)
			}
			slices.SortFunc(got, func(a, b ledger.Entry) int { return strings.Compare(a.ID, b.ID) })
			if len(slices.CompactFunc(got, func(a, b ledger.Entry) bool { return a.ID == b.ID })) != processes*(each-2)+2 {
				t.Error("an entry is there twice")
			}
		})
	}
}
