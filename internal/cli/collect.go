package cli

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
)

// coordinatorCardFile is the coordinator's card in its folder.
const coordinatorCardFile = "coordinator-card.json"

func newCollectCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "collect",
		Short: "Work as the coordinator of a cycle",
		Long: `Work as the coordinator of a cycle: make its keys, put the charter together that
both hosts then sign, postpone the deadline if need be, collect the totals once,
make the release, and wipe.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newCollectInitCmd(env), newCollectCharterCmd(env), newCollectRunCmd(env), newCollectReleaseCmd(env), newCollectPostponeCmd(env), newCollectWipeCmd(env), newCollectCollectiveCmd(env))
	return cmd
}

func newCollectInitCmd(env Env) *cobra.Command {
	var name, suite string
	cmd := &cobra.Command{
		Use:   "init DIR --name COALITION",
		Short: "Make the coordinator's folder: keys and card",
		Long: `Make the coordinator's folder with the keys of a cycle and coordinator-card.json,
which shows their public parts to the hosts. Nothing in the folder keys leaves
this machine. A command that was interrupted may be repeated.`,
		Example: `  muster collect init coordinator --name "Sea of Lights"`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				return usageError(cmd, "muster collect init needs --name COALITION")
			}
			return runCollectInit(env, args[0], name, suite)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the coalition (required)")
	cmd.Flags().StringVar(&suite, "suite", "x25519", "how the totals are sealed for it: x25519, or hybrid")
	return cmd
}

func runCollectInit(env Env, dir, name, suiteName string) error {
	suite, err := parseSuite(suiteName)
	if err != nil {
		return err
	}
	if fault := coalition.NameFault(name); fault != "" {
		return errs.New(errs.Invalid, "the name of the coalition, "+errs.Quote(name)+", "+fault, "")
	}
	folder := keyFolder(dir)
	signer, err := folder.MakeSigner(env.Rand, "coordinator "+name)
	if err != nil {
		return err
	}
	if err := checkOwner(dir, signer, "coordinator "+name, "muster collect init"); err != nil {
		return err
	}
	if err := makeSealed(folder, dir, suite); err != nil {
		return err
	}
	_, err = folder.MakeCertificate(func() (tls.Certificate, error) {
		return daphttp.NewCertificate(daphttp.CertificateConfig{Name: "coordinator " + name, Now: env.Now(), Rand: env.Rand})
	})
	if err != nil {
		return err
	}
	card, err := newCoordinatorCard(name, folder)
	if err != nil {
		return err
	}
	signed, err := card.Sign(signer)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, coordinatorCardFile)
	if err := keepSigned(path, signed, errs.New(errs.Conflict, fmt.Sprintf("%s shows other keys than the folder holds", strconv.Quote(path)), "begin in a new folder")); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "The card of the coordinator of %s:\n\n", name); err != nil {
		return err
	}
	if err := writeWords(env.Out, "  ", card.Digest()); err != nil {
		return err
	}
	say(env, "%s holds the secrets of the coordinator: nobody else may read it", folder.Dir)
	say(env, "send %s and %s to both hosts, and read the words out to each on the telephone", path, path+sigExt)
	return nil
}

// newCoordinatorCard returns the card that a folder of keys gives.
func newCoordinatorCard(name string, folder config.KeyFolder) (coalition.CoordinatorCard, error) {
	signer, err := folder.Signer()
	if err != nil {
		return coalition.CoordinatorCard{}, err
	}
	pairs, err := folder.HPKE()
	if err != nil {
		return coalition.CoordinatorCard{}, err
	}
	cert, err := folder.Certificate()
	if err != nil {
		return coalition.CoordinatorCard{}, err
	}
	return coalition.NewCoordinatorCard(name, signer.Public(), pairs[0].Config(), coalition.Pin(cert.Leaf.RawSubjectPublicKeyInfo))
}
