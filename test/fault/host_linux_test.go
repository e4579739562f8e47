package fault_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// host is muster host serve as a supervisor keeps it: what ends by itself is
// started again.
type host struct {
	w    *world
	name string
	wg   sync.WaitGroup

	mu       sync.Mutex // guards all below
	cmd      *exec.Cmd
	plan     string   // of its death, for the next start alone
	under    []string // a command that runs the host, for the next start alone
	deaths   int      // by SIGKILL
	other    []string
	stopping bool
}

// serve starts a host, which dies as planned, once.
func (w *world) serve(name, plan string) *host {
	w.t.Helper()
	h := &host{w: w, name: name, plan: plan, under: w.under[name]}
	w.serving.Store(name, h)
	h.wg.Go(h.supervise)
	w.t.Cleanup(func() { _ = h.stop() })
	h.await(w.t)
	return h
}

func (h *host) supervise() {
	for {
		h.mu.Lock()
		if h.stopping {
			h.mu.Unlock()
			return
		}
		args := append(h.under, os.Args[0], "host", "serve", "--config", filepath.Join(h.w.dir, h.name, "host.yaml"))
		h.under = nil
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = h.w.env(h.name, h.plan)
		h.plan = ""
		in, follow, err := os.Pipe() // the host ends when this process does
		if err != nil {
			h.other = append(h.other, err.Error())
			h.mu.Unlock()
			return
		}
		cmd.Stdin, cmd.Env = in, append(cmd.Env, followVariable+"=1")
		log, err := os.OpenFile(h.log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			cmd.Stdout, cmd.Stderr = log, log
			err = cmd.Start()
			log.Close() // the child has it
		}
		in.Close() // the child has it
		h.cmd = cmd
		h.mu.Unlock()
		if err == nil {
			err = cmd.Wait()
		}
		follow.Close()
		h.mu.Lock()
		exit, _ := errors.AsType[*exec.ExitError](err)
		switch {
		case exit != nil && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
			h.deaths++
		case !h.stopping:
			h.other = append(h.other, fmt.Sprint(err))
		}
		h.mu.Unlock()
		time.Sleep(30 * time.Millisecond)
	}
}

// died returns how often the host was killed.
func (h *host) died() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.deaths
}

func (h *host) log() string { return filepath.Join(h.w.dir, h.name+".log") }

// logged returns what the host has said.
func (h *host) logged() string {
	body, _ := os.ReadFile(h.log())
	return string(body)
}

// await waits until the host is there.
func (h *host) await(t testing.TB) {
	t.Helper()
	for range 2000 {
		conn, err := net.Dial("tcp", h.w.proxies[h.name].home)
		if err == nil {
			conn.Close()
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s does not serve:\n%s", h.name, h.logged())
}

// pid is the process that serves now.
func (h *host) pid() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.cmd.Process.Pid
}

// kill kills the process of a host, which may still be on its way to be served:
// then it is not in hosts yet. It is started again.
func (w *world) kill(name string) {
	if h, ok := w.serving.Load(name); ok {
		h.(*host).kill()
	}
}

// kill kills the process; it is started again.
func (h *host) kill() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cmd != nil && h.cmd.Process != nil {
		_ = h.cmd.Process.Kill()
	}
}

// stop ends the host in order, and returns why it ever ended otherwise than by a kill.
func (h *host) stop() error {
	h.mu.Lock()
	h.stopping = true
	if h.cmd != nil && h.cmd.Process != nil {
		_ = h.cmd.Process.Signal(syscall.SIGTERM)
	}
	h.mu.Unlock()
	h.wg.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.other) > 0 {
		return fmt.Errorf("%s ended by itself: %s", h.name, strings.Join(h.other, "; "))
	}
	return nil
}
