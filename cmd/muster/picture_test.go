package main

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A reader looks at the picture in a browser; Ctrl-C is how that ends, so it ends
// well. A web page whose name leads to this machine reads nothing.
func TestPictureServe(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sea")
	var stdout, stderr buffer
	if code := run(t.Context(), []string{"demo", "--one-cycle", "--in-process", "--members", "20", "--data", dir}, strings.NewReader(""), &stdout, &stderr); code != 0 {
		t.Fatalf("demo: exit code %d\n%s", code, stderr.String())
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var out, messages buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"picture", "serve", "--listen", "127.0.0.1:0", "--release", filepath.Join(dir, "result", "release.json")}, strings.NewReader(""), &out, &messages)
	}()
	for !strings.HasSuffix(out.String(), "\n") {
		select {
		case code := <-ended:
			t.Fatalf("ended with %d before it served\n%s", code, messages.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	address := strings.TrimSpace(out.String())
	if !strings.HasPrefix(address, "http://127.0.0.1:") || !strings.Contains(messages.String(), "end it with Ctrl-C") {
		t.Errorf("says %q and %q", address, messages.String())
	}
	for host, want := range map[string]int{"": http.StatusOK, "evil.example": http.StatusMisdirectedRequest} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want {
			t.Errorf("host %q: %s, %v", host, resp.Status, err)
		}
		if shown := strings.Contains(string(body), "18 of 20 members took part"); shown != (want == http.StatusOK) {
			t.Errorf("host %q: the picture is shown: %v", host, shown)
		}
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d\n%s", code, messages.String())
	}
}
