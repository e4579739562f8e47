package cli

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
)

type hostInitFlags struct {
	member string
	url    string
	suite  string
}

func newHostInitCmd(env Env) *cobra.Command {
	var f hostInitFlags
	cmd := &cobra.Command{
		Use:   "init DIR --member NAME --url URL",
		Short: "Make a host's folder: keys, configuration and card",
		Long: `Make a host's folder with its keys, its configuration host.yaml, and its card
host-card.json, which shows the public parts of its keys to the other host and to
the coordinator. Nothing in the folder keys leaves this machine.

A folder serves one cycle. A command that was interrupted may be repeated; keys
that are there are never replaced.`,
		Example: `  muster host init ostmere --member Ostmere --url https://muster.ostmere.example:8443/`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.member == "" || f.url == "" {
				return usageError(cmd, "muster host init needs --member NAME and --url URL")
			}
			return runHostInit(env, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.member, "member", "", "the member that hosts (required)")
	flags.StringVar(&f.url, "url", "", "where members and the other host will reach it, https://HOST[:PORT]/ (required)")
	flags.StringVar(&f.suite, "suite", "x25519", "how submissions are sealed for it: x25519, or hybrid to withstand quantum computers as well")
	return cmd
}

// parseSuite reads --suite.
func parseSuite(name string) (dap.Suite, error) {
	switch name {
	case "x25519":
		return dap.SuiteX25519, nil
	case "hybrid":
		return dap.SuiteMLKEM768X25519, nil
	}
	return 0, errs.New(errs.Invalid, "--suite cannot be "+errs.Quote(name)+"; allowed: x25519, hybrid", "")
}

func runHostInit(env Env, dir string, f hostInitFlags) error {
	member, err := coalition.ParseMemberID(f.member)
	if err != nil {
		return err
	}
	u, err := url.Parse(f.url)
	if err == nil && u.Path == "" && u.RawQuery == "" && u.Fragment == "" {
		f.url += "/"
	}
	if err := coalition.CheckURL(f.url); err != nil {
		return err
	}
	suite, err := parseSuite(f.suite)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return errs.Wrap(err, errs.Invalid, because(fmt.Sprintf("the folder %s cannot be made", strconv.Quote(dir)), err), "")
	}
	if err := writeHostConfig(dir, member, f.url); err != nil {
		return err
	}
	cfg, err := config.ReadHost(filepath.Join(dir, config.HostFile))
	if err != nil {
		return err
	}
	folder := cfg.KeyFolder()
	signer, err := folder.MakeSigner(env.Rand, "host "+string(member))
	if err != nil {
		return err
	}
	if err := checkOwner(dir, signer, "host "+string(member), "muster host init"); err != nil {
		return err
	}
	if err := makeSealed(folder, dir, suite); err != nil {
		return err
	}
	_, err = folder.MakeCertificate(func() (tls.Certificate, error) {
		return daphttp.NewCertificate(daphttp.CertificateConfig{Endpoint: dap.URL(f.url), Name: string(member), Now: env.Now(), Rand: env.Rand})
	})
	if err != nil {
		return err
	}
	if _, err := folder.MakeCycleKey(env.Rand); err != nil {
		return err
	}
	card, err := newHostCard(member, f.url, folder)
	if err != nil {
		return err
	}
	signed, err := card.Sign(signer)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, hostCardFile)
	if err := keepSigned(path, signed, errs.New(errs.Conflict, fmt.Sprintf("%s shows other keys than the folder holds", strconv.Quote(path)), "begin in a new folder")); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "The card of the host %s:\n\n", member); err != nil {
		return err
	}
	if err := writeWords(env.Out, "  ", card.Digest()); err != nil {
		return err
	}
	say(env, "%s holds the secrets of this host: nobody else may read it, and no backup of it goes where backups of the database go", folder.Dir)
	say(env, "send %s and %s to the other host and to the coordinator, by any way; read the words out on the telephone, and have theirs read to you", path, path+sigExt)
	return nil
}

// makeSealed makes the HPKE key of that suite, and refuses one of another.
func makeSealed(folder config.KeyFolder, dir string, suite dap.Suite) error {
	pairs, err := folder.MakeHPKE(suite)
	if err != nil {
		return err
	}
	if got, _ := pairs[0].Config().Suite(); got != suite {
		return errs.New(errs.Conflict, fmt.Sprintf("the folder %s has a key of the other suite", strconv.Quote(dir)), "give the same --suite as before, or another folder")
	}
	return nil
}

// writeHostConfig writes the configuration, or checks that the one that is there
// is of the same member and url.
func writeHostConfig(dir string, member coalition.MemberID, address string) error {
	path := filepath.Join(dir, config.HostFile)
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	err = config.CreateSecret(path, config.HostYAML(member, address, ":"+cmp.Or(u.Port(), "8443")))
	if errs.KindOf(err) != errs.Conflict {
		return err
	}
	cfg, err := config.ReadHost(path)
	if err != nil {
		return err
	}
	var differs []string
	if cfg.Member != member {
		differs = append(differs, "of "+errs.Quote(string(cfg.Member)))
	}
	if cfg.URL != address {
		differs = append(differs, "at "+errs.Quote(cfg.URL))
	}
	if differs != nil {
		return errs.New(errs.Conflict, fmt.Sprintf("the folder %s is that of a host %s", strconv.Quote(dir), strings.Join(differs, " ")), "a folder serves one host in one cycle; give another folder")
	}
	return nil
}
