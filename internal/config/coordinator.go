package config

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"muster/internal/errs"
)

// CoordinatorFormat is the version of a coordinator's configuration.
const CoordinatorFormat = "muster-coordinator/1"

// CoordinatorFile is the name of a coordinator's configuration in its folder.
const CoordinatorFile = "coordinator.yaml"

// Coordinator is a coordinator's configuration. Paths are as they are used: relative
// ones in the file are relative to its folder.
type Coordinator struct {
	Team               // where people reach it, and how they enter
	Operations  string // the address of health and metrics
	SQLite      string // the database file; empty if there is a PostgresDSN
	PostgresDSN string // a file that holds the connection string
	Mail        *Mail  // nil: no mail is sent
}

// Mail is the server that takes mail from here.
type Mail struct {
	Server      string // HOST:PORT, which speaks STARTTLS
	From        string // the address that it is sent from
	User        string // empty: the server takes it without
	Password    string // a file with mode 0600 that holds it
	Authorities string // a file with the certificates that the server's may come from; empty for those of the machine
}

const (
	defaultCoordinatorOperations = "127.0.0.1:9444"
	defaultCoordinatorDatabase   = "coordinator.db"
)

// ReadCoordinator reads the configuration file at path. Its faults are all of them, as
// [errs.Faults].
func ReadCoordinator(path string) (*Coordinator, error) {
	data, err := readLimited(path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &checker{file: path, format: CoordinatorFormat}
	cfg := c.coordinator(data)
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	paths := []*string{&cfg.Certificate, &cfg.Key, &cfg.SQLite, &cfg.PostgresDSN}
	if cfg.Provider != nil {
		paths = append(paths, &cfg.Provider.ClientSecret, &cfg.Provider.Authorities)
	}
	if cfg.Mail != nil {
		paths = append(paths, &cfg.Mail.Password, &cfg.Mail.Authorities)
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(filepath.Dir(path), *p)
		}
	}
	return cfg, nil
}

// coordinator reads the whole file.
func (c *checker) coordinator(data []byte) *Coordinator {
	cfg := &Coordinator{}
	root := c.parse(data)
	if root == nil {
		return cfg
	}
	var format, public, listen, operations, tls, database, provider, session, mail, limits, log *node
	if !c.object("", root, need("format", &format), need("url", &public), may("listen", &listen), may("operations", &operations), need("tls", &tls),
		may("database", &database), may("oidc", &provider), may("session", &session), may("mail", &mail), may("limits", &limits), may("log", &log)) {
		return cfg
	}
	c.word("format", format, CoordinatorFormat)
	cfg.URL = c.origin("url", public)
	cfg.Listen = cmp.Or(c.address("listen", listen), defaultTeamListen)
	cfg.Operations = cmp.Or(c.address("operations", operations), defaultCoordinatorOperations)
	c.teamTLS(&cfg.Team, tls)
	cfg.SQLite = defaultCoordinatorDatabase
	if database != nil {
		var h Host
		c.database(&h, database)
		cfg.SQLite, cfg.PostgresDSN = h.SQLite, h.PostgresDSN
	}
	c.provider(&cfg.Team, provider)
	c.session(&cfg.Team, session)
	c.mail(cfg, mail)
	if limits != nil {
		var connections *node
		if c.object("limits", limits, may("connections", &connections)) {
			cfg.Connections = c.number("limits.connections", connections, 8, 65_536)
		}
	}
	c.log(&cfg.Log, log)
	return cfg
}

func (c *checker) mail(cfg *Coordinator, n *node) {
	if n == nil {
		return
	}
	var server, from, user, password, authorities *node
	if !c.object("mail", n, need("server", &server), need("from", &from), may("user", &user), may("password_file", &password), may("authorities", &authorities)) {
		return
	}
	m := &Mail{
		Server: c.address("mail.server", server), From: c.text("mail.from", from), User: c.text("mail.user", user),
		Password: c.text("mail.password_file", password), Authorities: c.text("mail.authorities", authorities),
	}
	if host, _, err := net.SplitHostPort(m.Server); m.Server != "" && (err != nil || host == "") {
		c.fault(server, "mail.server", errs.Quote(m.Server)+" names no host", `HOST:PORT, such as "mail.example:587"`)
	}
	if m.From != "" && !IsMailAddress(m.From) {
		c.fault(from, "mail.from", errs.Quote(m.From)+" is no address of mail", "name@host, in plain letters")
	}
	if (user == nil) != (password == nil) {
		c.fault(n, "mail", "user and password_file belong together", "both, or neither")
	}
	cfg.Mail = m
}

// IsMailAddress reports whether text is an address as mail is sent to and from here:
// name@host in plain letters, without anything that a header would read otherwise.
func IsMailAddress(text string) bool {
	local, host, ok := strings.Cut(text, "@")
	return ok && local != "" && host != "" && len(text) <= 254 && !strings.Contains(host, "@") &&
		!strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`<>()[]\,;:"`, r) })
}

// Write prints what would be used, one line a setting. It names files and shows
// nothing of what is in them.
func (cfg *Coordinator) Write(w io.Writer) error {
	database := "SQLite, " + cfg.SQLite
	if cfg.PostgresDSN != "" {
		database = "PostgreSQL, connection string in " + cfg.PostgresDSN
	}
	mail := "none is sent"
	if m := cfg.Mail; m != nil {
		mail = fmt.Sprintf("from %s by %s", m.From, m.Server)
		if m.User != "" {
			mail += fmt.Sprintf(", as %s, password in %s", strconv.Quote(m.User), m.Password)
		}
	}
	return writeRows(w, append(cfg.rows(), [2]string{"operations", cfg.Operations}, [2]string{"database", database}, [2]string{"mail", mail}))
}

// CoordinatorYAML returns the configuration that a new coordinator begins with.
func CoordinatorYAML(address string) []byte {
	return fmt.Appendf(nil, `# The configuration of a coordinator. Paths are relative to this file's folder.
format: %s
# The address that people type; passkeys are bound to its name.
url: %s
listen: %q
# Health and metrics: for this machine alone.
operations: %q

# The certificate of that name, and its key with mode 0600.
tls: {certificate: tls.crt, key: tls.key}

# One of: sqlite, a file; postgres, a file of mode 0600 with the connection string.
database:
  sqlite: %s

# How long somebody stays signed in: without a request, and at all.
session: {idle_minutes: %d, longest_hours: %d}

# Reminders by mail; without it none is sent.
# mail: {server: "mail.example:587", from: muster@example.org, user: muster, password_file: mail.secret}

log:
  level: info # debug, info, warn, error
  format: text # text, json
`, CoordinatorFormat, address, defaultTeamListen, defaultCoordinatorOperations, defaultCoordinatorDatabase, defaultIdle, defaultLongest)
}
