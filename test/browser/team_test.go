package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"os/exec"
	"testing"
	"time"

	"muster/internal/account"
	"muster/internal/assess"
	"muster/internal/demo"
	"muster/internal/framework"
	"muster/internal/store/workspacedb"
	"muster/internal/web"
	webaccount "muster/internal/web/account"
	page "muster/internal/web/workspace"
	"muster/internal/workspace"
	"muster/packs"
)

// A workspace that several share, in a browser with a virtual authenticator: who was
// invited registers a passkey, signs out and in, and approves; a contributor answers
// her part by keys, and without JavaScript.
func TestTeamPages(t *testing.T) {
	t.Parallel()
	tools := need(t)
	db := newWorkspace(t)
	lead := workspace.Lead("Ada Lindqvist")
	service := workspace.New(workspace.Config{Store: db, Now: time.Now})
	pack, err := framework.Find(packs.FS(), "muster-core")
	if err != nil {
		t.Fatal(err)
	}
	survey := answered(t, service, lead, pack)
	origin, spki, people := serveTeam(t, db, service)
	args := []string{"team.mjs", tools.modules, tools.chromium, origin, spki}
	for _, who := range []account.Invitee{
		{Name: "Mira Oduya", Grants: []account.Grant{{Role: "approver", Of: []string{"head"}}}},
		{Name: "Ines Calloway", Grants: []account.Grant{{Role: "contributor", Of: []string{"interior"}}}},
	} {
		token, err := people.Invite(t.Context(), lead.Name, who)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, token)
	}
	cmd := exec.CommandContext(t.Context(), tools.node, args...)
	var out, broken bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &broken
	if err := cmd.Run(); err != nil {
		t.Errorf("team.mjs: %v\n%s", err, &broken)
	}
	checks := 0
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var check struct {
			Name   string
			Faults []string
		}
		if err := json.Unmarshal(lines.Bytes(), &check); err != nil {
			t.Fatalf("team.mjs says %q", lines.Text())
		}
		checks++
		t.Run(check.Name, func(t *testing.T) {
			for _, fault := range check.Faults {
				t.Error(fault)
			}
		})
	}
	if checks < 5 {
		t.Errorf("only %d checks ran", checks)
	}
	so, err := service.SignOff(t.Context(), lead, survey)
	if err != nil {
		t.Fatal(err)
	}
	if len(so.Decisions) != 1 || so.Decisions[0].By != "Mira Oduya" || !so.Decisions[0].Signed() {
		t.Fatalf("decided: %+v", so.Decisions)
	}
	if _, err := workspace.VerifyPasskey(so.Decisions[0].Approval); err != nil {
		t.Errorf("what a browser signed does not verify: %v", err)
	}
	part, err := service.Part(t.Context(), workspace.Person{Name: "Ines Calloway", Roles: []workspace.Role{workspace.RoleContributor}, Bodies: []string{"interior"}}, survey)
	if err != nil {
		t.Fatal(err)
	}
	if got := part.Progress().Answered; got != 2 {
		t.Errorf("%d of her questions are answered, want one by a key and one without JavaScript", got)
	}
}

// answered makes a survey of an invented member that waits for its approval.
func answered(t *testing.T, service *workspace.Service, lead workspace.Person, pack *framework.Pack) workspace.SurveyID {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(service.Begin(ctx, lead, demo.WorkspaceMember))
	survey, err := service.Load(ctx, lead, workspace.LoadConfig{Pack: pack, Cycle: "2026"})
	must(err)
	_, err = service.PutBody(ctx, lead, 0, assess.Body{ID: "interior", Name: "Ministry of the Interior"})
	must(err)
	_, err = service.PutSection(ctx, lead, survey.ID, 0, workspace.Section{ID: "one", Title: "Public bodies", Areas: []string{"A1"}, Bodies: []string{"interior"}, Contact: "the desk"})
	must(err)
	must(service.SetChain(ctx, lead, survey.ID, []assess.Step{{ID: "head", Name: "Head of the authority"}}))
	var saves []workspace.Save
	for _, o := range pack.Outcomes() {
		saves = append(saves, workspace.Save{Outcome: o.ID, Mine: assess.Entry{Level: framework.Level2, Reason: "decided so"}})
	}
	_, err = service.SaveAll(ctx, lead, survey.ID, saves)
	must(err)
	return survey.ID
}

// serveTeam serves a workspace to several as the command does. spki is the digest of
// the certificate's key, by which the browser takes it for good.
func serveTeam(t *testing.T, db *workspacedb.DB, service *workspace.Service) (origin, spki string, people *account.Service) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	origin = "https://localhost:" + port
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	people, err = account.New(account.Config{
		Store: db.Accounts(), Now: time.Now, Rand: rand.Reader, Roles: workspace.AccountRoles(), Site: account.Site{Name: "Ostmere", Host: "localhost", Origin: origin},
	})
	if err != nil {
		t.Fatal(err)
	}
	doors, err := webaccount.New(webaccount.Config{
		Accounts: people, Lengths: account.Lengths{Idle: time.Hour, Longest: 2 * time.Hour}, Brand: "Ostmere", Now: time.Now, Marking: demo.Synthetic,
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Config{
		Service: service, Now: time.Now, Rand: rand.Reader, Marking: demo.Synthetic, Team: doors,
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
	certificate := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
	go func() {
		ended <- web.ServeTLS(ctx, l, certificate, web.Connections, web.Site(origin, doors.Guard(pages.Handler())))
	}() // waited for below
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		pages.Close()
	})
	return origin, base64.StdEncoding.EncodeToString(sum[:]), people
}
