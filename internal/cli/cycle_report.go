package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/errs"
	"muster/internal/rehearse"
)

func newRehearsalReportCmd(env Env) *cobra.Command {
	var charter string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "report FILE --charter FILE",
		Short: "Show the signed report of a rehearsal",
		Long: `Show the report of a rehearsal on one page, once it is checked that the coordinator
of the charter has signed it. It needs no network. Exit code 1 means that the
rehearsal did not pass.`,
		Example: `  muster cycle rehearsal report rehearsal-report.json --charter charter.json`,
		Args:    oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if charter == "" {
				return usageError(cmd, "muster cycle rehearsal report needs --charter FILE, the charter of the rehearsal")
			}
			return runRehearsalReport(env, args[0], charter, asJSON)
		},
	}
	cmd.Flags().StringVar(&charter, "charter", "", "the charter of the rehearsal, its .sig beside it (required)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func runRehearsalReport(env Env, path, charterPath string, asJSON bool) error {
	_, charter, err := openCharter(charterPath)
	if err != nil {
		return err
	}
	file, err := readSigned(path, "rehearsal report")
	if err != nil {
		return err
	}
	report, err := rehearse.OpenReport(file, charter)
	if err != nil {
		return inFile(path, err)
	}
	if asJSON {
		if _, err := fmt.Fprintf(env.Out, "%s\n", file.Body); err != nil {
			return err
		}
	} else if err := writeReport(env, report); err != nil {
		return err
	}
	if !report.Passed {
		return errs.New(errs.Conflict, "this rehearsal did not pass", "")
	}
	return nil
}

// writeReport prints a report on one page.
func writeReport(env Env, r *rehearse.Report) error {
	w := &page{w: env.Out}
	verdict := "passed"
	if !r.Passed {
		verdict = "NOT PASSED"
	}
	w.printf("%s of %s, cycle %s: %s\n\n", r.Marking, r.Coalition, r.Cycle, verdict)
	w.printf("  charter      %s\n  program      %s\n  test members %d, of which %d were added up\n", r.Charter, r.Program, r.Members, r.Submissions)
	for _, h := range r.Hosts {
		clock, _ := h.Clock()
		w.printf("\n%s, %s\n  %s, %s\n  %s, %s, %s; %d µs there and back\n  pin %s\n  %s\n", h.Role, h.Member, h.URL, h.Address, h.TLS, h.Cipher, h.Protocol, h.RoundTrip, h.Pin, clock)
	}
	w.printf("\n")
	for _, s := range r.Steps {
		good := "ok"
		if !s.Good {
			good = "FAILED"
		}
		w.printf("%-28s %-6s %12s   %s\n", s.Name, good, time.Duration(s.Took)*time.Millisecond, time.Unix(s.Began, 0).UTC().Format("2006-01-02 15:04:05 UTC"))
		if len(s.Found) > 0 {
			w.printf("  %s\n", strings.Join(s.Found, "\n  "))
		}
	}
	for _, n := range r.Next {
		w.printf("\nNext, %s:\n", n.Who)
		for _, what := range n.What {
			w.printf("  - %s\n", what)
		}
	}
	return w.err
}

// page writes until something fails.
type page struct {
	w   io.Writer
	err error
}

func (p *page) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
