//go:build unix

package logserver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
	"muster/internal/logserver"
)

func open(t testing.TB, l *ledgertest.Ledger, dir string) *logserver.Log {
	t.Helper()
	log, err := logserver.Open(t.Context(), logserver.Config{Dir: dir, Signer: l.Key, Policy: l.Policy, Now: func() time.Time { return l.Now }})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func closeLog(t testing.TB, log *logserver.Log) {
	t.Helper()
	if err := log.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// statements returns everything that is in a ledger for tests.
func statements(t testing.TB, l *ledgertest.Ledger) []ledger.Statement {
	t.Helper()
	b, err := ledger.OpenBundle(t.Context(), l.Bundle(t))
	if err != nil {
		t.Fatal(err)
	}
	return b.Statements
}

// ask is a witness that signs whatever it is asked.
func ask(l *ledgertest.Ledger, down ...int) func(context.Context, int, []byte) ([]byte, error) {
	return func(_ context.Context, i int, note []byte) ([]byte, error) {
		for _, d := range down {
			if d == i {
				return nil, errors.New("nobody answers")
			}
		}
		c, err := ledger.ReadCheckpoint(note)
		if err != nil {
			return nil, err
		}
		return ledger.Cosign(c, l.Witnesses[i], func() time.Time { return l.Now })
	}
}

func TestAddAndPublish(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Members: 300})
	dir, all := t.TempDir(), statements(t, l)
	log := open(t, l, dir)
	if err := log.Add(t.Context(), all[:100]...); err != nil {
		t.Fatal(err)
	}
	if _, _, err := log.Publish(t.Context(), ask(l, 0, 1)); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("published without a witness: %v", err)
	}
	if _, err := (logserver.Folder{Dir: dir}).Published(); errs.KindOf(err) != errs.NotFound {
		t.Errorf("there is something published: %v", err)
	}
	note, missed, err := log.Publish(t.Context(), ask(l, 1))
	if err != nil || len(missed) != 1 || missed[1] == nil {
		t.Fatalf("with one of two witnesses: %v, missed %v", err, missed)
	}
	if _, err := l.Policy.Verify(note, l.Now); err != nil {
		t.Error(err)
	}
	// The same again, across the entries that are there, changes nothing but adds the rest.
	if err := log.Add(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	if err := log.Add(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	if size, err := log.Size(t.Context()); err != nil || size != uint64(len(all)) {
		t.Errorf("%d entries, %v; want %d", size, err, len(all))
	}
	if _, _, err := log.Publish(t.Context(), ask(l)); err != nil {
		t.Fatal(err)
	}
	// One writer at a time.
	if _, err := logserver.Open(t.Context(), logserver.Config{Dir: dir, Signer: l.Key, Policy: l.Policy}); errs.KindOf(err) != errs.Unavailable {
		t.Errorf("a second writer: %v", err)
	}
	closeLog(t, log)

	log = open(t, l, dir)
	if err := log.Add(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
	other, err := l.Ledger.Edition("public", l.Release.Body, []byte("the public edition"))
	if err != nil {
		t.Fatal(err)
	}
	other.Cycle = "2027"
	if other, err = other.Sign(l.Cycle.Coordinator); err != nil {
		t.Fatal(err)
	}
	changed := all[5]
	changed.Signature = other.Signature
	if err := log.Add(t.Context(), other, changed); errs.KindOf(err) != errs.Conflict {
		t.Errorf("another entry of a known id: %v", err)
	}
	if size, err := log.Size(t.Context()); err != nil || size != uint64(len(all)) {
		t.Errorf("after a refusal %d entries, %v; want %d", size, err, len(all))
	}
	closeLog(t, log)
	view, list, err := logserver.Folder{Dir: dir}.Check(t.Context(), l.Policy, l.Now)
	if err != nil || len(list) != len(all) || view.Checkpoint.Size != uint64(len(all)) {
		t.Errorf("fsck: %d entries, %v", len(list), err)
	}
}

// What is served is what is published, as tlog-tiles has it, and nothing else.
func TestHandler(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{Members: 300})
	dir, all := t.TempDir(), statements(t, l)
	log := open(t, l, dir)
	server := httptest.NewServer(logserver.Handler(logserver.Folder{Dir: dir}, slog.New(slog.DiscardHandler)))
	defer server.Close()
	get := func(path string) (int, http.Header, []byte) {
		t.Helper()
		resp, err := http.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, body
	}
	if err := log.Add(t.Context(), all[:290]...); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := get("/checkpoint"); status != http.StatusNotFound {
		t.Errorf("a checkpoint before any was published: %d", status)
	}
	if _, _, err := log.Publish(t.Context(), ask(l)); err != nil {
		t.Fatal(err)
	}
	if err := log.Add(t.Context(), all...); err != nil { // in the log, and seen by no witness
		t.Fatal(err)
	}
	closeLog(t, log)
	for _, row := range []struct {
		path, media, cache string
		status, size       int
	}{
		{"/checkpoint", "text/plain; charset=utf-8", "no-cache", 200, 0},
		{"/tile/0/000", "application/octet-stream", "public, max-age=31536000, immutable", 200, 8192},
		{"/tile/0/001.p/34", "application/octet-stream", "public, max-age=31536000, immutable", 200, 34 * 32},
		{"/tile/1/000.p/1", "application/octet-stream", "public, max-age=31536000, immutable", 200, 32},
		{"/tile/entries/001.p/34", "application/octet-stream", "public, max-age=31536000, immutable", 200, 0},
		{fmt.Sprintf("/tile/0/001.p/%d", len(all)-256), "", "no-store", 404, 0}, // beyond what is published
		{"/tile/0/002", "", "no-store", 404, 0},
		{"/tile/0/0", "", "no-store", 404, 0},
		{"/tile/00/000", "", "no-store", 404, 0},
		{"/tile/0/000.p/0", "", "no-store", 404, 0},
		{"/tile/0/x000/000", "", "no-store", 404, 0},
		{"/tile/8/000", "", "no-store", 404, 0},
		{"/tile/entries/../../../writer.lock", "", "", 404, 0},
	} {
		status, header, body := get(row.path)
		if status != row.status || row.size > 0 && len(body) != row.size || row.cache != "" && header.Get("Cache-Control") != row.cache ||
			row.media != "" && header.Get("Content-Type") != row.media {
			t.Errorf("%s: %d, %d bytes, %v", row.path, status, len(body), header)
		}
	}
	source := httpSource{server.URL}
	note, err := source.Resource(t.Context(), "checkpoint", ledger.MaxCheckpoint)
	if err != nil {
		t.Fatal(err)
	}
	w, err := l.Policy.Verify(note, l.Now)
	if err != nil {
		t.Fatal(err)
	}
	if view, err := ledger.ReadView(t.Context(), source, w.Checkpoint); err != nil || len(view.Leaves) != 290 {
		t.Errorf("the ledger as it is served: %v", err)
	}
}

type httpSource struct{ url string }

func (s httpSource) Resource(_ context.Context, name string, limit int) ([]byte, error) {
	resp, err := http.Get(s.url + "/" + name)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, errs.New(errs.NotFound, resp.Status, "")
	}
	return io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
}

// A ledger that was cut or turned back on disk is not published and not extended.
func TestDamage(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	all := statements(t, l)
	for name, damage := range map[string]func(t *testing.T, dir string){
		"an entry changed": func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "log", ledger.EntriesName(0, len(all))), func(b []byte) []byte { b[40] ^= 1; return b })
		},
		"a tile changed": func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "log", ledger.TileName(0, 0, len(all))), func(b []byte) []byte { b[40] ^= 1; return b })
		},
		"a tile cut": func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "log", ledger.TileName(0, 0, len(all))), func(b []byte) []byte { return b[:len(b)-32] })
		},
		"the checkpoint changed": func(t *testing.T, dir string) {
			edit(t, filepath.Join(dir, "log", "checkpoint"), func(b []byte) []byte { b[20] ^= 1; return b })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			log := open(t, l, dir)
			if err := log.Add(t.Context(), all...); err != nil {
				t.Fatal(err)
			}
			if _, _, err := log.Publish(t.Context(), ask(l)); err != nil {
				t.Fatal(err)
			}
			closeLog(t, log)
			damage(t, dir)
			if _, _, err := (logserver.Folder{Dir: dir}).Check(t.Context(), l.Policy, l.Now); err == nil {
				t.Error("fsck finds nothing")
			}
			if log, err := logserver.Open(t.Context(), logserver.Config{Dir: dir, Signer: l.Key, Policy: l.Policy}); err == nil {
				closeLog(t, log)
				t.Error("it is opened for writing all the same")
			}
		})
	}
	t.Run("turned back", func(t *testing.T) {
		t.Parallel()
		dir, old := t.TempDir(), t.TempDir()
		log := open(t, l, dir)
		if err := log.Add(t.Context(), all[:4]...); err != nil {
			t.Fatal(err)
		}
		closeLog(t, log)
		if err := os.CopyFS(old, os.DirFS(filepath.Join(dir, "log"))); err != nil {
			t.Fatal(err)
		}
		log = open(t, l, dir)
		if err := log.Add(t.Context(), all...); err != nil {
			t.Fatal(err)
		}
		if _, _, err := log.Publish(t.Context(), ask(l)); err != nil {
			t.Fatal(err)
		}
		closeLog(t, log)
		if err := errors.Join(os.RemoveAll(filepath.Join(dir, "log")), os.Rename(old, filepath.Join(dir, "log"))); err != nil {
			t.Fatal(err)
		}
		if _, _, err := (logserver.Folder{Dir: dir}).Check(t.Context(), l.Policy, l.Now); err == nil || !strings.Contains(err.Error(), "turned back") {
			t.Errorf("fsck: %v", err)
		}
		log = open(t, l, dir)
		defer closeLog(t, log)
		if _, _, err := log.Publish(t.Context(), ask(l)); errs.KindOf(err) != errs.Conflict {
			t.Errorf("published: %v", err)
		}
	})
}

func edit(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The environment of the process that is killed.
const (
	killedDir = "MUSTER_TEST_LEDGER"
	acked     = "acknowledged"
)

// many returns n statements of receipts of a cycle, signed.
func many(t testing.TB, l *ledgertest.Ledger, n int) []ledger.Statement {
	t.Helper()
	task := l.Cycle.Task(t).ID.String()
	list := make([]ledger.Statement, n)
	for i := range list {
		s, err := ledger.Statement{
			Version: 1, Kind: ledger.KindReceipt, Cycle: l.Cycle.Charter.Cycle, Charter: l.Cycle.Signed.Digest(),
			Fields: map[string]string{"task_id": task, "member": fmt.Sprintf("%032x", i), "receipt": keys.Digest([]byte(strconv.Itoa(i)))},
		}.Sign(l.Cycle.Coordinator)
		if err != nil {
			t.Fatal(err)
		}
		list[i] = s
	}
	return list
}

// TestKilledWriter is the process that TestKill kills: it enters one entry after
// another and says of each that it is entered.
func TestKilledWriter(t *testing.T) {
	dir := os.Getenv(killedDir)
	if dir == "" {
		return // nothing by itself; TestKill runs it
	}
	l := ledgertest.New(t, ledgertest.Config{})
	log := open(t, l, dir)
	for i, s := range many(t, l, 300) {
		if err := log.Add(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("%s %d\n", acked, i+1)
	}
}

// A writer that is killed at any moment loses nothing that it has acknowledged, and
// what it leaves is whole.
func TestKill(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	dir := t.TempDir()
	kills := 5
	if os.Getenv("MUSTER_LONG") == "1" {
		kills = 40
	}
	last := 0
	for kill := range kills {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), killedDir+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It enters what is there already at once; then it is killed a little later.
		lines := make(chan int, 300)
		go func() { // ends with the pipe
			defer close(lines)
			var word string
			var n int
			for {
				if _, err := fmt.Fscanf(out, "%s %d\n", &word, &n); err != nil || word != acked {
					return
				}
				lines <- n
			}
		}()
		for n := range lines {
			if n > last+3 {
				last = n
				break
			}
		}
		time.Sleep(time.Duration(kill*7%23) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for n := range lines {
			last = n
		}
		_ = cmd.Wait() // it was killed
		log := open(t, l, dir)
		size, err := log.Size(t.Context())
		if err != nil || size < uint64(last) {
			t.Fatalf("kill %d: %d entries, %v; %d were acknowledged", kill, size, err, last)
		}
		closeLog(t, log)
		_, list, err := logserver.Folder{Dir: dir}.Check(t.Context(), l.Policy, l.Now)
		if err != nil || len(list) < last {
			t.Fatalf("kill %d: %d entries, %v; %d were acknowledged", kill, len(list), err, last)
		}
	}
	if last < kills {
		t.Errorf("only %d entries were ever acknowledged", last)
	}
	t.Logf("killed %d times, %d entries acknowledged, none lost", kills, last)
}

// Nothing in the program sends Tessera's traces and metrics anywhere: of
// OpenTelemetry only the interfaces are linked, and no exporter.
func TestNoTelemetry(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "muster/internal/logserver").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		found = found || name == "go.opentelemetry.io/otel"
		if strings.HasPrefix(name, "go.opentelemetry.io/otel/sdk") || strings.HasPrefix(name, "go.opentelemetry.io/otel/exporters") ||
			strings.HasPrefix(name, "go.opentelemetry.io/contrib") || strings.HasPrefix(name, "google.golang.org/grpc") {
			t.Errorf("the log server links %s", name)
		}
	}
	if !found {
		t.Error("the interfaces of OpenTelemetry are not linked: look again at what this test is for")
	}
}

// One writer, durable: how many entries a second, many at once.
func BenchmarkAdd(b *testing.B) {
	l := ledgertest.New(b, ledgertest.Config{Members: 3})
	for _, batch := range []int{1, 100, 1000, 10_000} {
		b.Run(strconv.Itoa(batch), func(b *testing.B) {
			list := many(b, l, batch)
			var spent time.Duration
			for range b.N {
				dir := b.TempDir()
				log := open(b, l, dir)
				start := time.Now()
				if err := log.Add(b.Context(), list...); err != nil {
					b.Fatal(err)
				}
				spent += time.Since(start)
				closeLog(b, log)
			}
			b.ReportMetric(float64(batch*b.N)/spent.Seconds(), "entries/s")
		})
	}
}
