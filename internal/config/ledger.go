package config

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"muster/internal/errs"
	"muster/internal/keys"
)

// The versions and names of the configurations of a ledger and a witness.
const (
	LedgerFormat  = "muster-ledger/1"
	LedgerFile    = "ledger.yaml"
	WitnessFormat = "muster-witness/1"
	WitnessFile   = "witness.yaml"
)

// Ledger is the configuration of a ledger. Paths are as they are used.
type Ledger struct {
	Dir        string // the folder of the configuration, and of the ledger
	Listen     string // the address to serve at
	Operations string // the address of health
	Plain      bool   // without TLS, behind something that has it
	Keys       string
	Threshold  int // how many witnesses must have cosigned
	Witnesses  []WitnessAt
	Log        Log
}

// WitnessAt is a witness and where it is reached.
type WitnessAt struct {
	Key         keys.Public
	URL         string // empty for one that is reached by files alone
	Certificate string // the pin of its TLS key, with https
}

// Witness is the configuration of a witness.
type Witness struct {
	Dir        string
	Listen     string
	Operations string
	Plain      bool
	Keys       string
	Ledgers    []keys.Public // the ledgers that it watches
	Log        Log
}

const (
	defaultLedgerListen      = "127.0.0.1:8453"
	defaultLedgerOperations  = "127.0.0.1:9453"
	defaultWitnessListen     = "127.0.0.1:8463"
	defaultWitnessOperations = "127.0.0.1:9463"
	maxWitnesses             = 64
)

// ReadLedger reads the configuration of a ledger. Its faults are all of them, as
// [errs.Faults].
func ReadLedger(path string) (*Ledger, error) {
	data, err := readLimited(path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &checker{file: path, format: LedgerFormat}
	l := &Ledger{Dir: filepath.Dir(path)}
	if root := c.parse(data); root != nil {
		var format, listen, operations, tls, keyFolder, threshold, witnesses, log *node
		if c.object("", root, need("format", &format), may("listen", &listen), may("operations", &operations), may("tls", &tls), may("keys", &keyFolder),
			need("threshold", &threshold), need("witnesses", &witnesses), may("log", &log)) {
			c.word("format", format, LedgerFormat)
			l.Listen = cmp.Or(c.address("listen", listen), defaultLedgerListen)
			l.Operations = cmp.Or(c.address("operations", operations), defaultLedgerOperations)
			l.Plain = c.word("tls", tls, "here", "elsewhere") == "elsewhere"
			l.Keys = c.path(path, cmp.Or(c.text("keys", keyFolder), defaultKeys))
			for i, n := range c.list("witnesses", witnesses, maxWitnesses) {
				l.Witnesses = append(l.Witnesses, c.witness(fmt.Sprintf("witnesses[%d]", i), n))
			}
			l.Threshold = c.number("threshold", threshold, 0, maxWitnesses)
			if l.Threshold > 0 && len(l.Witnesses) == 0 {
				c.fault(witnesses, "witnesses", "no witness is named", "the key of at least one, which a member runs with muster witness init; threshold: 0 publishes what nobody has seen")
			} else if l.Threshold > len(l.Witnesses) {
				c.fault(threshold, "threshold", fmt.Sprintf("%d of %d witnesses", l.Threshold, len(l.Witnesses)), "at most as many as there are witnesses")
			}
			c.log(&l.Log, log)
		}
	}
	return l, c.faults.Err()
}

func (c *checker) witness(field string, n *node) WitnessAt {
	var key, address, certificate *node
	var w WitnessAt
	if !c.object(field, n, need("key", &key), may("url", &address), may("certificate", &certificate)) {
		return w
	}
	w.Key = c.witnessKey(field+".key", key)
	w.URL, w.Certificate = c.text(field+".url", address), c.text(field+".certificate", certificate)
	if address == nil {
		return w
	}
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") || strings.HasSuffix(w.URL, "/"):
		c.fault(address, field+".url", errs.Quote(w.URL)+" is no address of a witness", "https://HOST:PORT, as muster witness init prints it, without a slash at its end")
	case u.Scheme == "https" && w.Certificate == "":
		c.fault(n, field, "key \"certificate\" is missing", "the pin of the witness's TLS key, which muster witness init printed")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		c.fault(address, field+".url", "an address without TLS that is not of this machine", "https, with the pin of the witness's TLS key as certificate")
	}
	return w
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *checker) witnessKey(field string, n *node) keys.Public {
	text := c.text(field, n)
	if text == "" {
		return ""
	}
	key, err := keys.Public(text).Cosigner()
	c.refusal(field, n, err)
	return key
}

// list returns the values of a list.
func (c *checker) list(field string, n *node, most int) []*node {
	switch {
	case n == nil || !c.plain(field, n):
		return nil
	case n.Kind != yaml.SequenceNode:
		c.fault(n, field, kindOf(n)+" where a list is wanted", "a list; [] for nobody")
		return nil
	case len(n.Content) > most:
		c.fault(n, field, fmt.Sprintf("a list of %d", len(n.Content)), fmt.Sprintf("at most %d", most))
		return nil
	}
	return n.Content
}

// path returns a path that stands in a configuration, as it is used.
func (c *checker) path(config, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(config), path)
}

// ReadWitness reads the configuration of a witness. Its faults are all of them, as
// [errs.Faults].
func ReadWitness(path string) (*Witness, error) {
	data, err := readLimited(path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := &checker{file: path, format: WitnessFormat}
	w := &Witness{Dir: filepath.Dir(path)}
	if root := c.parse(data); root != nil {
		var format, listen, operations, tls, keyFolder, ledgers, log *node
		if c.object("", root, need("format", &format), may("listen", &listen), may("operations", &operations), may("tls", &tls), may("keys", &keyFolder),
			need("ledgers", &ledgers), may("log", &log)) {
			c.word("format", format, WitnessFormat)
			w.Listen = cmp.Or(c.address("listen", listen), defaultWitnessListen)
			w.Operations = cmp.Or(c.address("operations", operations), defaultWitnessOperations)
			w.Plain = c.word("tls", tls, "here", "elsewhere") == "elsewhere"
			w.Keys = c.path(path, cmp.Or(c.text("keys", keyFolder), defaultKeys))
			origins := make(map[string]bool)
			for i, n := range c.list("ledgers", ledgers, maxWitnesses) {
				field := fmt.Sprintf("ledgers[%d]", i)
				key := keys.Public(c.text(field, n))
				if key == "" {
					continue
				}
				c.refusal(field, n, key.Check())
				if origins[key.KeyName()] {
					c.fault(n, field, "a second ledger "+errs.Quote(key.KeyName()), "one key for each ledger")
				}
				origins[key.KeyName()] = true
				w.Ledgers = append(w.Ledgers, key)
			}
			c.log(&w.Log, log)
		}
	}
	return w, c.faults.Err()
}

// LedgerYAML returns the configuration that a new ledger begins with.
func LedgerYAML() []byte {
	return fmt.Appendf(nil, `# The configuration of a ledger. Paths are relative to this file's folder.
format: %s

# Where readers fetch it: the checkpoint and the tiles.
listen: %s
# Health: for this machine alone.
operations: %s
# here, with the certificate in the folder of keys; or elsewhere, behind a proxy.
tls: here
keys: %s

# How many of the witnesses must have cosigned before anything is published, as the
# charter says; 0 publishes what nobody has seen. Each is run by a member, none by
# the coordinator:
#  - key: NAME+HASH+KEY
#    url: https://HOST:PORT # leave it out for a witness that is reached by files
#    certificate: PIN
threshold: 1
witnesses: []

log:
  level: info # debug, info, warn, error
  format: text # text, json
`, LedgerFormat, strconv.Quote(defaultLedgerListen), strconv.Quote(defaultLedgerOperations), defaultKeys)
}

// WitnessYAML returns the configuration that a new witness begins with.
func WitnessYAML(ledgers []keys.Public) []byte {
	list := " []"
	if len(ledgers) > 0 {
		list = ""
	}
	for _, key := range ledgers {
		list += "\n  - " + strconv.Quote(string(key))
	}
	return fmt.Appendf(nil, `# The configuration of a witness. Paths are relative to this file's folder.
format: %s

# Where the ledger reaches it.
listen: %s
# Health: for this machine alone.
operations: %s
# here, with the certificate in the folder of keys; or elsewhere, behind a proxy.
tls: here
keys: %s

# The keys of the ledgers that it watches, as muster ledger init prints them.
ledgers:%s

log:
  level: info # debug, info, warn, error
  format: text # text, json
`, WitnessFormat, strconv.Quote(defaultWitnessListen), strconv.Quote(defaultWitnessOperations), defaultKeys, list)
}
