package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"muster/internal/config"
	"muster/internal/errs"
	"muster/internal/keys"
	"muster/internal/ledger"
)

func newWitnessInitCmd(env Env) *cobra.Command {
	var name string
	var ledgers []string
	cmd := &cobra.Command{
		Use:   "init DIR --name NAME [--ledger KEY]",
		Short: "Make the folder of a witness: key and configuration",
		Long: `Make the folder of a witness with its key and witness.yaml, which names the ledgers
that it watches. The name stands on every checkpoint, for good: one such as
witness.ostmere.example, without spaces. A command that was interrupted may be
repeated.`,
		Example: `  muster witness init witness --name witness.ostmere.example --ledger ledger.sea-of-lights.example+52a3…`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if name == "" {
				return usageError(cmd, "muster witness init needs --name NAME")
			}
			return runWitnessInit(env, args[0], name, ledgers)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the name of the witness on checkpoints (required)")
	cmd.Flags().StringArrayVar(&ledgers, "ledger", nil, "the key of a ledger that it watches; once for each")
	return cmd
}

func runWitnessInit(env Env, dir, name string, ledgers []string) error {
	var list []keys.Public
	for _, text := range ledgers {
		key := keys.Public(text)
		if err := key.Check(); err != nil {
			return err
		}
		list = append(list, key)
	}
	signer, pin, err := initNamed(env, dir, name, config.WitnessFile, config.WitnessYAML(list))
	if err != nil {
		return err
	}
	public, err := signer.Public().Cosigner()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(env.Out, "%s\n", public); err != nil {
		return err
	}
	say(env, "this is the key of the witness: it belongs into the charter, and into the configuration of the ledger")
	say(env, "its server shows a TLS key with the pin %s", pin)
	return nil
}

func newWitnessCosignCmd(env Env) *cobra.Command {
	var dir, out string
	cmd := &cobra.Command{
		Use:   "cosign REQUEST --dir DIR --out FILE",
		Short: "Cosign a checkpoint that came as a file",
		Long: `Cosign the checkpoint of a request that muster ledger request wrote, on a machine that
is never on a network. The answer goes back as a file, for muster ledger cosign.`,
		Example: `  muster witness cosign request --dir witness --out cosignature`,
		Args:    oneArg("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if out == "" {
				return usageError(cmd, "muster witness cosign needs --out FILE")
			}
			request, err := readInput(args[0], "request")
			if err != nil {
				return err
			}
			_, w, err := openWitness(env, dir)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.Close()) }()
			line, err := w.Cosign(request)
			if refusal, ok := errors.AsType[*ledger.RefusalError](err); ok && refusal.Refusal == ledger.RefuseStale {
				return errs.Wrap(err, errs.Conflict, errs.Describe(err).Message, fmt.Sprintf("ask for a request made with muster ledger request --seen %d", refusal.Size))
			}
			if err != nil {
				return err
			}
			if err := placeError(config.Replace(out, line), filepath.Dir(out), "make room there, and run the command again with the same request"); err != nil {
				return err
			}
			say(env, "%s goes back to the ledger: muster ledger cosign %s", out, filepath.Base(out))
			return nil
		},
	}
	dirFlag(cmd, &dir, "this witness")
	cmd.Flags().StringVar(&out, "out", "", "the cosignature to write (required)")
	return cmd
}
