package cli

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/ledger/ledgertest"
)

// TestHostileServer: a reader who has the address of a ledger alone is told what a server
// changed, and reads no more of one that means harm than a ledger can have.
func TestHostileServer(t *testing.T) {
	t.Parallel()
	l := ledgertest.New(t, ledgertest.Config{})
	shorter := ledgertest.New(t, ledgertest.Config{Members: 3})
	longer, short := served(t, l), served(t, shorter)
	entries := func() string {
		for name := range longer {
			if strings.HasPrefix(name, "tile/entries/") {
				return name
			}
		}
		return ""
	}()
	kept := filepath.Join(t.TempDir(), "kept")
	for _, row := range []struct {
		name  string
		edit  func(name string, body []byte) []byte // nil: nothing is there
		seen  []byte
		words string // empty: all is well
	}{
		{"as it is", func(_ string, body []byte) []byte { return body }, nil, ""},
		{"as it is, and follows", func(_ string, body []byte) []byte { return body }, longer[ledger.CheckpointName], ""},
		{"an entry is changed", func(name string, body []byte) []byte {
			if name == entries {
				return bytes.Replace(body, []byte("draft"), []byte("craft"), 1)
			}
			return body
		}, nil, "has an entry, number 0 of the ledger, that is not the one that was entered"},
		{"a tile is changed", func(name string, body []byte) []byte {
			if strings.HasPrefix(name, "tile/0/") {
				return append([]byte{body[0] ^ 1}, body[1:]...)
			}
			return body
		}, nil, "is not what the entries under it give"},
		{"entries are kept back", func(name string, body []byte) []byte {
			if name == entries {
				return nil
			}
			return body
		}, nil, "is not at the ledger"},
		{"a tile without an end", func(name string, body []byte) []byte {
			if strings.HasPrefix(name, "tile/0/") {
				return bytes.Repeat(body, 1<<10)
			}
			return body
		}, nil, "is longer than 8192 bytes"},
		{"a checkpoint without an end", func(name string, body []byte) []byte {
			if name == ledger.CheckpointName {
				return bytes.Repeat(body, 1<<10)
			}
			return body
		}, nil, "is longer than"},
		{"it was turned back", func(name string, _ []byte) []byte { return short[name] }, longer[ledger.CheckpointName], "it was cut, or turned back"},
		{"a checkpoint that nobody saw", func(name string, body []byte) []byte {
			if name == ledger.CheckpointName {
				return body[:bytes.Index(body, []byte("\n\n"))+2+bytes.IndexByte(body[bytes.Index(body, []byte("\n\n"))+2:], '\n')+1]
			}
			return body
		}, nil, "0 of 2 witnesses have seen the checkpoint"},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			name := strings.TrimPrefix(r.URL.Path, "/")
			body := row.edit(name, longer[name])
			if body == nil {
				http.NotFound(w, r)
				return
			}
			_, _ = w.Write(body) // the reader may have had enough
		}))
		t.Cleanup(server.Close)
		f := remoteCheck{remoteFlags: remoteFlags{log: string(l.Policy.Log), witnesses: texts(l.Policy.Witnesses)}}
		if row.seen != nil {
			f.seen = kept
			if err := os.WriteFile(kept, row.seen, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		err := f.run(t.Context(), Env{Out: &out, Err: io.Discard, Now: func() time.Time { return l.Now }}, server.URL)
		if row.words == "" {
			if err != nil || !strings.Contains(out.String(), "whole: every byte is what the checkpoint says, seen by 2 of 2 witnesses") {
				t.Errorf("%s: %v, %s", row.name, err, &out)
			}
			continue
		}
		if err == nil || !strings.Contains(errs.Describe(err).Message, row.words) || out.Len() > 0 {
			t.Errorf("%s: %v, %s", row.name, err, &out)
		}
	}

	// Nobody is led elsewhere.
	server := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	t.Cleanup(server.Close)
	f := remoteCheck{remoteFlags: remoteFlags{log: string(l.Policy.Log)}}
	if err := f.run(t.Context(), Env{Out: io.Discard, Err: io.Discard, Now: time.Now}, server.URL); err == nil || !strings.Contains(errs.Describe(err).Message, "answers with status 302") {
		t.Errorf("a redirect: %v", err)
	}
}

// TestRemoteEvidence: a checkpoint that does not follow from the one that was kept is kept
// beside it, and takes its place never.
func TestRemoteEvidence(t *testing.T) {
	t.Parallel()
	l, other := ledgertest.New(t, ledgertest.Config{}), served(t, ledgertest.New(t, ledgertest.Config{Members: 3}))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(other[strings.TrimPrefix(r.URL.Path, "/")])
	}))
	t.Cleanup(server.Close)
	kept := filepath.Join(t.TempDir(), "kept")
	seen := served(t, l)[ledger.CheckpointName]
	if err := os.WriteFile(kept, seen, 0o600); err != nil {
		t.Fatal(err)
	}
	f := remoteCheck{remoteFlags: remoteFlags{log: string(l.Policy.Log)}, seen: kept, keep: true}
	for range 2 {
		if err := f.run(t.Context(), Env{Out: io.Discard, Err: io.Discard, Now: func() time.Time { return l.Now }}, server.URL); err == nil {
			t.Fatal("it is taken")
		}
	}
	if now, err := os.ReadFile(kept); err != nil || !bytes.Equal(now, seen) {
		t.Errorf("the kept checkpoint was replaced: %v", err)
	}
	found, err := filepath.Glob(kept + ".refused-*")
	if err != nil || len(found) != 1 {
		t.Fatalf("evidence: %v, %v", found, err)
	}
	if body, err := os.ReadFile(found[0]); err != nil || !bytes.Equal(body, other[ledger.CheckpointName]) {
		t.Errorf("other evidence: %v", err)
	}
}

// served returns what a server of a ledger gives, witnessed by all.
func served(t *testing.T, l *ledgertest.Ledger) map[string][]byte {
	t.Helper()
	members, err := l.Log.Members()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]byte)
	for _, m := range members {
		all[m.Name] = m.Body
	}
	all[ledger.CheckpointName] = l.Witnessed(t, len(l.Witnesses), l.Now)
	return all
}

func texts(list []keys.Public) []string {
	var out []string
	for _, k := range list {
		out = append(out, string(k))
	}
	return out
}
