// Package config reads what an operator wrote and keeps what nobody else may
// read: a host's configuration, one strict YAML file, and the folder with its
// keys.
//
//	host, err := config.ReadHost("ostmere/host.yaml")
//	signer, err := host.KeyFolder().Signer()
//
// Every fault of a configuration is found at once, with line and column; an
// unknown key is a fault. Left out, a key has a value that is safe: addresses
// are of this machine alone. Secrets never stand in the configuration: it names
// files, and a file that other users of the machine may read is refused. No
// error and no text of this package holds anything of a secret.
package config

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"muster/internal/coalition"
	"muster/internal/errs"
)

// HostFormat is the version of a host's configuration.
const HostFormat = "muster-host/1"

// HostFile is the name of a host's configuration in its folder.
const HostFile = "host.yaml"

// Host is a host's configuration. Paths are as they are used: relative ones in
// the file are relative to its folder.
type Host struct {
	Member      coalition.MemberID
	URL         string // where members, the other host and the coordinator reach it
	Listen      string // the address to serve at
	Operations  string // the address of health and metrics
	SQLite      string // the database file; empty if there is a PostgresDSN
	PostgresDSN string // a file that holds the connection string
	Keys        string // the folder of keys
	Charter     string
	Freeze      FreezeMode
	Log         Log
	Limits      Limits
}

// FreezeMode says who freezes a Leader's task once the deadline has passed.
type FreezeMode string

// The ways to freeze.
const (
	FreezeByHand     FreezeMode = "by_hand"     // muster host freeze
	FreezeAtDeadline FreezeMode = "at_deadline" // the host that serves
)

// Log says what is logged, to the error stream.
type Log struct {
	Level slog.Level
	JSON  bool
}

// Limits bound what a host does at the same time. Zero leaves it to the program.
type Limits struct {
	Connections int
	Requests    int
	Jobs        int // verification jobs and collections
	Uploads     int // submissions that one source address may upload at once, and again within an hour
}

// What is used where the file says nothing.
const (
	defaultListen     = "127.0.0.1:8443"
	defaultOperations = "127.0.0.1:9443"
	defaultDatabase   = "host.db"
	defaultKeys       = "keys"
	defaultCharter    = "charter.json"
)

// ReadHost reads the configuration file at path. Its faults are all of them, as
// [errs.Faults].
func ReadHost(path string) (*Host, error) {
	data, err := readLimited(path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &checker{file: path, format: HostFormat}
	h := c.host(data)
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	for _, p := range []*string{&h.SQLite, &h.PostgresDSN, &h.Keys, &h.Charter} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	return h, nil
}

// host reads the whole file.
func (c *checker) host(data []byte) *Host {
	h := &Host{}
	root := c.parse(data)
	if root == nil {
		return h
	}
	var format, member, url, listen, operations, database, keys, charter, freeze, log, limits *node
	if !c.object("", root, need("format", &format), need("member", &member), need("url", &url), may("listen", &listen),
		may("operations", &operations), may("database", &database), may("keys", &keys), may("charter", &charter), may("freeze", &freeze), may("log", &log), may("limits", &limits)) {
		return h
	}
	c.word("format", format, HostFormat)
	if text := c.text("member", member); text != "" {
		id, err := coalition.ParseMemberID(text)
		c.refusal("member", member, err)
		h.Member = id
	}
	if h.URL = c.text("url", url); h.URL != "" {
		c.refusal("url", url, coalition.CheckURL(h.URL))
	}
	h.Listen = cmp.Or(c.address("listen", listen), defaultListen)
	h.Operations = cmp.Or(c.address("operations", operations), defaultOperations)
	h.Keys = cmp.Or(c.text("keys", keys), defaultKeys)
	h.Charter = cmp.Or(c.text("charter", charter), defaultCharter)
	h.Freeze = FreezeMode(cmp.Or(c.word("freeze", freeze, string(FreezeByHand), string(FreezeAtDeadline)), string(FreezeByHand)))
	c.database(h, database)
	c.log(&h.Log, log)
	c.limits(h, limits)
	return h
}

func (c *checker) database(h *Host, n *node) {
	if n == nil {
		h.SQLite = defaultDatabase
		return
	}
	var sqlite, postgres *node
	if !c.object("database", n, may("sqlite", &sqlite), may("postgres", &postgres)) {
		return
	}
	h.SQLite, h.PostgresDSN = c.text("database.sqlite", sqlite), c.text("database.postgres", postgres)
	switch {
	case sqlite != nil && postgres != nil:
		c.fault(postgres, "database.postgres", "a host has one database", "sqlite or postgres, not both")
	case sqlite == nil && postgres == nil:
		c.fault(n, "database", "no database is named", "sqlite: FILE, or postgres: FILE that holds the connection string")
	case strings.Contains(h.PostgresDSN, "://") || strings.Contains(h.PostgresDSN, "password="):
		// The text is a secret already: it is not repeated.
		c.fault(postgres, "database.postgres", "this is a connection string, which may hold a password", "the path of a file, mode 0600, that holds it")
		h.PostgresDSN = ""
	}
}

func (c *checker) log(l *Log, n *node) {
	if n == nil {
		return
	}
	var level, format *node
	if !c.object("log", n, may("level", &level), may("format", &format)) {
		return
	}
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	l.Level = levels[cmp.Or(c.word("log.level", level, "debug", "info", "warn", "error"), "info")]
	l.JSON = c.word("log.format", format, "text", "json") == "json"
}

func (c *checker) limits(h *Host, n *node) {
	if n == nil {
		return
	}
	var connections, requests, jobs, uploads *node
	if !c.object("limits", n, may("connections", &connections), may("requests", &requests), may("jobs", &jobs), may("uploads_per_hour", &uploads)) {
		return
	}
	h.Limits = Limits{
		Connections: c.number("limits.connections", connections, 1, 65_536),
		Requests:    c.number("limits.requests", requests, 1, 65_536),
		Jobs:        c.number("limits.jobs", jobs, 1, 1024),
		Uploads:     c.number("limits.uploads_per_hour", uploads, 100, 1_000_000_000),
	}
}

// address reads HOST:PORT.
func (c *checker) address(field string, n *node) string {
	text := c.text(field, n)
	if text == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(text)
	if number, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || strconv.FormatUint(number, 10) != port || strings.ContainsAny(host, "/ ") {
		c.fault(n, field, errs.Quote(text)+" is no address", `HOST:PORT, such as "127.0.0.1:8443", or ":8443" for every address of this machine`)
	}
	return text
}

// KeyFolder returns the host's folder of keys.
func (h *Host) KeyFolder() KeyFolder { return KeyFolder{Dir: h.Keys} }

// Write prints what would be used, one line a setting. It names files and shows
// nothing of what is in them.
func (h *Host) Write(w io.Writer) error {
	database := "SQLite, " + h.SQLite
	if h.PostgresDSN != "" {
		database = "PostgreSQL, connection string in " + h.PostgresDSN
	}
	format := "text"
	if h.Log.JSON {
		format = "JSON"
	}
	rows := [][2]string{
		{"member", string(h.Member)},
		{"url", h.URL},
		{"listen", h.Listen},
		{"operations", h.Operations},
		{"database", database},
		{"keys", h.Keys},
		{"charter", h.Charter},
		{"freeze", map[FreezeMode]string{FreezeByHand: "by hand", FreezeAtDeadline: "at the deadline"}[h.Freeze]},
		{"log", strings.ToLower(h.Log.Level.String()) + ", " + format},
		{"limits", fmt.Sprintf("connections %s, requests %s, jobs %s, uploads per hour %s",
			orDefault(h.Limits.Connections), orDefault(h.Limits.Requests), orDefault(h.Limits.Jobs), orDefault(h.Limits.Uploads))},
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(w, "%-11s %s\n", row[0], row[1]); err != nil {
			return err
		}
	}
	return nil
}

func orDefault(n int) string {
	if n == 0 {
		return "as the program has it"
	}
	return strconv.Itoa(n)
}

// HostYAML returns the configuration that a new host begins with.
func HostYAML(member coalition.MemberID, address, listen string) []byte {
	return fmt.Appendf(nil, `# The configuration of a host. Paths are relative to this file's folder.
format: %s
member: %s
url: %s

# The address that the url leads to.
listen: %s
# Health and metrics: for this machine alone.
operations: %s

# One of: sqlite, a file; postgres, a file of mode 0600 with the connection string.
database:
  sqlite: %s

# Nobody but this host may read what is in the folder of keys.
keys: %s
charter: %s

# At a Leader: by_hand, with muster host freeze; at_deadline, as soon as it has passed.
freeze: %s

log:
  level: info # debug, info, warn, error
  format: text # text, json
`, HostFormat, strconv.Quote(string(member)), strconv.Quote(address), strconv.Quote(listen), strconv.Quote(defaultOperations), defaultDatabase, defaultKeys, defaultCharter, FreezeByHand)
}

// maxConfig is how many bytes a configuration may have.
const maxConfig = 64 << 10

// readLimited reads a file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, notReadable(path, err)
	}
	defer f.Close() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return nil, notReadable(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, errs.New(errs.Invalid, strconv.Quote(path)+" is not a regular file", "")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, notReadable(path, err)
	}
	if int64(len(data)) > limit {
		return nil, errs.New(errs.Invalid, fmt.Sprintf("%s is larger than %d bytes", strconv.Quote(path), limit), "")
	}
	return data, nil
}
