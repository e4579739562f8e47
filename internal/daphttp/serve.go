package daphttp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// ServeConfig is how a handler is served. TLS and Handler are needed; every
// other field has a default.
type ServeConfig struct {
	Handler http.Handler
	TLS     *tls.Config  // see [ServerTLS]
	Log     *slog.Logger // what the connections themselves have to say; nil: nothing

	MaxConnections int           // at the same time; more wait to be accepted; zero: 256. One source address has a quarter of them, see [share]
	ReadHeader     time.Duration // handshake and header; zero: 10 seconds
	Read           time.Duration // a whole request; zero: 60 seconds
	Write          time.Duration // from the header to the end of the answer; zero: 120 seconds
	Idle           time.Duration // between requests; zero: 120 seconds
	Grace          time.Duration // for running requests after the stop; zero: 30 seconds
}

// maxHeader is the size of a request's header: a path, a media type, little else.
const maxHeader = 16 << 10

// maxStreams is how many requests one HTTP/2 connection may have open.
const maxStreams = 32

func (c *ServeConfig) setDefaults() {
	for field, value := range map[*time.Duration]time.Duration{
		&c.ReadHeader: 10 * time.Second, &c.Read: 60 * time.Second, &c.Write: 120 * time.Second,
		&c.Idle: 120 * time.Second, &c.Grace: 30 * time.Second,
	} {
		if *field == 0 {
			*field = value
		}
	}
	if c.MaxConnections == 0 {
		c.MaxConnections = 256
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
}

// Serve accepts connections on l until ctx ends, then lets running requests
// come to their end for as long as Grace, and returns when none is left. It
// closes l. It returns nil if ctx ended and every request did in time.
func Serve(ctx context.Context, l net.Listener, cfg ServeConfig) error {
	cfg.setDefaults()
	if cfg.TLS == nil || cfg.Handler == nil {
		l.Close()
		return errors.New("daphttp: serving needs a TLS configuration and a handler")
	}
	var running tally
	// A request outlives ctx by the grace, and no longer.
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !running.enter() {
				http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
				return
			}
			defer running.leave()
			cfg.Handler.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: cfg.ReadHeader, ReadTimeout: cfg.Read, WriteTimeout: cfg.Write, IdleTimeout: cfg.Idle,
		MaxHeaderBytes: maxHeader,
		HTTP2:          &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		ErrorLog:       log.New(connectionLog{cfg.Log}, "", 0),
	}
	secure := tls.NewListener(newBounded(l, cfg.MaxConnections), cfg.TLS)
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(secure) }() // ends with Shutdown or Close below
	var broken error
	select {
	case broken = <-failed:
		broken = fmt.Errorf("serve: %w", broken)
		server.Close()
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Grace)
		defer cancel()
		if err := server.Shutdown(stop); err != nil {
			broken = fmt.Errorf("requests were still running %v after the stop and were cut: %w", cfg.Grace, err)
			server.Close()
		}
		<-failed
	}
	cut()
	// A request that is cut ends soon: all that it waits for knows its context.
	if !running.drain(cutTime) {
		broken = errors.Join(broken, errors.New("requests did not end after they were cut"))
	}
	return broken
}

// connectionLog says what became of a connection, in words of ours: net/http's
// carry the addresses of members, and the words of whoever connects.
type connectionLog struct{ log *slog.Logger }

func (l connectionLog) Write(line []byte) (int, error) {
	what := "a connection ended with an error"
	switch {
	case bytes.HasPrefix(line, []byte("http: TLS handshake error")):
		what = "a handshake was not completed"
	case bytes.HasPrefix(line, []byte("http: Accept error")):
		what = "a connection could not be accepted"
	}
	l.log.Debug(what)
	return len(line), nil
}

// cutTime is how long requests whose context has ended may take to notice.
const cutTime = 5 * time.Second

// tally counts running requests until it is drained.
type tally struct {
	mu     sync.Mutex // guards closed, and that nothing is added once it is
	closed bool
	open   sync.WaitGroup
}

// enter returns false once the tally is drained.
func (t *tally) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.open.Add(1)
	}
	return !t.closed
}

func (t *tally) leave() { t.open.Done() }

// drain lets nobody in any more and waits, at most for d, until all have left.
func (t *tally) drain(d time.Duration) bool {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	left := make(chan struct{})
	go func() { t.open.Wait(); close(left) }() // ends with the last request
	select {
	case <-left:
		return true
	case <-time.After(d):
		return false
	}
}

// bounded is a listener that accepts a connection only while fewer than its
// places are open, and closes one of a source address that has its share.
type bounded struct {
	net.Listener
	crowd  *crowd
	places chan struct{}
	closed chan struct{}
	close  sync.Once
}

func newBounded(l net.Listener, places int) *bounded {
	return &bounded{Listener: l, crowd: newCrowd(places, share(places)), places: make(chan struct{}, places), closed: make(chan struct{})}
}

// Accept waits for a place, then for a connection.
func (b *bounded) Accept() (net.Conn, error) {
	select {
	case b.places <- struct{}{}:
	case <-b.closed:
		return nil, net.ErrClosed
	}
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			<-b.places
			return nil, err
		}
		leave, ok := b.crowd.enter(sourceAt(conn.RemoteAddr().String()))
		if !ok {
			_ = conn.Close() // nothing was said on it
			continue
		}
		return &placed{Conn: conn, leave: sync.OnceFunc(func() { leave(); <-b.places })}, nil
	}
}

// Close stops accepting; connections stay.
func (b *bounded) Close() error {
	b.close.Do(func() { close(b.closed) })
	return b.Listener.Close()
}

// placed is a connection that gives its place back.
type placed struct {
	net.Conn
	leave func()
}

func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}
