package fault_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"muster/internal/store/pgtest"
)

// pgProxy stands between a host and its PostgreSQL, and kills the host around
// one of its commits: what the server was told and what the host has heard are
// then what the case wants.
type pgProxy struct {
	to string // the server's socket
	wg sync.WaitGroup

	mu    sync.Mutex // guards all below
	point string     // beforeCommit: the server never hears of it; afterCommit: the host never hears that it was done
	left  int        // commits until then; zero: never
	kill  func()
	dead  bool // it has happened
}

// newPGProxy returns the proxy and the connection string that leads through it.
func newPGProxy(t testing.TB) (*pgProxy, string) {
	t.Helper()
	dsn := pgtest.DSN(t)
	_, rest, _ := strings.Cut(dsn, "host='")
	dir, _, found := strings.Cut(rest, "'")
	if !found {
		t.Fatalf("no folder of a socket in %s", dsn)
	}
	p := &pgProxy{to: filepath.Join(dir, ".s.PGSQL.5432")}
	own := scratch(t)
	l, err := net.Listen("unix", filepath.Join(own, ".s.PGSQL.5432"))
	check(t, err)
	conns := make(map[net.Conn]bool)
	p.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			conns[conn] = true
			p.mu.Unlock()
			p.wg.Go(func() { p.carry(conn) })
		}
	})
	t.Cleanup(func() {
		check(t, l.Close())
		p.mu.Lock()
		for c := range conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p, strings.Replace(dsn, "host='"+dir+"'", "host='"+own+"'", 1)
}

// expect plans the death, from now on.
func (p *pgProxy) expect(point string, n int, kill func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.point, p.left, p.kill, p.dead = point, n, kill, false
}

func (p *pgProxy) died() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dead
}

// turn counts a commit, and says what is to happen to it.
func (p *pgProxy) turn() (point string, kill func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left--; p.left != 0 {
		return "", nil
	}
	p.dead = true
	return p.point, p.kill
}

func (p *pgProxy) carry(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	answered := make(chan struct{}, 1) // while a commit is waited for: an answer has come
	var mu sync.Mutex                  // guards waiting
	waiting := false
	var both sync.WaitGroup
	both.Go(func() {
		defer client.Close()
		buf := make([]byte, 1<<16)
		for {
			n, err := server.Read(buf)
			if err != nil {
				return
			}
			mu.Lock()
			w := waiting
			mu.Unlock()
			if w {
				answered <- struct{}{}
				return // and the client does not hear of it
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	both.Go(func() {
		defer server.Close()
		first := true
		for {
			message, err := readMessage(client, first)
			if err != nil {
				return
			}
			first = false
			if message[0] == 'Q' && bytes.EqualFold(bytes.TrimRight(message[5:], "\x00; "), []byte("commit")) {
				switch point, kill := p.turn(); point {
				case beforeCommit:
					kill()
					return
				case afterCommit:
					mu.Lock()
					waiting = true
					mu.Unlock()
					if _, err := server.Write(message); err != nil {
						return
					}
					<-answered
					kill()
					return
				}
			}
			if _, err := server.Write(message); err != nil {
				return
			}
		}
	})
	both.Wait()
}

// readMessage reads one message of a client, as its bytes. The first has no type.
func readMessage(r io.Reader, first bool) ([]byte, error) {
	at := 1
	if first {
		at = 0
	}
	head := make([]byte, at+4)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	message := make([]byte, at+int(binary.BigEndian.Uint32(head[at:])))
	copy(message, head)
	_, err := io.ReadFull(r, message[len(head):])
	return message, err
}
