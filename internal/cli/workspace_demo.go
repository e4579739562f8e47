package cli

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/account"
	"muster/internal/config"
	"muster/internal/demo"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/store"
	"muster/internal/store/workspacedb"
	"muster/internal/workspace"
)

type workspaceDemoFlags struct {
	dir, address string
	seed         uint64
	team         bool
}

func newWorkspaceDemoCmd(env Env) *cobra.Command {
	var f workspaceDemoFlags
	cmd := &cobra.Command{
		Use:   "demo [--team]",
		Short: "Open the half-filled workspace of an invented member",
		Long: `Make the workspace of an invented member in its second year, half filled, and serve
it on this machine until Ctrl-C: what looks unchanged waits to be confirmed, bodies
have contributed, last year has a plan and the coalition's release. One survey, of
muster-ai, is answered under a charter: approve it, seal it, and look at the receipt.
No host listens, so that nothing is delivered. Everything in it is invented, and all
of it is marked SYNTHETIC.

With --team it is served over TLS to several people, each as what she is: the
addresses of their invitations are printed. Each registers a passkey, in a browser
that trusts the certificate; a second profile of the browser is a second person.

It is made in a temporary folder that is removed at the end, or kept in --dir, where
it opens with the passphrase "an entirely invented member".`,
		Example: `  muster workspace demo
  muster workspace demo --team --dir demo`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runWorkspaceDemo(cmd.Context(), env, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "dir", "", "keep it in this new folder")
	flags.StringVar(&f.address, "listen", workspaceAddress, "address of this machine, with port")
	flags.Uint64Var(&f.seed, "seed", 1, "the same seed makes the same workspace")
	flags.BoolVar(&f.team, "team", false, "serve it to several people, who are invited")
	return cmd
}

// syntheticPassphrase opens a demonstration that is kept: there is nothing to hide.
const syntheticPassphrase = "an entirely invented member"

func runWorkspaceDemo(ctx context.Context, env Env, f workspaceDemoFlags) (err error) {
	var packs []*framework.Pack
	for _, id := range []string{defaultPack, "muster-ports", "muster-ai"} {
		pack, err := framework.Find(env.Packs, id)
		if err != nil {
			return err
		}
		packs = append(packs, pack)
	}
	folder, key, err := demoFolder(env, f.dir)
	if err != nil {
		return err
	}
	if f.dir == "" {
		defer func() { err = errors.Join(err, os.RemoveAll(folder.Dir)) }()
	}
	full := func(err error) error {
		return placeError(err, folder.Dir, "make room there, and run the command again")
	}
	signer, err := folder.Keys().MakeSigner(env.Rand, string(demo.WorkspaceMember))
	if err != nil {
		return full(err)
	}
	db, err := workspacedb.Open(ctx, workspacedb.Config{Path: folder.Database(), Key: key})
	if err != nil {
		return full(err)
	}
	w := &openWorkspace{
		Service: workspace.New(workspace.Config{Store: db, Now: env.Now, Rand: env.Rand}),
		folder:  folder, db: db, person: workspace.Lead("Ada Lindqvist"),
	}
	defer w.close(&err)
	say(env, "an invented member fills its workspace")
	err = demo.FillWorkspace(ctx, demo.WorkspaceConfig{
		Store: db, Packs: packs[:2], Seed: f.seed, Now: env.Now(), Lead: w.person, Chartered: packs[2], Member: signer.Public(),
	})
	if err != nil {
		return full(err)
	}
	sealer := &pageSealer{env: env, w: w, asks: f.dir != ""}
	if f.dir != "" {
		say(env, "its passphrase, which is asked for before sealing, is: %s", syntheticPassphrase)
	}
	if f.team {
		return serveDemoTeam(ctx, env, w, f.address, sealer)
	}
	return serveWorkspace(ctx, env, w.Service, w.person, false, demo.Synthetic, f.address, sealer, nothingBeside)
}

// demoHost is the name under which several reach a demonstration: browsers take it for
// this machine, and passkeys need a name.
const demoHost = "localhost"

// serveDemoTeam serves a demonstration to several people, whom it invites.
func serveDemoTeam(ctx context.Context, env Env, w *openWorkspace, address string, sealer *pageSealer) error {
	if err := loopbackAddress(address); err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil || port == "0" {
		return errs.New(errs.Invalid, "--team needs an address with a port, and not "+errs.Quote(address), "such as "+workspaceAddress)
	}
	t := &team{cfg: &config.Team{URL: "https://" + demoHost + ":" + port, Listen: address, Idle: time.Hour, Longest: 12 * time.Hour}}
	t.certificate, err = w.folder.Keys().MakeCertificate(func() (tls.Certificate, error) { return demoCertificate(env) })
	if err != nil {
		return err
	}
	people, err := w.people(env)
	if err != nil {
		return err
	}
	for _, who := range demo.Team() {
		token, err := people.Invite(ctx, w.person.Name, account.Invitee{Name: who.Name, Grants: who.Grants, Valid: account.DefaultValid})
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(env.Out, "%-16s %-32s %s\n", who.Name, rolesText(who.Grants), invitationAddress(t.cfg, token)); err != nil {
			return err
		}
	}
	certificate := filepath.Join(w.folder.Keys().Dir, "tls.crt")
	say(env, "each address lets one invented person in, once: %s", demo.Synthetic)
	say(env, "browsers register a passkey only where they trust the certificate: import %s as one of a website or an authority, and take it out again afterwards", certificate)
	return serveTeam(ctx, env, w, t, sealer, nothingBeside)
}

// demoCertificate makes a certificate of this machine for a demonstration. Browsers take
// no Ed25519.
func demoCertificate(env Env) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // which takes no other source
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(env.Rand, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("draw a serial number: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)), Subject: pkix.Name{CommonName: "muster demonstration, " + demo.Synthetic}, DNSNames: []string{demoHost},
		NotBefore: env.Now().Add(-time.Hour), NotAfter: env.Now().AddDate(0, 0, 30),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// demoFolder makes the folder of a demonstration and its key.
func demoFolder(env Env, dir string) (config.Workspace, *store.Key, error) {
	if dir == "" {
		scratch, err := os.MkdirTemp("", "muster-workspace-demo-*")
		if err != nil {
			return config.Workspace{}, nil, noScratch(err)
		}
		key, err := store.NewKey(env.Rand) // which ends with the command
		return config.Workspace{Dir: scratch}, key, err
	}
	if err := newFolder(dir); err != nil {
		return config.Workspace{}, nil, errs.Wrap(err, errs.KindOf(err), strings.ReplaceAll(errs.Describe(err).Message, "--data", "--dir"), "give a new folder to --dir")
	}
	folder := config.Workspace{Dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return folder, nil, placeError(err, dir, "give another folder to --dir")
	}
	if err := os.WriteFile(filepath.Join(dir, syntheticFile), []byte(syntheticNotice), 0o600); err != nil {
		return folder, nil, placeError(err, dir, "give another folder to --dir")
	}
	lock, err := config.PassphraseLock(syntheticPassphrase)
	if err != nil {
		return folder, nil, err
	}
	made, err := folder.MakeKey(env.Rand, lock)
	key := store.Key(made)
	return folder, &key, err
}
