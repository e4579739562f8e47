package workspace_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/account/accounttest"
	"muster/internal/assess"
	"muster/internal/web"
	webaccount "muster/internal/web/account"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/internal/workspace/workspacetest"
)

// team is a workspace that is served to several over TLS, as the command does it.
type team struct {
	*site
	people *account.Service
	origin string
	roots  *x509.CertPool

	mu  sync.Mutex
	log bytes.Buffer // guarded by mu
}

// Write keeps what is logged.
func (m *team) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.Write(b)
}

func serveTeam(t testing.TB, s *site) *team {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	m := &team{site: s, origin: "https://localhost:" + port, roots: x509.NewCertPool()}
	certificate := localhost(t, m.roots)
	log := slog.New(slog.NewTextHandler(m, &slog.HandlerOptions{Level: slog.LevelDebug}))
	m.people, err = account.New(account.Config{
		Store: s.DB.Accounts(), Now: time.Now, Rand: rand.Reader, Roles: workspace.AccountRoles(), Site: account.Site{Name: "Ostmere", Host: "localhost", Origin: m.origin},
	})
	if err != nil {
		t.Fatal(err)
	}
	doors, err := webaccount.New(webaccount.Config{
		Accounts: m.people, Lengths: account.Lengths{Idle: 30 * time.Minute, Longest: 12 * time.Hour}, Brand: "Ostmere", Now: time.Now, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Config{
		Service: s.Service, Now: time.Now, Rand: rand.Reader, Log: log, Team: doors,
		Person: func(r *http.Request) workspace.Person {
			p, _ := webaccount.PersonOf(r.Context())
			return workspace.PersonOf(p)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- web.ServeTLS(ctx, l, certificate, web.Connections, web.Site(m.origin, doors.Guard(pages.Handler())))
	}() // waited for below
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		pages.Close()
	})
	return m
}

// localhost returns a certificate for this machine, which roots trust.
func localhost(t testing.TB, roots *x509.CertPool) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// colleague is somebody in a browser of her own.
type colleague struct {
	*http.Client
	team *team
	name string
}

// join lets somebody in, over the network.
func (m *team) join(t testing.TB, name string, grants ...account.Grant) *colleague {
	t.Helper()
	token, err := m.people.Invite(t.Context(), m.Lead.Name, account.Invitee{Name: name, Grants: grants})
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &colleague{team: m, name: name, Client: &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: m.roots}, ForceAttemptHTTP2: true}, Timeout: 30 * time.Second}}
	if status, body := c.get(t, "/account/en/join?invitation="+token); status != http.StatusOK || !strings.Contains(body, "Welcome, "+name) {
		t.Fatalf("the invitation: %d\n%s", status, body)
	}
	var ceremony account.Ceremony
	c.send(t, "/account/en/join/begin", nil, http.StatusOK, &ceremony)
	device := accounttest.New(m.origin, rand.Reader)
	c.send(t, "/account/en/join/finish", url.Values{"flow": {ceremony.Flow}, "name": {"laptop"}, "response": {string(device.Create(t, ceremony.Options))}}, http.StatusOK, &struct{}{})
	return c
}

func (c *colleague) get(t testing.TB, path string) (int, string) {
	t.Helper()
	response, err := c.Get(c.team.origin + path)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(body)
}

// send posts a form as the script does and reads what it is told. 0 is any status.
func (c *colleague) send(t testing.TB, path string, form url.Values, want int, told any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.team.origin+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Origin", c.team.origin)
	response, err := c.Do(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	if want != 0 && response.StatusCode != want {
		t.Errorf("POST %s by %s: %d, want %d\n%s", path, c.name, response.StatusCode, want, body)
	} else if err := json.Unmarshal(body, told); err != nil {
		t.Errorf("POST %s: %v\n%s", path, err, body)
	}
	return response.StatusCode
}

// Twenty people save at the same time, over TLS, the same answers and their own:
// everything that was acknowledged is in the history, once, with who it was.
func TestTwentySaveAtOnce(t *testing.T) {
	t.Parallel()
	const (
		people = 20
		saves  = 12
	)
	s := newSite(t, workspacetest.Pack(t, 12, "kept"))
	var bodies []string
	for i := range people / 2 {
		id := fmt.Sprintf("body-%02d", i)
		bodies = append(bodies, id)
		if _, err := s.PutBody(t.Context(), s.Lead, 0, assess.Body{ID: id, Name: "Body " + id}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.PutSection(t.Context(), s.Lead, s.survey, 0, workspace.Section{ID: "all", Title: "All", Bodies: bodies}); err != nil {
		t.Fatal(err)
	}
	m := serveTeam(t, s)
	all := make([]*colleague, people)
	for i := range all {
		name := fmt.Sprintf("Colleague %02d", i)
		if i < people/2 {
			all[i] = m.join(t, name, account.Grant{Role: "contributor", Of: []string{bodies[i]}})
		} else {
			all[i] = m.join(t, name, account.Grant{Role: "lead"})
		}
	}
	type acknowledged struct {
		by, place, note string
	}
	var (
		mu     sync.Mutex
		kept   []acknowledged
		took   []time.Duration
		merged int
		done   sync.WaitGroup
	)
	for i, c := range all {
		done.Go(func() {
			rev := "0"
			for n := range saves {
				note := fmt.Sprintf("%s said %d", c.name, n)
				path, place := base+"outcome/A1.1", "entry" // all leads write to the same answer
				if i < people/2 {
					path, place = base+"part/outcome/A1.2/"+bodies[i], bodies[i]
				}
				for {
					var told struct{ Rev int64 }
					start := time.Now()
					status := c.send(t, path, url.Values{"rev": {rev}, "level": {"2"}, "note": {note}}, 0, &told)
					mu.Lock()
					took = append(took, time.Since(start))
					if status == http.StatusOK {
						kept = append(kept, acknowledged{c.name, place, note})
					} else {
						merged++
					}
					mu.Unlock()
					rev = fmt.Sprint(told.Rev)
					if status == http.StatusOK {
						break
					}
					if status != http.StatusConflict {
						t.Errorf("%s: %d", c.name, status)
						return
					}
				}
			}
		})
	}
	done.Wait()
	if len(kept) != people*saves {
		t.Errorf("%d saves were acknowledged, want %d", len(kept), people*saves)
	}
	found := make(map[acknowledged]int)
	history, err := s.History(t.Context(), s.Lead, s.survey, "A1.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, saved := range history {
		found[acknowledged{saved.By, "entry", saved.Entry.Note}]++
	}
	for _, body := range bodies {
		history, err := s.ContributionHistory(t.Context(), s.Lead, s.survey, "A1.2", body)
		if err != nil {
			t.Fatal(err)
		}
		for _, saved := range history {
			found[acknowledged{saved.By, body, saved.Note}]++
		}
	}
	for _, k := range kept {
		if found[k] != 1 {
			t.Errorf("%v is %d times in the history", k, found[k])
		}
	}
	if len(found) != len(kept) {
		t.Errorf("the history has %d saves, and %d were acknowledged", len(found), len(kept))
	}
	slices.Sort(took)
	t.Logf("%d people, %d saves acknowledged, %d clashes decided; median %v, 95 of 100 within %v, with all of them on this machine",
		people, len(kept), merged, took[len(took)/2].Round(100*time.Microsecond), took[len(took)*95/100].Round(100*time.Microsecond))
}

// Nothing of what people write, and no token, is in the log or in an answer to who
// may not see it; and what is older than TLS 1.3 is not spoken.
func TestTeamOverTLS(t *testing.T) {
	t.Parallel()
	s := shared(t)
	m := serveTeam(t, s)
	cara := m.join(t, "Cara Contributor", account.Grant{Role: "contributor", Of: []string{"port"}})
	lena := m.join(t, "Lena Lead", account.Grant{Role: "lead"})
	if status, body := cara.get(t, "/en/"); status != http.StatusOK || !strings.Contains(body, "Welcome, Cara Contributor") {
		t.Errorf("her home: %d", status)
	}
	const canary = "a note that no log may hold"
	cara.send(t, base+"part/outcome/A1.2/port", url.Values{"rev": {"0"}, "level": {"2"}, "note": {canary}}, http.StatusOK, &struct{}{})
	cara.send(t, base+"part/outcome/A1.2/grid", url.Values{"rev": {"0"}, "level": {"2"}, "note": {canary}}, http.StatusForbidden, &struct{}{})
	cara.send(t, base+"part/outcome/A1.3/port", url.Values{"rev": {"7"}, "level": {"9"}, "note": {canary}}, http.StatusUnprocessableEntity, &struct{}{})
	if status, body := cara.get(t, base); status != http.StatusForbidden || strings.Contains(body, membersNote) {
		t.Errorf("the member's answers are shown to a contributor: %d", status)
	}
	if status, body := lena.get(t, base+"bodies?area=A1&edit=A1.2&body=port"); status != http.StatusOK || !strings.Contains(body, canary) {
		t.Errorf("the lead does not see what the port notes: %d", status)
	}
	// The role changes: from the next request on.
	if _, err := m.people.SetGrants(t.Context(), m.Lead.Name, "Cara Contributor", []account.Grant{{Role: "reader"}}); err != nil {
		t.Fatal(err)
	}
	if status, _ := cara.get(t, base); status != http.StatusOK {
		t.Errorf("as a reader: %d", status)
	}
	cara.send(t, base+"part/outcome/A1.2/port", url.Values{"rev": {"0"}, "level": {"2"}}, http.StatusForbidden, &struct{}{})
	if _, err := m.people.SignOutNamed(t.Context(), m.Lead.Name, "Cara Contributor"); err != nil {
		t.Fatal(err)
	}
	var told struct{ Message, Detail string }
	cara.send(t, base+"outcome/A1.1", url.Values{"rev": {"0"}, "level": {"2"}}, http.StatusUnauthorized, &told)
	if told.Message != "You are not signed in" || told.Detail == "" {
		t.Errorf("told %+v", told)
	}
	u, err := url.Parse(m.origin)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{canary, membersNote, othersNote}
	for _, c := range lena.Jar.Cookies(u) {
		secrets = append(secrets, c.Value)
	}
	m.mu.Lock()
	logged := m.log.String()
	m.mu.Unlock()
	for _, secret := range secrets {
		if strings.Contains(logged, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	old := &tls.Config{RootCAs: m.roots, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, ServerName: "localhost"}
	if conn, err := tls.Dial("tcp", u.Host, old); err == nil {
		conn.Close()
		t.Error("TLS 1.2 is spoken")
	}
}
