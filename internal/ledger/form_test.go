package ledger_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"muster/internal/errs"
	"muster/internal/ledger"
)

// Whatever is appended is read back, in order, each id once.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "keeper")
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) ledger.Entry {
			return ledger.Entry{
				ID: rapid.StringN(1, 20, -1).Draw(t, "id"), Kind: rapid.StringN(1, 8, -1).Draw(t, "kind"),
				Data: rapid.MapOfN(rapid.String(), rapid.String(), 0, 4).Draw(t, "data"),
			}
		}), 0, 5, func(e ledger.Entry) string { return e.ID }).Draw(t, "entries")
		sink := new(memory)
		f, _, err := ledger.Open(strings.NewReader(""), sink, signer)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if err := f.Append(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		got, err := ledger.Read(&sink.buffer, signer.Public())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(list, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("entries (-want +got):\n%s", diff)
		}
	})
}

// What Read accepts is exactly what appending its entries writes: a record has
// one form.
func FuzzRead(f *testing.F) {
	signer := newSigner(f, "keeper")
	b := record(f, signer, entries()...)
	f.Add(b)
	f.Add([]byte(nil))
	f.Add(b[:len(b)-1])
	f.Add(bytes.ReplaceAll(b, []byte(`:`), []byte(`: `)))
	f.Add(record(f, signer, entries()[0]))
	f.Add(record(f, newSigner(f, "stranger"), entries()[0]))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := ledger.Read(bytes.NewReader(b), signer.Public())
		if err != nil {
			if errs.KindOf(err) != errs.Invalid {
				t.Fatalf("error of kind %v: %v", errs.KindOf(err), err)
			}
			return
		}
		if !bytes.Equal(record(t, signer, list...), b) {
			t.Error("accepted in another form than the one that is written")
		}
	})
}
