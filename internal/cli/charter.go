package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/errs"
)

func newCharterCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "charter",
		Short: "Show a charter and who has signed it",
		Args:  noSubcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(newCharterShowCmd(env), newCharterJoinCmd(env))
	return cmd
}

func newCharterShowCmd(env Env) *cobra.Command {
	var asJSON, members bool
	cmd := &cobra.Command{
		Use:   "show CHARTER",
		Short: "Print a charter on one page and check its signatures",
		Long: `Print what a charter says on one page, and who has signed it. It needs nothing but
the charter and its .sig, and no network. Exit code 3 means that a signature is
still missing; a signature that is not genuine is an error.

The fingerprints are of the cards with which hosts and coordinator introduced
themselves: compare them with what they read out.`,
		Example: `  muster charter show charter.json`,
		Args:    oneArg("CHARTER"),
		RunE: func(_ *cobra.Command, args []string) error {
			return runCharterShow(env, args[0], asJSON, members)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&members, "members", false, "print every member with the fingerprint of its key")
	return cmd
}

func runCharterShow(env Env, path string, asJSON, members bool) error {
	signed, err := readCharter(path)
	if err != nil {
		return err
	}
	charter, err := signed.Read()
	if err != nil {
		return err
	}
	page, err := newCharterPage(env, signed, charter)
	if err != nil {
		return err
	}
	switch {
	case asJSON:
		err = json.NewEncoder(env.Out).Encode(page)
	default:
		if err = page.write(env.Out); err == nil && members {
			err = writeMembers(env, charter)
		}
	}
	if err != nil {
		return err
	}
	if !page.Complete {
		return refused{errs.New(errs.Conflict, "the charter does not count yet: it is not signed by "+page.missing(), "members seal under a charter that all three have signed")}
	}
	return nil
}

func newCharterJoinCmd(env Env) *cobra.Command {
	return &cobra.Command{
		Use:   "join CHARTER NOTE...",
		Short: "Put the signatures of several copies of a charter together",
		Long: `Add the signatures in other notes to CHARTER.sig, where each host signed a copy
of its own. Notes about another charter, or with a signature that is not genuine,
are refused.`,
		Example: `  muster charter join charter.json from-ostmere/charter.json.sig from-calverra/charter.json.sig`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError(cmd, "muster charter join needs CHARTER and at least one NOTE")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			signed, err := readCharter(args[0])
			if err != nil {
				return err
			}
			for _, name := range args[1:] {
				note, err := readInput(name, "note")
				if err != nil {
					return err
				}
				if signed, err = signed.Join(note); err != nil {
					return err
				}
			}
			if err := realDisk().writeOutput(filepath.Dir(args[0]), []outputFile{{filepath.Base(args[0]) + sigExt, signed.Signature, 0o644}}, nil); err != nil {
				return err
			}
			return sayStanding(env, signed)
		},
	}
}

// missingFrom names who has not signed, or returns "".
func missingFrom(list []coalition.Signatory) string {
	var names []string
	for _, s := range list {
		if !s.Signed {
			names = append(names, fmt.Sprintf("the %s, %s", s.Role, s.Name))
		}
	}
	return strings.Join(names, "; ")
}

// writeMembers prints every member and the fingerprint of its key.
func writeMembers(env Env, c coalition.Charter) error {
	for _, cohort := range c.Cohorts {
		for _, m := range cohort.Members {
			if _, err := fmt.Fprintf(env.Out, "\n%s\n", m.ID); err != nil {
				return err
			}
			if err := writeWords(env.Out, "  ", m.Key.Digest()); err != nil {
				return err
			}
		}
	}
	return nil
}
