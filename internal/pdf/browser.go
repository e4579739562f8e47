package pdf

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// browser is a Chromium that listens to a pipe: messages of its DevTools protocol, each
// ended by a zero byte.
type browser struct {
	cmd    *exec.Cmd
	to     io.WriteCloser // requests
	from   io.ReadCloser  // answers and events
	said   *tail          // on its error output
	ended  chan struct{}  // closed when it has ended
	status error          // of its end; read after ended
	read   chan struct{}  // closed when nothing more comes

	mu      sync.Mutex
	next    int                  // guarded by mu: the id of the last request
	waiting map[int]chan message // guarded by mu: who waits for which answer
	broken  error                // guarded by mu: why nothing more comes
	refused []string             // guarded by mu: addresses that were asked for
}

// message is a request, an answer or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// maxMessage is how long an answer may be: a print of a hundred pages has some MB.
const maxMessage = 256 << 20

// arguments are what the browser is started with: no window, no network, nothing that
// it does of its own accord, and nothing kept.
func arguments(folder string) []string {
	args := []string{
		"--headless", "--user-data-dir=" + filepath.Join(folder, "profile"), "--disk-cache-dir=" + filepath.Join(folder, "cache"),
		"--remote-debugging-pipe", "--no-first-run", "--no-default-browser-check", "--disable-gpu", "--disable-quic",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps",
		"--disable-breakpad", "--disable-crash-reporter", "--disable-client-side-phishing-detection", "--disable-domain-reliability",
		"--metrics-recording-only", "--no-pings", "--password-store=basic", "--use-mock-keychain", "--disable-features=OptimizationHints,MediaRouter,Translate",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://0.0.0.0:1", "--proxy-bypass-list=<-loopback>", "--disk-cache-size=1", "--media-cache-size=1",
	}
	if privileged() { // it refuses its sandbox to who is allowed everything anyway
		args = append(args, "--no-sandbox")
	}
	return args
}

// environment is the environment of this process with every folder for settings, caches
// and temporary files inside one, in which the browser starts. A socket lies among the
// temporary files, and the name of a socket is short (108 bytes on Linux): so that
// folder is named from where the browser starts, where the system lets it.
func environment(folder string) []string {
	const within = "HOME TMPDIR TMP TEMP XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_STATE_HOME XDG_RUNTIME_DIR BREAKPAD_DUMP_LOCATION"
	names := strings.Fields(within)
	env := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		name = strings.ToUpper(name)
		return slices.Contains(names, name) || strings.HasSuffix(name, "_PROXY") || name == "DBUS_SESSION_BUS_ADDRESS" || name == "DISPLAY" || name == "WAYLAND_DISPLAY"
	})
	for _, name := range names {
		if name == "TMPDIR" && runtime.GOOS != "windows" {
			env = append(env, "TMPDIR=.")
			continue
		}
		env = append(env, name+"="+folder)
	}
	return append(env, "DBUS_SESSION_BUS_ADDRESS=disabled:")
}

// start starts a browser. It ends with ctx.
func start(ctx context.Context, program, folder string) (*browser, error) {
	// Absolute, because the browser is told its folders by name.
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	theirIn, to, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	from, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, theirIn.Close(), to.Close())
	}
	b := &browser{to: to, from: from, said: &tail{}, ended: make(chan struct{}), read: make(chan struct{}), waiting: make(map[int]chan message)}
	b.cmd = exec.CommandContext(ctx, program, arguments(folder)...)
	b.cmd.Env, b.cmd.Dir, b.cmd.Stderr = environment(folder), folder, b.said
	b.cmd.WaitDelay = 5 * time.Second // its children may hold its error output
	inherit(b.cmd, theirIn, theirOut)
	err = b.cmd.Start()
	closed := errors.Join(theirIn.Close(), theirOut.Close())
	if err = errors.Join(err, closed); err != nil {
		return nil, errors.Join(err, to.Close(), from.Close())
	}
	go func() { // ends with the program
		b.status = b.cmd.Wait()
		close(b.ended)
	}()
	go func() { // ends with the pipe, and that with the program
		b.receive()
		close(b.read)
	}()
	return b, nil
}

// end ends the browser and waits for it and for whoever reads from it.
func (b *browser) end() error {
	b.send("", "Browser.close", nil)
	select {
	case <-b.ended:
	case <-time.After(10 * time.Second):
		_ = b.cmd.Process.Kill() // it has had its time
		<-b.ended
	}
	err := errors.Join(b.to.Close(), b.from.Close())
	<-b.read
	if b.status != nil {
		err = errors.Join(fmt.Errorf("%w: %s", b.status, b.said), err)
	}
	return err
}

// receive hands out what the browser says until it says nothing more.
func (b *browser) receive() {
	lines := bufio.NewScanner(b.from)
	lines.Buffer(nil, maxMessage)
	lines.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		if i := bytes.IndexByte(data, 0); i >= 0 {
			return i + 1, data[:i], nil
		}
		return 0, nil, nil
	})
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			continue // no message of the protocol
		}
		if m.ID == 0 {
			if m.Method == "Fetch.requestPaused" {
				b.refuse(m.Session, m.Params)
			}
			continue
		}
		b.mu.Lock()
		to := b.waiting[m.ID]
		delete(b.waiting, m.ID)
		b.mu.Unlock()
		if to != nil {
			to <- m
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = errors.Join(errors.New("the browser has ended"), lines.Err())
	for _, to := range b.waiting {
		close(to)
	}
	b.waiting = nil
}

// send sends a request whose answer nobody waits for.
func (b *browser) send(session, method string, params any) {
	_, _ = b.request(session, method, params, nil)
}

// request sends a request; its answer goes to the channel, unless that is nil.
func (b *browser) request(session, method string, params any, answer chan message) (int, error) {
	raw := json.RawMessage("{}")
	if params != nil {
		var err error
		if raw, err = json.Marshal(params); err != nil {
			return 0, err
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock() // requests are written one after the other
	if b.broken != nil {
		return 0, b.broken
	}
	b.next++
	if answer != nil {
		b.waiting[b.next] = answer
	}
	body, err := json.Marshal(message{ID: b.next, Session: session, Method: method, Params: raw})
	if err != nil {
		return 0, err
	}
	if _, err := b.to.Write(append(body, 0)); err != nil {
		delete(b.waiting, b.next)
		return 0, err
	}
	return b.next, nil
}

// call sends a request and reads its answer into result, unless that is nil.
func (b *browser) call(ctx context.Context, session, method string, params, result any) error {
	answer := make(chan message, 1)
	if _, err := b.request(session, method, params, answer); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	case m, ok := <-answer:
		switch {
		case !ok:
			return fmt.Errorf("%s: the browser has ended", method)
		case m.Error != nil:
			return fmt.Errorf("%s: the browser says %q", method, m.Error.Message)
		case result == nil:
			return nil
		}
		if err := json.Unmarshal(m.Result, result); err != nil {
			return fmt.Errorf("%s: its answer: %w", method, err)
		}
		return nil
	}
}

// tail keeps the end of what is written to it. It may be written to by one goroutine
// and read after that has ended.
type tail struct{ b []byte }

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if n := len(t.b) - tailSize; n > 0 {
		t.b = append(t.b[:0], t.b[n:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(bytes.TrimSpace(t.b)) }
