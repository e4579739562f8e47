package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/exchange"
)

func newCascadeCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cascade",
		Short: "Compute what falls together when something shared fails",
		Long: `Compute what falls together when something shared fails: services, what they
require of each other, and a scenario that says who is hit.

docs/spec/register.md says how the tables read.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCascadeCheckCmd(env), newCascadeAskCmd(env), newCascadeAnswersCmd(env), newCascadeRunCmd(env), newCascadeCompareCmd(env), newCascadeInvestCmd(env), newCascadeParametersCmd(env), newCascadeReplayCmd(env), newCascadeExportCmd(env), newCascadeGenerateCmd(env), newCascadeServeCmd(env), newCascadeBenchCmd(env))
	return cmd
}

// registerFlags name the tables of a register.
type registerFlags struct {
	services, requirements string
	undisputed             bool
}

func (f *registerFlags) add(cmd *cobra.Command) {
	f.addTables(cmd)
	cmd.Flags().BoolVar(&f.undisputed, "without-disputed", false, "take disputed rows as their suppliers say: left out, or with their values")
}

func (f *registerFlags) addTables(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.services, "services", "", "the table of services, CSV or YAML")
	cmd.Flags().StringVar(&f.requirements, "requirements", "", "the table of what they require, CSV or YAML")
}

// read reads both tables, and says what in them is unknown or waits for itself.
func (f *registerFlags) read(cmd *cobra.Command, env Env) (*exchange.Register, *cascade.Graph, error) {
	if f.services == "" || f.requirements == "" {
		return nil, nil, usageError(cmd, cmd.CommandPath()+" needs --services and --requirements")
	}
	services, err := openTable(f.services)
	if err != nil {
		return nil, nil, err
	}
	defer services.Close()
	requirements, err := openTable(f.requirements)
	if err != nil {
		return nil, nil, err
	}
	defer requirements.Close()
	register, err := exchange.ReadRegister(f.services, services, f.requirements, requirements)
	if err != nil {
		return nil, nil, err
	}
	warnEach(env, disputeLines(register), "dispute", "disputes")
	if f.undisputed {
		register = register.WithoutDisputed()
	}
	g, err := register.Graph()
	if err != nil {
		return nil, nil, errs.Wrap(err, errs.Invalid, err.Error(), "mend the tables and run the command again")
	}
	warnOfRegister(env, register, g)
	return register, g, nil
}

func openTable(path string) (io.ReadCloser, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errs.Wrap(err, errs.NotFound, because(errs.Quote(path)+" cannot be read", err), "name a CSV or YAML file")
	}
	return f, nil
}

// warnOfRegister says what is allowed and changes what a result means.
func warnOfRegister(env Env, r *exchange.Register, g *cascade.Graph) {
	var columns []string
	for column := range r.Unknown {
		columns = append(columns, column)
	}
	slices.Sort(columns)
	for _, column := range columns {
		warn(env, "%s unknown: %s", column, plural(r.Unknown[column], "1 cell", "%d cells"))
	}
	warnEach(env, cycleLines(g, g.ZeroDelayCycles(), "%d services require each other without a buffer: %s"), "cycle", "cycles")
	warnEach(env, cycleLines(g, g.LaggingCycles(), "%d services require each other and some have a restart lag; once an outage has gone around they never come back by themselves: %s"), "cycle", "cycles")
}

// disputeLines names the rows that their suppliers dispute, with what these say.
func disputeLines(r *exchange.Register) []string {
	var lines []string
	for _, d := range r.Confirmation.Disputed {
		q := &r.Requirements[d.Requirement]
		line := fmt.Sprintf("%s disputes that %s requires it for %s", r.Services[d.Supplier].ID, r.Services[q.Service].ID, errs.Quote(q.Name))
		if d.Binding != nil {
			line += fmt.Sprintf("; binding %s in place of %s", digits2(d.Binding.Float()), digits2(q.Binding.Float()))
		}
		if d.Buffer != nil {
			line += fmt.Sprintf("; buffer %s in place of %s", hours(d.Buffer.Hours()), hours(q.Buffer.Hours()))
		}
		if d.Said != "" {
			line += ": " + errs.Quote(d.Said)
		}
		lines = append(lines, line)
	}
	return lines
}

// cycleLines says who is in each cycle.
func cycleLines(g *cascade.Graph, cycles [][]int, format string) []string {
	var lines []string
	for _, c := range cycles {
		var names []string
		for _, s := range c[:min(len(c), 5)] {
			names = append(names, g.Services()[s].ID)
		}
		line := fmt.Sprintf(format, len(c), strings.Join(names, ", "))
		if len(c) > 5 {
			line += " and others"
		}
		lines = append(lines, line)
	}
	return lines
}

// suppliersView is what suppliers say of the rows that name them.
type suppliersView struct {
	Confirmed int `json:"confirmed"`
	Disputed  int `json:"disputed"`
	Unknown   int `json:"unknown"`
	Open      int `json:"not_asked"`
	LeftOut   int `json:"disputed_and_left_out"`
	Changed   int `json:"disputed_and_as_suppliers_say"`
	Own       int `json:"both_sides_one_owner"`
}

func newSuppliersView(r *exchange.Register) suppliersView {
	c := r.Confirmation
	return suppliersView{c.Confirmed, len(c.Disputed), c.Unknown, c.Open, c.LeftOut, c.Changed, c.Own}
}

// suppliersText is the same in words; nothing where nobody was asked.
func suppliersText(r *exchange.Register) string {
	v := newSuppliersView(r)
	if !r.Confirmation.Asked {
		return ""
	}
	text := fmt.Sprintf("suppliers confirm %s, dispute %d; %d are without an answer, of %d nobody asked\n", plural(v.Confirmed, "1 row", "%d rows"), v.Disputed+v.LeftOut+v.Changed, v.Unknown, v.Open)
	if v.Own > 0 {
		text += fmt.Sprintf("in %s both sides are one owner; nobody is asked\n", plural(v.Own, "1 more row", "%d more rows"))
	}
	if v.LeftOut > 0 {
		text += "what is in dispute is left out\n"
	}
	if v.Changed > 0 {
		text += "where suppliers say something else it counts as they say\n"
	}
	return text
}

func newCascadeCheckCmd(env Env) *cobra.Command {
	var (
		f      registerFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Name every fault of a register with its place",
		Long: `Name every fault of a register with file, line and column. What is unknown is
counted, and services that require each other without any buffer are named: both
are allowed.`,
		Example: `  muster cascade check --services services.csv --requirements requirements.csv`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			register, g, err := f.read(cmd, env)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(env.Out, map[string]any{
					"services": len(g.Services()), "requirements": len(g.Requirements()), "dependencies": g.Dependencies(),
					"unknown": register.Unknown, "graph_digest": g.Digest(), "suppliers_say": newSuppliersView(register),
				})
			}
			_, err = fmt.Fprintf(env.Out, "%d services, %d requirements, %d dependencies\n%s", len(g.Services()), len(g.Requirements()), g.Dependencies(), suppliersText(register))
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what was read as JSON")
	return cmd
}
