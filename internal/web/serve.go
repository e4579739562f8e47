package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// What a request may cost, and how long the last ones may take when serving ends.
const (
	requestTimeout = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	endTimeout     = 2 * time.Second
	maxHeaderBytes = 16 << 10
)

// Serve serves h on l until ctx ends, lets what is under way finish for a moment,
// and closes l. It returns nil if ctx is why it ended.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: requestTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }() // ends with Shutdown or Close below
	select {
	case err := <-failed:
		return errors.Join(fmt.Errorf("serve the pages: %w", err), server.Close())
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	err := server.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) { // somebody is slow; nobody waits for ever
		err = server.Close()
	}
	<-failed
	return err
}
