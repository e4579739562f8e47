package config_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/config"
	"muster/internal/errs"
)

const leastTeam = "format: muster-team/1\nurl: https://Answers.Example:443/\ntls: {certificate: tls.crt, key: tls.key}\n"

func TestReadTeam(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, err := config.ReadTeam(write(t, filepath.Join(dir, "team.yaml"), leastTeam))
	must(t, err)
	want := &config.Team{
		URL: "https://answers.example", Listen: ":8443", Certificate: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key"),
		Idle: 30 * time.Minute, Longest: 12 * time.Hour,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = config.ReadTeam(write(t, filepath.Join(dir, "all.yaml"), leastTeam+`listen: "192.0.2.7:443"
oidc: {issuer: "https://id.example/a", client_id: muster, client_secret_file: oidc.secret, authorities: /etc/ca.pem}
session: {idle_minutes: 5, longest_hours: 1}
limits: {connections: 20}
evidence: [pieces, /srv/evidence]
sealing: on
`))
	must(t, err)
	want.Listen, want.Idle, want.Longest, want.Connections = "192.0.2.7:443", 5*time.Minute, time.Hour, 20
	want.Sealing = true
	for _, folder := range []string{filepath.Join(dir, "pieces"), "/srv/evidence"} {
		folder, err := filepath.Abs(folder)
		must(t, err)
		want.Evidence = append(want.Evidence, folder)
	}
	want.Provider = &config.Provider{Name: "id.example", Issuer: "https://id.example/a", ClientID: "muster", ClientSecret: filepath.Join(dir, "oidc.secret"), Authorities: "/etc/ca.pem"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadTeamRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ text, want string }{
		"empty":                {"", "team.yaml:1:1: the file is empty; allowed: a configuration that begins with format: muster-team/1"},
		"a host's":             {strings.Replace(leastTeam, "team/1", "host/1", 1), `team.yaml:1:9: format: "muster-host/1" is not known; allowed: muster-team/1`},
		"without TLS":          {strings.Replace(leastTeam, "https:", "http:", 1), `team.yaml:2:6: url: "http://Answers.Example:443/" is no address of a site`},
		"a path":               {strings.Replace(leastTeam, "443/", "443/a", 1), "is no address of a site"},
		"an address of IP":     {strings.Replace(leastTeam, "Answers.Example", "192.0.2.7", 1), `"192.0.2.7" is an address of IP, and passkeys are bound to names`},
		"an issuer in clear":   {leastTeam + "oidc: {issuer: \"http://id.example\", client_id: a, client_secret_file: b}\n", `team.yaml:4:16: oidc.issuer: "http://id.example" is no issuer`},
		"a secret in the file": {leastTeam + "oidc: {issuer: \"https://id.example\", client_id: a, client_secret: hush}\n", `unknown key "client_secret"`},
		"for ever":             {leastTeam + "session: {longest_hours: 9000}\n", "a whole number from 1 to 168"},
		"evidence, no list":    {leastTeam + "evidence: evidence\n", "where a list is wanted"},
		"sealing, unknown":     {leastTeam + "sealing: maybe\n", `sealing: "maybe" is not known; allowed: off, on`},
		"idle for too long":    {leastTeam + "session: {idle_minutes: 120, longest_hours: 1}\n", "a session would end before it is idle"},
	} {
		_, err := config.ReadTeam(write(t, filepath.Join(t.TempDir(), "team.yaml"), row.text))
		faults, ok := errors.AsType[errs.Faults](err)
		if !ok || !strings.Contains(errorLines(faults), row.want) {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
		if strings.Contains(errorLines(faults), "hush") {
			t.Errorf("%s: the fault holds the secret", name)
		}
	}
}

func errorLines(faults errs.Faults) string {
	var all []string
	for _, f := range faults {
		all = append(all, f.String())
	}
	return strings.Join(all, "\n")
}

// A certificate that nobody's browser would take is refused before it is served.
func TestTeamCertificate(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 3, 1, 9, 0, 0, 0, time.UTC)
	for name, row := range map[string]struct {
		host    string
		until   time.Duration
		foreign bool
		want    string
		soon    bool
	}{
		"good":        {host: "answers.example", until: 90 * 24 * time.Hour},
		"soon over":   {host: "answers.example", until: 24 * time.Hour, soon: true},
		"over":        {host: "answers.example", until: -time.Second, want: "the certificate was good until"},
		"for another": {host: "other.example", until: time.Hour, want: `the certificate is not for "answers.example"`},
		"another key": {host: "answers.example", until: time.Hour, foreign: true, want: "are no certificate and its key"},
	} {
		dir := t.TempDir()
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(t, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{row.host}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.Add(row.until)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		must(t, err)
		if row.foreign {
			key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			must(t, err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		must(t, err)
		write(t, filepath.Join(dir, "tls.crt"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
		write(t, filepath.Join(dir, "tls.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
		team, err := config.ReadTeam(write(t, filepath.Join(dir, "team.yaml"), leastTeam))
		must(t, err)
		_, soon, err := team.TLS(now)
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) || soon.IsZero() == row.soon {
			t.Errorf("%s: %v, %v", name, soon, err)
		}
	}
}
