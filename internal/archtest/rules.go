package archtest

import (
	"fmt"
	"slices"
	"strings"
)

// A Layer is how far out a package stands. Imports go to the same layer or
// further in.
type Layer int

// The layers, from the inside out.
const (
	Standard    Layer = iota + 1 // published standards and our packs: import nothing of ours, do no I/O
	Kernel                       // the words that all share
	Domain                       // what muster is about: pure, its interfaces declared by itself
	Adapter                      // files, databases, the network, pages
	Application                  // several roles wired together in one process
	CLI                          // one file a command
	Command                      // main
	Test                         // suites and checks of the whole; nothing imports them
)

func (l Layer) String() string {
	names := [...]string{"", "a standard", "kernel", "domain", "an adapter", "an application", "the cli", "a command", "a test"}
	if l > 0 && int(l) < len(names) {
		return names[l]
	}
	return fmt.Sprintf("archtest.Layer(%d)", int(l))
}

// Packages is every package that the design knows, present or planned. One that
// exists and does not stand here is refused: it is a misspelling or a decision
// that nobody wrote down.
var Packages = map[string]Layer{
	"dap":   Standard,
	"vdaf":  Standard,
	"oscal": Standard,
	"stix":  Standard,
	"packs": Standard,
	".":     Standard, // the documents that the program shows

	"internal/errs":                    Kernel,
	"internal/keys":                    Kernel,
	"internal/coalition":               Kernel,
	"internal/coalition/coalitiontest": Kernel,
	"internal/audience":                Kernel,

	"internal/framework":           Domain,
	"internal/assess":              Domain,
	"internal/workspace":           Domain,
	"internal/brief":               Domain,
	"internal/submit":              Domain,
	"internal/aggregate":           Domain,
	"internal/collect":             Domain,
	"internal/disclosure":          Domain,
	"internal/disclosure/attack":   Domain,
	"internal/release":             Domain,
	"internal/release/releasetest": Domain,
	"internal/collective":          Domain,
	"internal/ledger":              Domain,
	"internal/ledger/ledgertest":   Domain,
	"internal/silence":             Domain,
	"internal/cycle":               Domain,
	"internal/edition":             Domain,
	"internal/verify":              Domain,
	"internal/cascade":             Domain,
	"internal/threat":              Domain,
	"internal/conference":          Domain,
	"internal/pledge":              Domain,
	"internal/account":             Domain,
	"internal/account/accounttest": Domain,

	"internal/aggregate/aggregatetest": Adapter,
	"internal/workspace/workspacetest": Adapter,
	"internal/cycle/cycletest":         Adapter,
	"internal/edition/editiontest":     Adapter,

	"internal/store":                     Adapter,
	"internal/store/workspacedb":         Adapter,
	"internal/store/hostdb":              Adapter,
	"internal/store/coalitiondb":         Adapter,
	"internal/store/accountdb":           Adapter,
	"internal/store/storetest":           Adapter,
	"internal/store/pgtest":              Adapter,
	"internal/httpd":                     Adapter,
	"internal/daphttp":                   Adapter,
	"internal/taxii":                     Adapter,
	"internal/logserver":                 Adapter,
	"internal/witness":                   Adapter,
	"internal/exchange":                  Adapter,
	"internal/exchange/intake":           Adapter,
	"internal/exchange/workbook":         Adapter,
	"internal/exchange/register":         Adapter,
	"internal/evidence":                  Adapter,
	"internal/exchange/cells":            Adapter,
	"internal/exchange/docx":             Adapter,
	"internal/exchange/handout":          Adapter,
	"internal/pdf":                       Adapter,
	"internal/web":                       Adapter,
	"internal/web/account":               Adapter,
	"internal/web/workspace":             Adapter,
	"internal/web/coalition":             Adapter,
	"internal/web/cascade":               Adapter,
	"internal/web/atlas":                 Adapter,
	"internal/web/coordinator":           Adapter,
	"internal/mail":                      Adapter,
	"internal/mail/mailtest":             Adapter,
	"internal/web/coalition/picturetest": Adapter,
	"internal/web/host":                  Adapter,
	"internal/config":                    Adapter,
	"internal/process":                   Adapter,

	"internal/rehearse":  Application,
	"internal/demo":      Application,
	"internal/demo/port": Application,

	"internal/cli": CLI,
	"cmd/muster":   Command,

	"internal/archtest":      Test,
	"internal/doctest":       Test,
	"test/e2e":               Test,
	"test/interop":           Test,
	"test/fault":             Test,
	"test/browser":           Test,
	"test/browser/storybook": Test,
	"test/peers":             Test,
}

// A Rule forbids something to the packages that From selects.
type Rule struct {
	Name string
	Why  string
	From func(path string, layer Layer) bool

	Imports []string // refused as a direct import: full import paths or patterns of match
	Reaches []string // refused in the closure over our own packages: paths relative to the module, or patterns
	Allow   int      // how many of Reaches may be reached all the same
}

// Rules is what holds beyond the order of the layers.
var Rules = []Rule{
	{
		Name:    "standards stand alone",
		Why:     "others import them, and they must be readable without the rest",
		From:    inLayer(Standard),
		Imports: []string{Module + "/..."},
	},
	{
		Name:    "no I/O in standards",
		Why:     "a codec that opens a file or a connection cannot be trusted by reading it",
		From:    inLayer(Standard),
		Imports: ioPackages,
	},
	{
		Name:    "no I/O in kernel and domain",
		Why:     "databases, network and files stand behind interfaces that the domain declares; so a rule can be tested without them and raw answers find no way out",
		From:    inLayer(Kernel, Domain),
		Imports: ioPackages,
	},
	{
		Name: "raw answers",
		Why:  "who cannot reach assess cannot hold a member's answer; the way to a host is submit alone",
		From: except(
			"internal/assess", "internal/workspace", "internal/brief", "internal/workspace/workspacetest", "internal/submit", "internal/exchange", "internal/exchange/intake", "internal/exchange/workbook", "internal/exchange/register", "internal/web/workspace", "internal/store/workspacedb",
			"internal/demo", "internal/demo/port", "internal/rehearse", "internal/cli", "cmd/muster", "test/...",
		),
		Reaches: []string{"internal/assess"},
	},
	{
		Name:    "the workspace leaves sealed",
		Why:     "a member's notes, names and answers are in its workspace; what seals and what adds up needs none of it",
		From:    except("internal/workspace", "internal/brief", "internal/workspace/workspacetest", "internal/exchange", "internal/exchange/intake", "internal/web/workspace", "internal/store/workspacedb", "internal/demo", "internal/cli", "cmd/muster", "test/..."),
		Reaches: []string{"internal/workspace"},
	},
	{
		Name:    "aggregate knows counts only",
		Why:     "a host adds up shares of opaque blocks; it needs no framework, no answers and no way to seal",
		From:    only("internal/aggregate"),
		Reaches: []string{"internal/framework", "internal/assess", "internal/submit", "internal/exchange"},
	},
	{
		Name:    "hosts do not seal",
		Why:     "whoever can seal can submit for a member; a host's code must not hold that",
		From:    only("internal/aggregate", "internal/store/hostdb", "internal/daphttp", "internal/web/host", "internal/logserver", "internal/witness"),
		Reaches: []string{"internal/submit"},
	},
	{
		Name: "one database a role",
		Why:  "three roles never share a database; only what plays several roles at once opens two",
		From: except("internal/rehearse", "internal/demo", "internal/cli", "cmd/muster", "test/..."),
		Reaches: []string{
			"internal/store/workspacedb", "internal/store/hostdb", "internal/store/coalitiondb",
		},
		Allow: 1,
	},
	{
		Name:    "no test code in production",
		Why:     "what a test package links would be in every user's binary",
		From:    production,
		Imports: []string{"testing", "testing/...", "*test", "github.com/google/go-cmp/...", "github.com/rogpeppe/go-internal/...", "github.com/santhosh-tekuri/jsonschema/...", "pgregory.net/rapid"},
		Reaches: []string{"*test"},
	},
}

// ioPackages are refused as direct imports where there is no I/O. What a
// package of ours may take in their place: io.Reader, io.Writer, fs.FS and
// interfaces of its own.
var ioPackages = []string{
	"database/sql/...", "net", "net/http/...", "net/rpc/...", "net/smtp", "os/...", "syscall", "log", "log/syslog",
	"github.com/ncruces/go-sqlite3/...", "github.com/jackc/pgx/...", "github.com/pressly/goose/...", "github.com/spf13/cobra/...",
}

func inLayer(layers ...Layer) func(string, Layer) bool {
	return func(_ string, l Layer) bool { return slices.Contains(layers, l) }
}

func only(paths ...string) func(string, Layer) bool {
	return func(path string, _ Layer) bool { return slices.Contains(paths, path) }
}

func except(patterns ...string) func(string, Layer) bool {
	return func(path string, _ Layer) bool {
		return !slices.ContainsFunc(patterns, func(p string) bool { return match(p, path) })
	}
}

// production selects what can be linked into the program: everything but the
// suites and the packages whose name ends in test.
func production(path string, layer Layer) bool {
	return layer != Test && !strings.HasSuffix(path, "test")
}
