package cli

import "github.com/spf13/cobra"

func newCycleCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cycle",
		Short: "Rehearse a cycle on the hosts' machines; replace a host that is lost",
		Args:  noSubcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newRehearsalCmd(env), newReplaceHostCmd(env))
	return cmd
}

func newRehearsalCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rehearsal",
		Short: "Take test members through a whole cycle on the hosts' own machines",
		Long: `Take test members with made-up answers through a whole cycle on the hosts' own
machines, over the coalition's own network, before members are asked. The hosts do
what they will do then: keys, ceremony, charter, serve, freeze, in a folder of
their own and at the address that they will serve at. The coordinator plays all
members, whose sum is known beforehand.

  prepare   makes test members, their answers and the coordinator's keys
  run       delivers, replaces, is late once, collects, compares with the sum
  report    shows the signed report of how it went

muster rehearse is another thing: it takes real answers through a cycle on one
machine.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newRehearsalPrepareCmd(env), newRehearsalRunCmd(env), newRehearsalReportCmd(env))
	return cmd
}
