package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/keys"
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
	var charter string
	cmd := &cobra.Command{
		Use:   "join FILE NOTE...",
		Short: "Put the signatures of several copies of a charter together",
		Long: `Add the signatures in other notes to FILE.sig, where each host signed a copy of its
own. FILE is a charter, or a postponement or a release of its cycle; for these the
charter is needed, too. Notes about another file, or with a signature that is not
genuine, are refused.`,
		Example: `  muster charter join charter.json from-ostmere/charter.json.sig from-calverra/charter.json.sig
  muster charter join addendum.json from-ostmere/addendum.json.sig --charter charter.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError(cmd, "muster charter join needs FILE and at least one NOTE")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			return runCharterJoin(env, args[0], args[1:], charter)
		},
	}
	cmd.Flags().StringVar(&charter, "charter", "", "the charter of a postponement or a release (default: charter.json beside it)")
	return cmd
}

func runCharterJoin(env Env, path string, notes []string, charterPath string) error {
	file, err := readSigned(path, "file")
	if err != nil {
		return err
	}
	join, what := joinCharter, "charter"
	for kind, name := range map[keys.Kind]string{keys.KindAddendum: "postponement", keys.KindRelease: "release"} {
		if !strings.HasPrefix(kindOf(file.Body), "muster "+string(kind)+" ") {
			continue
		}
		if charterPath == "" {
			charterPath = filepath.Join(filepath.Dir(path), "charter.json")
		}
		_, charter, err := openCharter(charterPath)
		if err != nil {
			return err
		}
		what = name
		join = func(file coalition.SignedFile, note []byte) (coalition.SignedFile, []coalition.Signatory, error) {
			return charter.JoinFile(kind, file, note)
		}
	}
	var list []coalition.Signatory
	for _, name := range notes {
		note, err := readInput(name, "note")
		if err != nil {
			return err
		}
		if file, list, err = join(file, note); err != nil {
			return err
		}
	}
	if err := realDisk().writeOutput(filepath.Dir(path), []outputFile{{filepath.Base(path) + sigExt, file.Signature, 0o644}}, nil); err != nil {
		return err
	}
	sayWhoSigned(env, what, list)
	return nil
}

func joinCharter(file coalition.SignedFile, note []byte) (coalition.SignedFile, []coalition.Signatory, error) {
	joined, err := coalition.SignedCharter(file).Join(note)
	if err != nil {
		return file, nil, err
	}
	list, err := joined.Signatories()
	return coalition.SignedFile(joined), list, err
}

// sayWhoSigned says who of the three has not signed a file.
func sayWhoSigned(env Env, what string, list []coalition.Signatory) {
	if missing := missingFrom(list); missing != "" {
		say(env, "not yet signed by %s: send the %s and its .sig on", missing, what)
		return
	}
	say(env, "the %s is complete: all three have signed it", what)
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
