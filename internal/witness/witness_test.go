package witness_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	f_note "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/witness"
)

var at = time.Unix(1_800_000_000, 0).UTC()

// grown is a ledger of bare leaves that can be shown at any size.
type grown struct {
	key  *keys.Signer
	tree ledger.Tree
}

func newGrown(t testing.TB, name string, n int, salt string) *grown {
	t.Helper()
	g := &grown{key: ledgertest.Signer(t, name)}
	for i := range n {
		g.tree.Append(ledger.LeafHash(fmt.Appendf(nil, "%s %d", salt, i)))
	}
	return g
}

func (g *grown) note(t testing.TB, size uint64) []byte {
	t.Helper()
	root, err := ledger.RootAt(&g.tree, size)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := ledger.Checkpoint{Origin: g.key.Public().KeyName(), Size: size, Root: root}.Sign(g.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (g *grown) request(t testing.TB, old, size uint64) []byte {
	t.Helper()
	r := ledger.CosignRequest{Old: old, Checkpoint: g.note(t, size)}
	if old > 0 && old <= size {
		var err error
		if r.Proof, err = ledger.ProveConsistency(&g.tree, old, size); err != nil {
			t.Fatal(err)
		}
	}
	return r.Encode()
}

func open(t testing.TB, dir string, ledgers ...keys.Public) *witness.Witness {
	t.Helper()
	w, err := witness.Open(witness.Config{Dir: dir, Signer: ledgertest.Signer(t, "witness.example/w1"), Ledgers: ledgers, Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func closeWitness(t testing.TB, w *witness.Witness) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// Every rule of C2SP tlog-witness for add-checkpoint, over HTTP, in this order.
func TestAddCheckpoint(t *testing.T) {
	t.Parallel()
	log, split := newGrown(t, "ledger.example", 40, "entry"), newGrown(t, "ledger.example", 40, "other")
	unknown, forged := newGrown(t, "other.example", 9, "entry"), newGrown(t, "ledger.example", 40, "entry")
	var err error
	if forged.key, err = keys.GenerateNamed(bytes.NewReader(make([]byte, 64)), "ledger.example"); err != nil {
		t.Fatal(err)
	}
	w := open(t, t.TempDir(), log.key.Public())
	defer closeWitness(t, w)
	server := httptest.NewServer(witness.Handler(w, slog.New(slog.DiscardHandler)))
	defer server.Close()
	withProof := func(old, size uint64, proof ...ledger.Hash) []byte {
		return ledger.CosignRequest{Old: old, Proof: proof, Checkpoint: log.note(t, size)}.Encode()
	}
	for _, row := range []struct {
		name   string
		body   []byte
		status int
		answer string // the whole, or how it begins
	}{
		{"a ledger never seen, from something", log.request(t, 5, 20), 409, "0\n"},
		{"a ledger never seen, with a proof", withProof(0, 20, ledger.Hash{}), 422, ""},
		{"a ledger never seen", log.request(t, 0, 20), 200, "\u2014 witness.example/w1 "},
		{"the same again, from nothing", log.request(t, 0, 20), 409, "20\n"},
		{"the same again", log.request(t, 20, 20), 200, "\u2014 witness.example/w1 "},
		{"the same size with another root", split.request(t, 20, 20), 409, "20\n"},
		{"grown in another way", split.request(t, 20, 33), 422, ""},
		{"grown without a proof", withProof(20, 33), 422, ""},
		{"turned back", log.request(t, 10, 12), 409, "20\n"},
		{"from more to less", withProof(20, 12), 400, ""},
		{"a ledger that is not watched", unknown.request(t, 0, 9), 404, ""},
		{"signed by nobody known", forged.request(t, 20, 33), 403, ""},
		{"no request", []byte("old 20\n"), 400, ""},
		{"an old size with a zero before it", bytes.Replace(log.request(t, 20, 33), []byte("old 20"), []byte("old 020"), 1), 400, ""},
		{"no line old", bytes.TrimPrefix(log.request(t, 20, 33), []byte("old 20\n")), 400, ""},
		{"a proof that is not base64", bytes.Replace(log.request(t, 20, 33), []byte("old 20\n"), []byte("old 20\n!\n"), 1), 400, ""},
		{"too long a proof", withProof(20, 33, make([]ledger.Hash, 64)...), 400, ""},
		{"too long a body", bytes.Repeat([]byte("x"), ledger.MaxCosignRequest+1), 400, ""},
		{"grown", log.request(t, 20, 33), 200, "\u2014 witness.example/w1 "},
		{"grown again", log.request(t, 33, 40), 200, "\u2014 witness.example/w1 "},
	} {
		resp, err := http.Post(server.URL+"/add-checkpoint", "text/plain", bytes.NewReader(row.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != row.status || !strings.HasPrefix(string(body), row.answer) {
			t.Errorf("%s: %d %q, %v; want %d %q", row.name, resp.StatusCode, body, err, row.status, row.answer)
		}
		if row.status == http.StatusConflict && resp.Header.Get("Content-Type") != "text/x.tlog.size" {
			t.Errorf("%s: of type %s", row.name, resp.Header.Get("Content-Type"))
		}
	}
	if seen, err := w.Seen(log.key.Public()); err != nil || seen.Size != 40 {
		t.Errorf("seen at the end: %d, %v", seen.Size, err)
	}
}

// The cosignature is that of C2SP tlog-cosignature: others' code verifies ours, and
// ours verifies others'.
func TestCosignatureConformance(t *testing.T) {
	t.Parallel()
	log := newGrown(t, "ledger.example", 7, "entry")
	w := open(t, t.TempDir(), log.key.Public())
	defer closeWitness(t, w)
	line, err := w.Cosign(log.request(t, 0, 7))
	if err != nil {
		t.Fatal(err)
	}
	key := ledgertest.Signer(t, "witness.example/w1")
	published, err := key.Public().Cosigner()
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err := f_note.VKeyToCosignatureV1(string(key.Public())); err != nil || theirs != string(published) {
		t.Errorf("published as %s; others have %s, %v", published, theirs, err)
	}
	theirs, err := f_note.NewVerifierForCosignatureV1(string(published))
	if err != nil {
		t.Fatal(err)
	}
	whole := slices.Concat(log.note(t, 7), line)
	n, err := note.Open(whole, note.VerifierList(theirs))
	if err != nil || len(n.Sigs) != 1 {
		t.Fatalf("others do not accept the cosignature: %v", err)
	}
	if got, err := f_note.CoSigV1Timestamp(n.Sigs[0]); err != nil || !got.Equal(at) {
		t.Errorf("others read the time %v, %v", got, err)
	}
	signer, err := f_note.NewSignerForCosignatureV1(key.Private())
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: n.Text}, signer)
	if err != nil {
		t.Fatal(err)
	}
	_, other, _ := bytes.Cut(signed, []byte("\n\n"))
	policy := ledger.Policy{Log: log.key.Public(), Threshold: 1, Witnesses: []keys.Public{published}}
	if _, err := policy.Verify(slices.Concat(log.note(t, 7), other), time.Now()); err != nil {
		t.Errorf("we do not accept others' cosignature: %v", err)
	}
}

// What was seen survives the process, and a folder that was damaged is not a ledger
// that was never seen.
func TestReopen(t *testing.T) {
	t.Parallel()
	log, split := newGrown(t, "ledger.example", 40, "entry"), newGrown(t, "ledger.example", 40, "other")
	dir := t.TempDir()
	w := open(t, dir, log.key.Public())
	if _, err := w.Cosign(log.request(t, 0, 20)); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Open(witness.Config{Dir: dir, Signer: log.key}); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("two witnesses in one folder: %v", err)
	}
	closeWitness(t, w)
	w = open(t, dir, log.key.Public())
	if _, err := w.Cosign(split.request(t, 0, 20)); err == nil {
		t.Error("after a restart it signs another ledger")
	}
	if _, err := w.Cosign(log.request(t, 20, 30)); err != nil {
		t.Error(err)
	}
	closeWitness(t, w)
	entries, err := os.ReadDir(filepath.Join(dir, "seen"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	path := filepath.Join(dir, "seen", entries[0].Name())
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range body {
		damaged := slices.Clone(body)
		damaged[at] ^= 1
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		w = open(t, dir, log.key.Public())
		if _, err := w.Cosign(split.request(t, 0, 40)); err == nil {
			t.Fatalf("byte %d of what it has seen was changed, and it signs another ledger", at)
		}
		closeWitness(t, w)
	}
}

// Many at once: what is signed is one line of checkpoints, each following from the
// one before.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	log, split := newGrown(t, "ledger.example", 40, "entry"), newGrown(t, "ledger.example", 40, "other")
	w := open(t, t.TempDir(), log.key.Public())
	defer closeWitness(t, w)
	var mu sync.Mutex
	signed := map[string]int{}
	var group sync.WaitGroup
	for _, g := range []*grown{log, split} {
		for range 20 {
			group.Go(func() {
				if _, err := w.Cosign(g.request(t, 0, 20)); err == nil {
					mu.Lock()
					signed[fmt.Sprint(g == log)]++
					mu.Unlock()
				}
			})
		}
	}
	group.Wait()
	if len(signed) != 1 || signed["true"]+signed["false"] != 1 {
		t.Errorf("of two ledgers it signed %v", signed)
	}
}

// A ledger finds out by itself what its witness has seen.
func TestClient(t *testing.T) {
	t.Parallel()
	log, split := newGrown(t, "ledger.example", 40, "entry"), newGrown(t, "ledger.example", 40, "other")
	w := open(t, t.TempDir(), log.key.Public())
	defer closeWitness(t, w)
	server := httptest.NewServer(witness.Handler(w, slog.New(slog.DiscardHandler)))
	defer server.Close()
	client := witness.Client{Key: ledgertest.Signer(t, "witness.example/w1").Public(), URL: server.URL, HTTP: server.Client()}
	policy := ledger.Policy{Log: log.key.Public(), Threshold: 1, Witnesses: []keys.Public{client.Key}}
	for _, size := range []uint64{3, 3, 17, 40} {
		line, err := client.Ask(t.Context(), log.note(t, size), &log.tree)
		if err != nil {
			t.Fatalf("at %d: %v", size, err)
		}
		joined, err := policy.Join(log.note(t, size), line, at)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Verify(joined, at); err != nil {
			t.Error(err)
		}
	}
	for name, row := range map[string]struct {
		log  *grown
		size uint64
		want string
	}{
		"turned back": {log, 20, "has seen 40 entries, and the ledger has 20"},
		"changed":     {split, 40, "has seen another ledger of 40 entries"},
	} {
		if _, err := client.Ask(t.Context(), row.log.note(t, row.size), &row.log.tree); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	server.Close()
	if _, err := client.Ask(t.Context(), log.note(t, 40), &log.tree); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("nobody answers: %v", err)
	}
}
