package witness_test

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"muster/internal/ledger"
)

// The environment of the witness that is killed, and the size that it begins after.
const (
	killedDir  = "MUSTER_TEST_WITNESS"
	killedSize = 4000 // entries of the ledger that is shown to it
	cosigned   = "cosigned"
)

// TestKilledWitness is the process that TestKill kills: it cosigns a ledger that grows
// by one entry, and says of each size that it is signed.
func TestKilledWitness(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		return // nothing by itself; TestKill runs it
	}
	log := newGrown(t, "ledger.example", killedSize, "entry")
	w := open(t, dir, log.key.Public())
	seen, err := w.Seen(log.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for size := seen.Size + 1; size <= killedSize; size++ {
		if _, err := w.Cosign(log.request(t, size-1, size)); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("%s %d\n", cosigned, size)
	}
}

// A witness that is killed at any moment of cosigning never signs a fork afterwards,
// nor a smaller ledger than it has signed, and goes on with what follows.
func TestKill(t *testing.T) {
	t.Parallel()
	log, split := newGrown(t, "ledger.example", killedSize, "entry"), newGrown(t, "ledger.example", killedSize, "other")
	dir := t.TempDir()
	kills := 5
	if os.Getenv("MUSTER_LONG") == "1" {
		kills = 40
	}
	last := uint64(0)
	for kill := range kills {
		said := cosignUntilKilled(t, dir, time.Duration(kill*7%23)*time.Millisecond)
		if said <= last {
			t.Fatalf("kill %d: nothing was cosigned after %d", kill, last)
		}
		w := open(t, dir, log.key.Public())
		seen, err := w.Seen(log.key.Public())
		if err != nil || seen.Size < said {
			t.Fatalf("kill %d: it has seen %d entries, %v; it gave out its signature on %d", kill, seen.Size, err, said)
		}
		for _, size := range []uint64{said, seen.Size, seen.Size + 1} {
			for _, old := range []uint64{0, said - 1, said, seen.Size} {
				if old <= size {
					refuses(t, w, split.request(t, old, size), fmt.Sprintf("kill %d: a fork of %d entries after %d", kill, size, old))
				}
			}
		}
		refuses(t, w, log.request(t, said-1, said-1), fmt.Sprintf("kill %d: fewer entries than it has signed", kill))
		if _, err := w.Cosign(log.request(t, seen.Size, seen.Size+1)); err != nil {
			t.Fatalf("kill %d: what follows is refused: %v", kill, err)
		}
		last = seen.Size + 1
		closeWitness(t, w)
	}
	t.Logf("killed %d times, up to %d entries", kills, last)
}

func refuses(t *testing.T, w interface {
	Cosign([]byte) ([]byte, error)
}, request []byte, what string,
) {
	t.Helper()
	if _, err := ledger.ParseCosignRequest(request); err != nil {
		t.Fatalf("%s: the request itself is wrong: %v", what, err)
	}
	if _, err := w.Cosign(request); err == nil {
		t.Fatal(what + " is signed")
	}
}

// cosignUntilKilled lets a process be the witness, kills it a while after it has said
// that it cosigned, and returns the last size of which it said so.
func cosignUntilKilled(t *testing.T, dir string, after time.Duration) (last uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWitness$")
	cmd.Env = append(os.Environ(), killedDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan uint64, killedSize)
	go func() { // ends with the pipe
		defer close(lines)
		var word string
		var n uint64
		for {
			if _, err := fmt.Fscanf(out, "%s %d\n", &word, &n); err != nil || word != cosigned {
				return
			}
			lines <- n
		}
	}()
	for range 3 {
		if n, ok := <-lines; ok {
			last = n
		}
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for n := range lines {
		last = n
	}
	_ = cmd.Wait() // it was killed
	return last
}
