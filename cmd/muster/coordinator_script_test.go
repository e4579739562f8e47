package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/account/accounttest"
	"muster/internal/keys"
	"muster/internal/mail/mailtest"
)

// scriptTB lets helpers that want a test be used by a story.
type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
}

func (t scriptTB) Helper()                           {}
func (t scriptTB) Fatal(args ...any)                 { t.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (t scriptTB) Fatalf(format string, args ...any) { t.ts.Fatalf(format, args...) }

// coordinators are the coordinators and browsers of all stories.
type coordinators struct {
	mu       sync.Mutex
	serving  map[string]*servedYear   // by folder; guarded by mu
	browsers map[string]*storyBrowser // by work folder and name; guarded by mu
}

// servedYear is a coordinator that serves.
type servedYear struct {
	cmd  *exec.Cmd
	stop context.CancelFunc
	done chan error
}

// coordinatorCommands are what stories of a coordinator use.
func coordinatorCommands() map[string]func(*testscript.TestScript, bool, []string) {
	c := &coordinators{serving: make(map[string]*servedYear), browsers: make(map[string]*storyBrowser)}
	return map[string]func(*testscript.TestScript, bool, []string){
		"sited": cmdSited, "serves": c.serves, "halts": c.halts, "joins": c.joins, "visits": c.visits, "sends": c.sends, "hears": c.hears, "barred": c.barred, "enrolledkeys": cmdEnrolledKeys, "refers": cmdRefers, "delivered": cmdDelivered, "mailed": cmdMailed,
	}
}

// cmdSited makes a coordinator's folder with a configuration for this machine, and a
// certificate.
func cmdSited(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "sited DIR DAY")
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	cmdCertificate(ts, false, []string{args[0], "localhost", args[1]})
	address := freePort(ts)
	_, port, err := net.SplitHostPort(address)
	ts.Check(err)
	ts.Setenv("SITE", "https://localhost:"+port)
	text := fmt.Sprintf("format: muster-coordinator/1\nurl: %s\nlisten: %q\noperations: \"127.0.0.1:0\"\ntls: {certificate: tls.crt, key: tls.key}\n", ts.Getenv("SITE"), address)
	ts.Check(os.WriteFile(filepath.Join(dir, "coordinator.yaml"), []byte(text), 0o600))
}

// cmdMailed adds a mail server of the story to a configuration; what it takes is in the
// file letters.txt after each letter.
func cmdMailed(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "mailed DIR")
	server, end, err := mailtest.Start(mailtest.Config{})
	ts.Check(err)
	path := ts.MkAbs("letters.txt")
	stop := make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		for written := 0; ; {
			if letters := server.Letters(); len(letters) > written {
				var b strings.Builder
				for _, l := range letters {
					fmt.Fprintf(&b, "to %s\n%s\n", l.To, l.Body)
				}
				if os.WriteFile(path+".new", []byte(b.String()), 0o600) == nil && os.Rename(path+".new", path) == nil {
					written = len(letters)
				}
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	ts.Defer(func() { close(stop); wait.Wait(); end() })
	dir := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(filepath.Join(dir, "ca.pem"), server.PEM, 0o600))
	ts.Check(os.WriteFile(filepath.Join(dir, "mail.secret"), []byte("hush\n"), 0o600))
	f, err := os.OpenFile(filepath.Join(dir, "coordinator.yaml"), os.O_APPEND|os.O_WRONLY, 0)
	ts.Check(err)
	_, err = fmt.Fprintf(f, "mail: {server: %q, from: year@lights.example, user: year, password_file: mail.secret, authorities: ca.pem}\n", server.Address)
	ts.Check(err)
	ts.Check(f.Close())
}

// serves starts a coordinator and waits until it says its address. It goes on until
// halts, or to the story's end.
func (c *coordinators) serves(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "serves DIR")
	dir := ts.MkAbs(args[0])
	program, err := lookIn(ts.Getenv("PATH"), "muster")
	ts.Check(err)
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "coordinator", "serve", "--config", filepath.Join(dir, "coordinator.yaml"))
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), clockVariable + "=" + ts.Getenv(clockVariable)}
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	log, err := os.Create(dir + ".log")
	ts.Check(err)
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	s := &servedYear{cmd: cmd, stop: stop, done: make(chan error, 1)}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		stop()
		_ = cmd.Wait()
		ts.Fatalf("it does not serve: %s", ts.ReadFile(dir+".log"))
	}
	go func() { s.done <- cmd.Wait(); _ = log.Close() }() // waited for by halt
	c.mu.Lock()
	c.serving[dir] = s
	c.mu.Unlock()
	ts.Defer(func() { c.halt(dir) })
}

// halts stops a coordinator, which has to end by itself and well.
func (c *coordinators) halts(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "halts DIR")
	dir := ts.MkAbs(args[0])
	ts.Check(c.halt(dir))
	if log := ts.ReadFile(dir + ".log"); strings.Contains(log, "level=ERROR") || strings.Contains(log, "invitation=") {
		ts.Fatalf("the log: %s", log)
	}
}

func (c *coordinators) halt(dir string) error {
	c.mu.Lock()
	s := c.serving[dir]
	delete(c.serving, dir)
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		s.stop()
		<-s.done
		return err
	}
	err := <-s.done
	s.stop()
	return err
}

// storyBrowser is a person's browser with her passkey.
type storyBrowser struct {
	client *http.Client
	origin string
	device *accounttest.Authenticator
}

func (c *coordinators) browser(ts *testscript.TestScript, name string) *storyBrowser {
	c.mu.Lock()
	b := c.browsers[ts.Getenv("WORK")+" "+name]
	c.mu.Unlock()
	if b == nil {
		ts.Fatalf("%s has not joined", name)
	}
	return b
}

// joins takes the invitation that a command has just printed.
func (c *coordinators) joins(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "joins NAME DIR")
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(ts.ReadFile(filepath.Join(args[1], "tls.crt"))))
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	origin := ts.Getenv("SITE")
	b := &storyBrowser{
		origin: origin, device: accounttest.New(origin, rand.Reader),
		client: &http.Client{
			Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}},
		},
	}
	if status, _, body := b.do(ts, "GET", strings.TrimPrefix(strings.TrimSpace(ts.ReadFile("stdout")), origin), nil); status != http.StatusSeeOther {
		ts.Fatalf("the invitation: %d %s", status, body)
	}
	b.ceremony(ts, "/account/en/join/", b.device.Create, url.Values{"name": {"the phone"}})
	c.mu.Lock()
	c.browsers[ts.Getenv("WORK")+" "+args[0]] = b
	c.mu.Unlock()
}

// do makes a request as the pages' own would be.
func (b *storyBrowser) do(ts *testscript.TestScript, method, path string, form url.Values) (status int, location, body string) {
	r, err := http.NewRequest(method, b.origin+path, strings.NewReader(form.Encode()))
	ts.Check(err)
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.origin)
		if strings.HasSuffix(path, "/begin") || strings.HasSuffix(path, "/finish") {
			r.Header.Set("Accept", "application/json")
		}
	}
	response, err := b.client.Do(r)
	ts.Check(err)
	raw, err := io.ReadAll(response.Body)
	ts.Check(err)
	ts.Check(response.Body.Close())
	return response.StatusCode, response.Header.Get("Location"), string(raw)
}

// ceremony does what a script does with a passkey.
func (b *storyBrowser) ceremony(ts *testscript.TestScript, path string, answer func(testing.TB, json.RawMessage) []byte, more url.Values) {
	var begun struct {
		Flow    string
		Options json.RawMessage
	}
	status, _, body := b.do(ts, "POST", path+"begin", url.Values{})
	if status != http.StatusOK || json.Unmarshal([]byte(body), &begun) != nil {
		ts.Fatalf("%sbegin: %d %s", path, status, body)
	}
	form := url.Values{"flow": {begun.Flow}, "response": {string(answer(scriptTB{ts: ts}, begun.Options))}}
	for name, values := range more {
		form[name] = values
	}
	if status, _, body := b.do(ts, "POST", path+"finish", form); status != http.StatusOK {
		ts.Fatalf("%sfinish: %d %s", path, status, body)
	}
}

// barred tries to sign in with a passkey that is good no more.
func (c *coordinators) barred(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "barred NAME")
	b := c.browser(ts, args[0])
	if status, location, _ := b.do(ts, "GET", "/en/", nil); status != http.StatusSeeOther || !strings.Contains(location, "/sign-in") {
		ts.Fatalf("%s is still in: %d", args[0], status)
	}
	var begun struct {
		Flow    string
		Options json.RawMessage
	}
	_, _, body := b.do(ts, "POST", "/account/en/sign-in/begin", url.Values{})
	ts.Check(json.Unmarshal([]byte(body), &begun))
	form := url.Values{"flow": {begun.Flow}, "response": {string(b.device.Get(scriptTB{ts: ts}, begun.Options))}}
	if status, _, body := b.do(ts, "POST", "/account/en/sign-in/finish", form); status != http.StatusForbidden {
		ts.Fatalf("%s is let in: %d %s", args[0], status, body)
	}
}

// as does a request, and signs in before it where the session has ended meanwhile.
func (b *storyBrowser) as(ts *testscript.TestScript, method, path string, form url.Values) (status int, location, body string) {
	if status, location, _ := b.do(ts, "GET", "/en/", nil); status == http.StatusSeeOther && strings.Contains(location, "/sign-in") {
		b.ceremony(ts, "/account/en/sign-in/", b.device.Get, nil)
	}
	return b.do(ts, method, path, form)
}

// visits writes a page to page.html. It has the status 200, or that which is given.
func (c *coordinators) visits(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2 || len(args) == 3, "visits NAME PATH [STATUS]")
	want := "200"
	if len(args) == 3 {
		want = args[2]
	}
	status, _, body := c.browser(ts, args[0]).as(ts, "GET", args[1], nil)
	ts.Check(os.WriteFile(ts.MkAbs("page.html"), []byte(body), 0o600))
	if fmt.Sprint(status) != want {
		ts.Fatalf("%s: %d, want %s\n%s", args[1], status, want, body)
	}
}

// sends sends a form, which is kept, or refused with the status that is given as
// status=CODE.
func (c *coordinators) sends(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "sends NAME PATH [FIELD=VALUE...]")
	form, want := make(url.Values), "303"
	for _, arg := range args[2:] {
		name, value, _ := strings.Cut(arg, "=")
		if name == "code" {
			want = value
			continue
		}
		form.Set(name, value)
	}
	status, _, body := c.browser(ts, args[0]).as(ts, "POST", args[1], form)
	ts.Check(os.WriteFile(ts.MkAbs("page.html"), []byte(body), 0o600))
	if fmt.Sprint(status) != want {
		ts.Fatalf("%s: %d, want %s\n%s", args[1], status, want, body)
	}
}

// hears approves requests for keys from a number on, one for each row of a file of
// members, with the words that each member reads out.
func (c *coordinators) hears(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "hears NAME MEMBERS FIRST")
	var first int
	_, err := fmt.Sscan(args[2], &first)
	ts.Check(err)
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[1]))).ReadAll()
	ts.Check(err)
	b := c.browser(ts, args[0])
	for i, row := range rows[1:] {
		words := strings.Join(keys.WordLines(keys.Public(row[1]).Digest()), "\n")
		if status, _, body := b.as(ts, "POST", fmt.Sprintf("/en/request/%d/approve", first+i), url.Values{"words": {words}}); status != http.StatusSeeOther {
			ts.Fatalf("%s: %d %s", row[0], status, body)
		}
	}
}

// cmdEnrolledKeys writes the members of a charter with their keys, as they sent them.
func cmdEnrolledKeys(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "enrolledkeys CHARTER FILE")
	var charter struct {
		Cohorts []struct {
			Members []struct {
				ID  string `json:"id"`
				Key string `json:"key"`
			} `json:"members"`
		} `json:"cohorts"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &charter))
	var b strings.Builder
	w := csv.NewWriter(&b)
	ts.Check(w.Write([]string{"member", "key"}))
	for _, cohort := range charter.Cohorts {
		for _, m := range cohort.Members {
			ts.Check(w.Write([]string{m.ID, m.Key}))
		}
	}
	w.Flush()
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(b.String()), 0o600))
}
