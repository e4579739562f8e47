package httpd_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"muster/internal/httpd"
)

func TestOperations(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var broken error
	h := httpd.Operations(func(context.Context) error { return broken }, nil, slog.New(slog.NewTextHandler(&log, nil)))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- httpd.Serve(ctx, l, h) }()
	get := func(path string) (int, string) {
		t.Helper()
		r, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r.StatusCode, string(body)
	}
	for _, row := range []struct {
		path   string
		ready  error
		status int
		body   string
	}{
		{"/healthz", nil, 200, "alive\n"},
		{"/readyz", nil, 200, "ready\n"},
		{"/readyz", errors.New("canary-4411 is down"), 503, "not ready\n"},
		{"/healthz", errors.New("down"), 200, "alive\n"},
		{"/", nil, 404, "404 page not found\n"},
	} {
		broken = row.ready
		if status, body := get(row.path); status != row.status || body != row.body {
			t.Errorf("%s: got %d %q, want %d %q", row.path, status, body, row.status, row.body)
		}
	}
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "canary-4411") {
		t.Error("the log does not say why")
	}
	if err := httpd.Serve(t.Context(), l, h); err == nil {
		t.Error("a closed listener serves")
	}
}
