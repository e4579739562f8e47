package fault_test

import (
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands where the charter says that a host is, and passes bytes on. It
// can do to them what a network does, TLS or not.
type proxy struct {
	home string // where the host is
	wg   sync.WaitGroup

	mu    sync.Mutex // guards all below
	to    string     // where bytes go: home, or somebody between
	plan  trouble
	done  bool // the trouble has happened
	pass  int  // bytes that have passed, both ways
	conns map[net.Conn]bool
}

// trouble is one thing that happens to a network, once.
type trouble struct {
	after int // bytes that have passed
	kind  string
	how   func() // also called when it happens
}

// The kinds of trouble.
const (
	cut      = "cut"      // every connection ends, in the middle of what it carries
	truncate = "truncate" // one connection loses its rest: what was on the way never comes, then it ends
	hold     = "hold"     // what is on the way waits; what comes later on other connections overtakes it
	silence  = "silence"  // on one connection nothing comes any more, and it ends only later
)

func newProxy(t testing.TB, at, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", at)
	check(t, err)
	p := &proxy{home: to, to: to, conns: make(map[net.Conn]bool)}
	p.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.carry(conn) })
		}
	})
	t.Cleanup(func() {
		check(t, l.Close())
		p.cut()
		p.wg.Wait()
	})
	return p
}

// expect sets what will happen, from now on.
func (p *proxy) expect(plan trouble) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.done, p.pass = plan, plan.kind == "", 0
}

// lead sends what comes from now on somewhere else.
func (p *proxy) lead(to string) {
	p.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

// passed returns how many bytes have passed, and whether the trouble was had.
func (p *proxy) passed() (int, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pass, p.done
}

func (p *proxy) carry(client net.Conn) {
	defer p.forget(client)
	p.remember(client)
	p.mu.Lock()
	to := p.to
	p.mu.Unlock()
	host, err := net.Dial("tcp", to)
	if err != nil {
		return // refused: the host is not there
	}
	defer p.forget(host)
	p.remember(host)
	var both sync.WaitGroup
	both.Go(func() { p.copy(host, client) })
	both.Go(func() { p.copy(client, host) })
	both.Wait()
}

func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !p.let(n) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// let returns whether n bytes may go on to where they are going.
func (p *proxy) let(n int) bool {
	p.mu.Lock()
	p.pass += n
	happens := !p.done && p.pass > p.plan.after
	plan := p.plan
	if happens {
		p.done = true
	}
	p.mu.Unlock()
	if !happens {
		return true
	}
	if plan.how != nil {
		plan.how()
	}
	switch plan.kind {
	case cut:
		p.cut()
		return false
	case truncate:
		return false
	case hold:
		time.Sleep(700 * time.Millisecond)
	case silence:
		time.Sleep(1500 * time.Millisecond)
		return false
	}
	return true
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) remember(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
}

func (p *proxy) forget(c net.Conn) {
	if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}
