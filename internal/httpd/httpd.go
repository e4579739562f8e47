// Package httpd serves what operators ask a program: whether it runs and
// whether it can work. It is plain HTTP for an address of the machine itself,
// beside what the program serves to others, and names nobody.
//
//	GET /healthz   200 while the process answers
//	GET /readyz    200 if it can work, else 503
//	GET /metrics   what it does, in numbers, for Prometheus
package httpd

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// readyTimeout bounds the question whether the program can work.
const readyTimeout = 5 * time.Second

// Operations returns the handler. ready says whether the program can work; why
// it cannot goes to the log alone. metrics may be nil.
func Operations(ready func(context.Context) error, metrics http.Handler, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	if metrics != nil {
		mux.Handle("GET /metrics", metrics)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "alive") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
		defer cancel()
		if err := ready(ctx); err != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "not ready", slog.Any("cause", err))
			answer(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		answer(w, http.StatusOK, "ready")
	})
	return mux
}

func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintln(w, text) // an error means that the other side has gone
}

// Serve serves h on l until ctx ends, and closes l. It returns nil if that is
// why it ended.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 2 * readyTimeout, IdleTimeout: 30 * time.Second,
		MaxHeaderBytes: 8 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }() // ends with Close below
	var broken error
	select {
	case err := <-failed:
		broken = fmt.Errorf("serve operations: %w", err)
		server.Close()
	case <-ctx.Done():
		server.Close() // nobody waits for these answers
		<-failed
	}
	return broken
}
