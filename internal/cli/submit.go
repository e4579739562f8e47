package cli

import (
	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/exchange"
)

func newSubmitCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "submit",
		Short: "Take part in a cycle as a member",
		Args:  noSubcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newSubmitInitCmd(env), newSubmitSealCmd(env), newSubmitUploadCmd(env))
	return cmd
}

func newSubmitInitCmd(env Env) *cobra.Command {
	var member string
	cmd := &cobra.Command{
		Use:   "init DIR --member NAME",
		Short: "Make a member's signing key",
		Long: `Make a member's signing key, and print the line with its public part that the
coordinator adds to the file of members. Nothing in the folder keys leaves this
machine. The key that is there is printed again and never replaced.`,
		Example: `  muster submit init member --member Ostmere`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if member == "" {
				return usageError(cmd, "muster submit init needs --member NAME")
			}
			return runSubmitInit(env, args[0], member)
		},
	}
	cmd.Flags().StringVar(&member, "member", "", "the member (required)")
	return cmd
}

func runSubmitInit(env Env, dir, name string) error {
	member, err := coalition.ParseMemberID(name)
	if err != nil {
		return err
	}
	folder := keyFolder(dir)
	signer, err := folder.MakeSigner(env.Rand, string(member))
	if err != nil {
		return err
	}
	if err := checkOwner(dir, signer, string(member), "muster submit init"); err != nil {
		return err
	}
	if err := exchange.WriteMember(env.Out, coalition.Member{ID: member, Key: signer.Public()}); err != nil {
		return err
	}
	say(env, "%s holds the signing key of %s: nobody else may read it", folder.Dir, member)
	say(env, "send the line above to the coordinator, by any way, and read these words out to the coordinator on the telephone:")
	return writeWords(env.Err, "muster:   ", signer.Public().Digest())
}
