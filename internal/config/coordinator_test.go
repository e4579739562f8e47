package config_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/config"
	"muster/internal/errs"
)

const leastCoordinator = "format: muster-coordinator/1\nurl: https://year.example\ntls: {certificate: tls.crt, key: tls.key}\n"

func TestReadCoordinator(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	got, err := config.ReadCoordinator(write(t, filepath.Join(dir, "least.yaml"), leastCoordinator))
	must(t, err)
	in := func(name string) string { return filepath.Join(dir, name) }
	want := &config.Coordinator{
		Team:       config.Team{URL: "https://year.example", Listen: ":8443", Certificate: in("tls.crt"), Key: in("tls.key"), Idle: 30 * time.Minute, Longest: 12 * time.Hour},
		Operations: "127.0.0.1:9444", SQLite: in("coordinator.db"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got, err = config.ReadCoordinator(write(t, filepath.Join(dir, "all.yaml"), leastCoordinator+`listen: "192.0.2.7:443"
operations: "127.0.0.1:1"
database: {postgres: dsn}
oidc: {issuer: "https://id.example/a", client_id: muster, client_secret_file: oidc.secret}
session: {idle_minutes: 5, longest_hours: 1}
mail: {server: "mail.example:587", from: year@sea.example, user: year, password_file: mail.secret, authorities: ca.pem}
limits: {connections: 20}
log: {level: warn, format: json}
`))
	must(t, err)
	want.Listen, want.Operations, want.SQLite, want.PostgresDSN = "192.0.2.7:443", "127.0.0.1:1", "", in("dsn")
	want.Idle, want.Longest, want.Connections = 5*time.Minute, time.Hour, 20
	want.Provider = &config.Provider{Name: "id.example", Issuer: "https://id.example/a", ClientID: "muster", ClientSecret: in("oidc.secret")}
	want.Mail = &config.Mail{Server: "mail.example:587", From: "year@sea.example", User: "year", Password: in("mail.secret"), Authorities: in("ca.pem")}
	want.Log = config.Log{Level: 4, JSON: true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	var b bytes.Buffer
	must(t, got.Write(&b))
	for _, line := range []string{"database    PostgreSQL, connection string in " + in("dsn"), `mail        from year@sea.example by mail.example:587, as "year", password in ` + in("mail.secret")} {
		if !strings.Contains(b.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, &b)
		}
	}
	got, err = config.ReadCoordinator(write(t, filepath.Join(dir, "new.yaml"), string(config.CoordinatorYAML("https://year.example:8443"))))
	must(t, err)
	if got.URL != "https://year.example:8443" || got.SQLite != in("coordinator.db") || got.Mail != nil {
		t.Errorf("a new one reads %+v", got)
	}
}

func TestReadCoordinatorRefuses(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ text, want string }{
		"a workspace's":          {strings.Replace(leastCoordinator, "coordinator/1", "team/1", 1), `coordinator.yaml:1:9: format: "muster-team/1" is not known; allowed: muster-coordinator/1`},
		"two databases":          {leastCoordinator + "database: {sqlite: a, postgres: b}\n", "sqlite or postgres, not both"},
		"a connection string":    {leastCoordinator + "database: {postgres: \"postgres://u:hush@h/d\"}\n", "which may hold a password"},
		"mail without a host":    {leastCoordinator + "mail: {server: \":587\", from: a@b}\n", `coordinator.yaml:4:16: mail.server: ":587" names no host`},
		"mail from nobody":       {leastCoordinator + "mail: {server: \"m:587\", from: \"a b@c\"}\n", "is no address of mail"},
		"a header in an address": {leastCoordinator + "mail: {server: \"m:587\", from: \"a@c>\"}\n", "is no address of mail"},
		"a user alone":           {leastCoordinator + "mail: {server: \"m:587\", from: a@b, user: x}\n", "user and password_file belong together"},
		"a password":             {leastCoordinator + "mail: {server: \"m:587\", from: a@b, user: x, password: hush}\n", `unknown key "password"`},
		"an unknown key":         {leastCoordinator + "ledger: x\n", `coordinator.yaml:4:1: unknown key "ledger"`},
	} {
		_, err := config.ReadCoordinator(write(t, filepath.Join(t.TempDir(), "coordinator.yaml"), row.text))
		faults, ok := errors.AsType[errs.Faults](err)
		if !ok || !strings.Contains(errorLines(faults), row.want) {
			t.Errorf("%s: %v, want %s", name, err, row.want)
		}
		if strings.Contains(errorLines(faults), "hush") {
			t.Errorf("%s: the fault holds the secret", name)
		}
	}
}
