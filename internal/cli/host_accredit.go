package cli

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"muster"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/store/hostdb"
)

func newHostAccreditCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "accredit --config FILE",
		Short: "Print what a security authority wants to know of this host",
		Long: `Print what a security authority wants to know of this host, as a document in
Markdown: data flows, ports, keys, cryptography, what lies in the database, what
is logged, which modules are linked, and the known limits. It is drawn from the
program and the configuration, and holds nothing secret.`,
		Example: `  muster host accredit --config ostmere/host.yaml >accreditation.md`,
		Args:    noArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := openHostAt(path)
			if err != nil {
				return err
			}
			view, err := accreditedHost(h)
			if err != nil {
				return err
			}
			return writeAccreditation(env.Out, view, linkedModules())
		},
	}
	cmd.Flags().StringVar(&path, "config", config.HostFile, "the host's configuration")
	return cmd
}

//go:embed accreditation.md.tmpl
var accreditationText string

// accreditation is what the document is drawn from.
type accreditation struct {
	Host     *hostView // nil in the document of the project
	Modules  []linkedModule
	Leader   []daphttp.Resource
	Helper   []daphttp.Resource
	Keys     []config.KeyFile
	Tables   []hostdb.Table
	Security string // trust and known limits, from SECURITY.md
	Docs     string // where the documents beside it are
}

// hostView is one host as an accreditor sees it.
type hostView struct {
	Version, Go, Platform, Executable string

	Member, Role, URL, Listen, Operations, Database string
	Pin, Key, Suites, Log                           string
}

// linkedModule is a module that this program links.
type linkedModule struct{ Path, Version, Sum string }

// WriteAccreditation writes the document as it stands in the project, without a
// host's own part and without versions of modules.
func WriteAccreditation(w io.Writer) error { return writeAccreditation(w, nil, nil) }

func writeAccreditation(w io.Writer, host *hostView, modules []linkedModule) error {
	text, err := template.New("accreditation").Funcs(template.FuncMap{"size": sizeText, "lower": strings.ToLower}).Parse(accreditationText)
	if err != nil {
		return err
	}
	tables, err := hostdb.Dictionary()
	if err != nil {
		return err
	}
	a := accreditation{
		Host: host, Modules: modules, Leader: daphttp.LeaderResources(), Helper: daphttp.HelperResources(),
		Keys: config.HostKeyFiles(), Tables: tables, Security: trustAndLimits(muster.Security),
	}
	return text.Execute(w, a)
}

// trustAndLimits returns the part of SECURITY.md that an accreditor needs. Links
// stay as words: where the text is printed their targets are not beside it.
func trustAndLimits(text string) string {
	_, text, _ = strings.Cut(text, "## Whom you trust, with what")
	text = regexp.MustCompile(`\[([^\]]+)\]\([^)]+\)`).ReplaceAllString(text, "$1")
	return "## Whom you trust, with what" + strings.TrimRight(text, "\n")
}

// sizeText prints a limit in the largest unit that it is a whole number of.
func sizeText(n int64) string {
	switch {
	case n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n%(1<<10) == 0:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

func accreditedHost(h *hostFolder) (*hostView, error) {
	executable, err := executableDigest()
	if err != nil {
		return nil, err
	}
	version := readVersion()
	configs, err := h.card.HPKEConfigs()
	if err != nil {
		return nil, err
	}
	card := newCardView("host", string(h.card.Member), h.card.URL, h.card.Key, configs, h.card.Certificate, h.card.Digest())
	view := &hostView{
		Version: version.String(), Go: version.Go, Platform: version.Platform, Executable: executable,
		Member: card.Name, Role: "not known yet: there is no charter that all three have signed", URL: card.URL,
		Listen: h.cfg.Listen, Operations: h.cfg.Operations, Database: "SQLite, a file of this machine",
		Pin: card.Certificate, Key: string(card.Key), Suites: strings.Join(card.Suites, ", "),
		Log: strings.ToLower(h.cfg.Log.Level.String()) + " and above, " + map[bool]string{true: "JSON", false: "text"}[h.cfg.Log.JSON],
	}
	if h.cfg.PostgresDSN != "" {
		view.Database = "PostgreSQL; the connection string is in a file of mode 0600"
	}
	switch cycle, err := h.cycle(); {
	case err == nil:
		view.Role = fmt.Sprintf("%s of the cycle %s of %s", roleName(cycle.role), cycle.charter.Cycle, cycle.charter.Coalition)
	case errs.KindOf(err) != errs.NotFound && errs.KindOf(err) != errs.Conflict:
		return nil, err
	}
	return view, nil
}

// executableDigest returns the SHA-256 of the running program's file.
func executableDigest() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the program's own file: %w", err)
	}
	digest := sha256.New()
	_, err = io.Copy(digest, f)
	return hex.EncodeToString(digest.Sum(nil)), errors.Join(err, f.Close())
}

// linkedModules returns what this program was built from.
func linkedModules() []linkedModule {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	var list []linkedModule
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		list = append(list, linkedModule{m.Path, m.Version, m.Sum})
	}
	return list
}
