package cli

import (
	"github.com/spf13/cobra"
)

func newDisclosureCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "disclosure",
		Short: "What may be published: attack it, audit a charter, explain a release",
		Long: `What may be published. A total over few can point at someone, and so can two
totals beside each other. These commands look for that, with the code that the
release step uses.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newAttackCmd(env), newAuditCmd(env), newExplainCmd(env))
	return cmd
}
