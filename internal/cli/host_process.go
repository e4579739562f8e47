package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"muster/dap"
	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/process"
)

// maxRestarts is how often a host that ended by itself is started again. More
// would hide a defect.
const maxRestarts = 3

// startTime is how long a host may take until it serves.
const startTime = 60 * time.Second

// hostProcess is a host of a rehearsal as a process. One that ends although
// nobody stopped it is started again, as an operator's machine would do it, and
// goes on with what its database holds.
type hostProcess struct {
	program string
	role    dap.Role
	dir     string
	log     string      // the file of what it says
	broken  func(error) // called when it is no more although nobody stopped it
	watched sync.WaitGroup

	mu       sync.Mutex // guards what follows
	now      func() time.Time
	child    *process.Child
	stopping bool
	restarts int
}

func newHostProcess(program, dir string, role dap.Role, broken func(error)) *hostProcess {
	name := strings.ToLower(roleName(role))
	return &hostProcess{program: program, role: role, dir: filepath.Join(dir, name), log: filepath.Join(dir, name+".log"), broken: broken}
}

func (h *hostProcess) path(name string) string { return filepath.Join(h.dir, name) }

// errTaken says that another program was faster with the address of a host: with
// another one the rehearsal can begin anew.
var errTaken = errors.New("the address of a host is taken")

// start starts the host and waits until it serves.
func (h *hostProcess) start(ctx context.Context, now func() time.Time) error {
	h.mu.Lock()
	h.now, h.stopping, h.restarts = now, false, 0
	h.mu.Unlock()
	child, err := h.run(ctx)
	if err != nil {
		return err
	}
	h.watched.Go(func() { h.watch(child) }) // ends when the host is stopped or broken
	return nil
}

// run starts the process and waits until it serves. One that is killed meanwhile
// is started again; one that says why it does not serve is not.
func (h *hostProcess) run(ctx context.Context) (*process.Child, error) {
	for {
		child, err := h.begin()
		if err != nil {
			return nil, err
		}
		if _, err = h.await(ctx, child); err == nil {
			return child, nil
		}
		_ = child.Stop() // how it ended is in err
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		said := h.refusal()
		if strings.Contains(said, addressTaken) {
			err = errors.Join(errTaken, err)
		}
		if said != "" || !h.again() {
			return nil, h.ended("does not serve", err)
		}
	}
}

// begin starts the process.
func (h *hostProcess) begin() (*process.Child, error) {
	log, err := os.OpenFile(h.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of a host: %w", err)
	}
	defer log.Close() // the child has its own
	child, err := process.Start(process.Config{
		Path: h.program, Args: []string{"host", "serve", "--config", h.path(config.HostFile), "--rehearsal"}, Log: log,
	})
	if err != nil {
		return nil, noProcess(err)
	}
	h.mu.Lock()
	h.child = child
	h.mu.Unlock()
	return child, nil
}

// await sets the clock of a process and waits until it serves.
func (h *hostProcess) await(ctx context.Context, child *process.Child) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("it did not serve within %v", startTime))
	defer cancel()
	if err := h.setClock(); err != nil {
		return "", err
	}
	if h.isStopping() { // since it was started
		return "", errors.New("it was stopped")
	}
	return child.Ready(ctx)
}

// again reports whether the host may be started once more, and counts.
func (h *hostProcess) again() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.restarts++
	return !h.stopping && h.restarts <= maxRestarts
}

func (h *hostProcess) isStopping() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.stopping
}

// ended returns the error of a host that is no more, with what it said of it.
func (h *hostProcess) ended(what string, cause error) error {
	why := h.refusal()
	if why == "" {
		why = cause.Error()
	}
	return errs.Wrap(cause, errs.Unavailable, fmt.Sprintf("the process of the %s %s: %s", roleName(h.role), what, why), inProcessHint)
}

// refusal returns the error that the host said last, or nothing.
func (h *hostProcess) refusal() string {
	body, err := os.ReadFile(h.log)
	if err != nil {
		return ""
	}
	said := ""
	for line := range strings.Lines(string(body)) {
		if words, ok := strings.CutPrefix(line, "muster: error: "); ok {
			said = strings.TrimSpace(words)
		}
	}
	return said
}

// watch starts the host again whenever it ends, until it is stopped.
func (h *hostProcess) watch(child *process.Child) {
	for {
		<-child.Ended()
		if h.isStopping() {
			return
		}
		_ = child.Stop() // closes its input; how it ended is asked below
		err := h.ended("ended", fmt.Errorf("%v, and nobody stopped it", child.Err()))
		if h.again() {
			if child, err = h.run(context.Background()); err == nil {
				continue
			}
		}
		if !h.isStopping() {
			h.broken(err)
		}
		return
	}
}

// setClock sets the clock of the host to what it is in the rehearsal. A host that
// is being started again is told then.
func (h *hostProcess) setClock() error {
	h.mu.Lock()
	child, now := h.child, h.now
	h.mu.Unlock()
	if err := child.Send(now().Format(time.RFC3339Nano)); err != nil {
		select {
		case <-child.Ended():
			return nil
		case <-time.After(time.Second):
			return fmt.Errorf("set the clock of the %s: %w", roleName(h.role), err)
		}
	}
	return nil
}

// record returns what the host entered in its record.
func (h *hostProcess) record(ctx context.Context) ([]byte, error) {
	body, _, err := readRecord(ctx, h.dir)
	return body, err
}

// stop stops the host and waits for it.
func (h *hostProcess) stop() error {
	h.mu.Lock()
	child := h.child
	h.stopping = true
	h.mu.Unlock()
	if child == nil {
		return nil
	}
	err := child.Stop()
	h.watched.Wait()
	return err
}
