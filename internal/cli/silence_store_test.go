package cli

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/silence"
)

// chairBench is a chair's folder with a clock and a disk that fail as a test wants.
type chairBench struct {
	dir     string
	now     time.Time
	key     *keys.Signer
	members map[coalition.MemberID]*keys.Signer
	fail    string // "", "before", "after" or "torn"
}

var errGone = errors.New("the disk is gone")

func newChairBench(t *testing.T) *chairBench {
	t.Helper()
	b := &chairBench{dir: t.TempDir(), now: time.Date(2090, 6, 1, 0, 0, 0, 0, time.UTC), members: make(map[coalition.MemberID]*keys.Signer)}
	for _, name := range []string{"chair", "Aldmark", "Birkland"} {
		key, err := keys.Generate(rand.Reader, name)
		if err != nil {
			t.Fatal(err)
		}
		if b.members[coalition.MemberID(name)] = key; name == "chair" {
			b.key = key
		}
	}
	return b
}

// create is [config.CreateSecret] on the failing disk. "torn" is a process that is
// killed while it writes the temporary file.
func (b *chairBench) create(path string, body []byte) error {
	fail := b.fail
	b.fail = ""
	switch fail {
	case "before":
		return errGone
	case "torn":
		return errors.Join(errGone, os.WriteFile(filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".123"), body[:len(body)/2], 0o600))
	}
	if err := config.CreateSecret(path, body); err != nil {
		return err
	}
	if fail == "after" {
		return errGone
	}
	return nil
}

// open is a new process on the folder.
func (b *chairBench) open() *silence.Chair {
	return silence.New(silence.Config{
		Coalition: "Sundmark Pact", Signer: b.key, Store: silenceStore{b.dir, b.create}, Vault: xorVault{}, Now: func() time.Time { return b.now }, Rand: rand.Reader,
	})
}

type xorVault struct{}

func (xorVault) Seal(plain []byte) ([]byte, error) { return xor(plain), nil }

func xor(b []byte) []byte {
	b = bytes.Clone(b)
	for i := range b {
		b[i] ^= 0xA5
	}
	return b
}

func (b *chairBench) propose(t *testing.T) string {
	t.Helper()
	p, err := b.open().Propose(t.Context(), silence.Proposal{
		Subject:  silence.Subject{Kind: silence.Statement, Name: "statement", Digest: keys.Digest([]byte("text"))},
		Parties:  []silence.Party{{Member: "Aldmark", Key: b.members["Aldmark"].Public()}, {Member: "Birkland", Key: b.members["Birkland"].Public()}},
		Comments: b.now.Add(24 * time.Hour), Period: 24 * time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// TestSilenceFolderFails takes a procedure through a disk that fails before, after
// and in the middle of each write: what a command was told it may repeat, and what
// an acknowledgement says is kept.
func TestSilenceFolderFails(t *testing.T) {
	t.Parallel()
	for _, fail := range []string{"before", "after", "torn"} {
		t.Run(fail, func(t *testing.T) {
			t.Parallel()
			b := newChairBench(t)
			id := b.propose(t)
			b.now = b.now.Add(24 * time.Hour)
			until := b.now.Add(24 * time.Hour)
			b.fail = fail
			if _, err := b.open().Put(t.Context(), id, "", until); !errors.Is(err, errGone) {
				t.Fatalf("put on a failing disk: %v", err)
			}
			_, err := b.open().Put(t.Context(), id, "", until)
			if done := fail == "after"; (errs.KindOf(err) == errs.Conflict) != done || (err == nil) == done {
				t.Fatalf("put again: %v", err)
			}
			p, _, _, err := b.open().Show(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			file, err := silence.NewBreak(&p, "Aldmark", "no", [16]byte{1}, b.members["Aldmark"])
			if err != nil {
				t.Fatal(err)
			}
			b.fail = fail
			if _, err := b.open().Break(t.Context(), id, file); !errors.Is(err, errGone) {
				t.Fatalf("a break on a failing disk is acknowledged: %v", err)
			}
			acknowledged, err := b.open().Break(t.Context(), id, file)
			if err != nil {
				t.Fatal(err)
			}
			b.now = until
			b.fail = fail
			if _, err := b.open().Settle(t.Context(), id); !errors.Is(err, errGone) {
				t.Fatalf("settled on a failing disk: %v", err)
			}
			p, err = b.open().Settle(t.Context(), id)
			if err != nil || p.State != silence.Reopened || p.Steps != 3 {
				t.Fatalf("settled as %s after %d steps, %v", p.State, p.Steps, err)
			}
			if err := p.CheckAcknowledgement(b.key.Public(), acknowledged); err != nil {
				t.Error(err)
			}
			list, err := b.open().Breaks(t.Context(), id, func(sealed []byte) ([]byte, error) { return xor(sealed), nil })
			if err != nil || len(list) != 1 || list[0].Break.Member != "Aldmark" {
				t.Errorf("breaks %+v, %v", list, err)
			}
		})
	}
}

// TestSilenceFolderTogether lets commands race: each does its work once, and of a
// text there is one outcome.
func TestSilenceFolderTogether(t *testing.T) {
	t.Parallel()
	b := newChairBench(t)
	id := b.propose(t)
	b.now = b.now.Add(24 * time.Hour)
	if _, err := b.open().Put(t.Context(), id, "", b.now.Add(24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	p, _, _, err := b.open().Show(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			member := []coalition.MemberID{"Aldmark", "Birkland"}[i%2]
			file, err := silence.NewBreak(&p, member, "no", [16]byte{byte(i)}, b.members[member])
			if err == nil {
				_, err = b.open().Break(t.Context(), id, file)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	b.now = b.now.Add(24 * time.Hour)
	for range 4 {
		wait.Go(func() {
			if p, err := b.open().Settle(t.Context(), id); err != nil || p.State != silence.Reopened {
				t.Errorf("settled as %s, %v", p.State, err)
			}
		})
	}
	wait.Wait()
	list, err := b.open().Breaks(t.Context(), id, func(sealed []byte) ([]byte, error) { return xor(sealed), nil })
	if err != nil || len(list) != 8 {
		t.Errorf("%d breaks, %v", len(list), err)
	}
	if p, steps, _, err := b.open().Show(t.Context(), id); err != nil || len(steps) != 3 || p.State != silence.Reopened {
		t.Errorf("%d steps, %s, %v", len(steps), p.State, err)
	}
}

// TestSilenceFolderChanged changes every byte of a turn: the folder does not open.
func TestSilenceFolderChanged(t *testing.T) {
	t.Parallel()
	b := newChairBench(t)
	id := b.propose(t)
	path := filepath.Join(b.dir, id, "turns", turnName(0))
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := bytes.Index(body, []byte(`"name":"`)) + len(`"name":"`)
	inName := func(i int) bool { return i >= name && body[i] != '"' && !strings.Contains(string(body[name:i]), `"`) }
	for i := range body {
		changed := bytes.Clone(body)
		changed[i] ^= 1
		if err := os.WriteFile(path, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		// The name of a turn is for people who look at the folder, and means nothing.
		if _, _, _, err := b.open().Show(t.Context(), id); (err == nil) != inName(i) {
			t.Errorf("byte %d changed: %v", i, err)
		}
	}
}
