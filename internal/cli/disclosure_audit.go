package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/disclosure"
	"muster/internal/errs"
)

func newAuditCmd(env Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "audit CHARTER",
		Short: "Audit the groups that a charter plans, before anything is opened",
		Long: `Audit the groups that a charter plans, before anything is opened: whether by adding
and subtracting their totals few members can be isolated, hosts' answers counted
as known, with as many colluding members as the charter reckons with. The charter
need not be signed yet.

The hosts repeat it on the frozen rosters before they add anything up; a group that
fails is dropped, and both come to the same decision from the same rosters.

Exit code 3 means that a group would be dropped, or is too small to be released.`,
		Example: `  muster disclosure audit charter.json`,
		Args:    oneArg("CHARTER"),
		RunE: func(_ *cobra.Command, args []string) error {
			body, err := readInput(args[0], "charter")
			if err != nil {
				return err
			}
			charter, err := coalition.SignedCharter{Body: body}.Read()
			if err != nil {
				return inFile(args[0], err)
			}
			return runAudit(env, charter, asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one object for each group, as a JSON list")
	return cmd
}

func runAudit(env Env, charter coalition.Charter, asJSON bool) error {
	decisions, err := disclosure.AuditCharter(charter)
	if err != nil {
		return err
	}
	if asJSON {
		err = writeJSON(env.Out, decisions)
	} else {
		_, err = io.WriteString(env.Out, auditInWords(charter, decisions))
	}
	if err != nil {
		return err
	}
	failed := 0
	for _, d := range decisions {
		if d.Dropped || d.Small {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return refused{errs.New(errs.Conflict, plural(failed, "1 group does not pass", "%d groups do not pass"), "plan fewer groups, or groups whose differences are larger; with real answers no host signs this charter")}
}

// auditInWords says what becomes of every group.
func auditInWords(charter coalition.Charter, decisions []disclosure.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "The groups of %s, cycle %s, if every member takes part:\n\n", charter.Coalition, charter.Cycle)
	for _, d := range decisions {
		fmt.Fprintf(&b, "%s, %s\n", d.Cohort, plural(d.Members, "1 member", "%d members"))
		switch {
		case d.Dropped:
			for _, isolation := range d.Because {
				fmt.Fprintf(&b, "  dropped: %s (%s); at least %d must stand together\n", isolation, namesInWords(isolation.Members), isolation.Needed)
			}
		case d.Small:
			b.WriteString("  too few besides the hosts for a release: its totals stay with the coordinator\n")
		default:
			b.WriteString("  passes\n")
		}
		if d.Dropped || d.Small {
			continue
		}
		for _, other := range d.Shares {
			fmt.Fprintf(&b, "  shares %s with %s: what is released of the one may keep the other from being released\n",
				plural(other.Members, "1 member", "%d members"), other.Cohort)
		}
	}
	return b.String()
}
