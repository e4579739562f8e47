package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// What a request may cost, and how long the last ones may take when serving ends.
const (
	requestTimeout = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	endTimeout     = 2 * time.Second
	maxHeaderBytes = 16 << 10
	maxStreams     = 64 // requests at the same time on one connection of HTTP/2
)

// Connections is how many are open at the same time unless somebody says otherwise.
const Connections = 512

// Serve serves h on l until ctx ends, lets what is under way finish for a moment,
// and closes l. It returns nil if ctx is why it ended.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	return serve(ctx, l, &http.Server{Handler: h})
}

// ServeTLS is [Serve] over TLS 1.3 and nothing older, with at most so many connections
// at the same time. What goes wrong on a connection is said nowhere: it would be the
// words of whoever connects.
func ServeTLS(ctx context.Context, l net.Listener, certificate tls.Certificate, connections int, h http.Handler) error {
	cfg := &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2", "http/1.1"}}
	return serve(ctx, tls.NewListener(newBounded(l, connections), cfg), &http.Server{
		Handler: h, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams}, ErrorLog: log.New(io.Discard, "", 0),
	})
}

func serve(ctx context.Context, l net.Listener, server *http.Server) error {
	server.ReadHeaderTimeout, server.ReadTimeout, server.WriteTimeout, server.IdleTimeout = requestTimeout, requestTimeout, requestTimeout, idleTimeout
	server.MaxHeaderBytes = maxHeaderBytes
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

// bounded is a listener that accepts a connection only while fewer than its places
// are open.
type bounded struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	close  func()
}

func newBounded(l net.Listener, places int) *bounded {
	b := &bounded{Listener: l, places: make(chan struct{}, places), closed: make(chan struct{})}
	b.close = sync.OnceFunc(func() { close(b.closed) })
	return b
}

// Accept waits for a place, then for a connection.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.places <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	conn, err := b.Listener.Accept()
	if err != nil {
		<-b.places
		return nil, err
	}
	return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-b.places })}, nil
}

// Close stops accepting; connections stay.
func (b *bounded) Close() error {
	b.close()
	return b.Listener.Close()
}

// placed is a connection that gives its place back, once.
type placed struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
