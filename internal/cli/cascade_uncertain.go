package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/keys"
)

// uncertainFlags name what the numbers hang on.
type uncertainFlags struct {
	parameters  string
	levels      string
	coordinator string
	draws       int
}

func (f *uncertainFlags) add(cmd *cobra.Command) {
	f.addKnown(cmd, "", "a file of parameters, or default for that of muster: bands over draws of them")
	cmd.Flags().IntVar(&f.draws, "draws", 200, "how many draws of the parameters")
}

// addKnown adds the flags that say what numbers follow from.
func (f *uncertainFlags) addKnown(cmd *cobra.Command, parameters, usage string) {
	cmd.Flags().StringVar(&f.parameters, "uncertainty", parameters, usage)
	cmd.Flags().StringVar(&f.levels, "levels", "", "how well owners stand, a CSV file with owner,resistance,recovery")
	cmd.Flags().StringVar(&f.coordinator, "coordinator", "", "the coordinator's card, who must have signed the file of parameters and the release")
}

// check refuses flags that change nothing beside the others.
func (f *uncertainFlags) check(cmd *cobra.Command, around aroundFlags) error {
	if f.coordinator != "" && around.release == "" && (f.parameters == "" || f.parameters == "default") {
		return usageError(cmd, "--coordinator goes with a file of parameters in --uncertainty, or with --release")
	}
	if !cmd.Flags().Changed("draws") || f.parameters != "" {
		return nil
	}
	if cmd.Name() == "run" && (f.levels != "" || around.wanted()) {
		return nil // such runs are draws
	}
	return usageError(cmd, "--draws goes with --uncertainty")
}

// read returns the parameters and the outlook of a case.
func (f *uncertainFlags) read(env Env, in *inputs) (o cascade.Outlook, p *exchange.CascadeParameters, err error) {
	if p, err = f.readParameters(env); err != nil {
		return o, nil, err
	}
	o, err = f.outlook(in)
	return o, p, err
}

// outlook returns what the numbers of a case hang on.
func (f *uncertainFlags) outlook(in *inputs) (o cascade.Outlook, err error) {
	var levels io.Reader
	if f.levels != "" {
		in.standBy = append(in.standBy, "levels")
		file, err := os.Open(f.levels)
		if err != nil {
			return o, errs.Wrap(err, errs.NotFound, because(errs.Quote(f.levels)+" cannot be read", err), "name a CSV file")
		}
		defer file.Close() // nothing was written
		levels = file
	}
	return in.register.Outlook(in.graph, in.scenario, f.levels, levels)
}

func (f *uncertainFlags) readParameters(env Env) (*exchange.CascadeParameters, error) {
	if f.parameters == "default" {
		return exchange.ReadParameters("default", strings.NewReader(exchange.DefaultParameters()))
	}
	if f.coordinator == "" {
		warn(env, "nobody's signature of %s was asked for; --coordinator names whose", f.parameters)
		body, err := readInput(f.parameters, "file of parameters")
		if err != nil {
			return nil, err
		}
		return exchange.ReadParameters(f.parameters, strings.NewReader(string(body)))
	}
	file, err := readSigned(f.parameters, "file of parameters")
	if err != nil {
		return nil, err
	}
	if err := verifyCoordinator(f.coordinator, keys.KindParameters, file); err != nil {
		return nil, err
	}
	return exchange.ReadParameters(f.parameters, strings.NewReader(string(file.Body)))
}

// runUncertain is muster cascade run under draws of the parameters.
func runUncertain(cmd *cobra.Command, env Env, f caseFlags, u uncertainFlags, top int) error {
	in, err := f.read(cmd, env)
	if err != nil {
		return err
	}
	o, p, err := u.read(env, in)
	if err != nil {
		return err
	}
	return printUncertain(cmd, env, f, u, in, o, p, top, "")
}

// printUncertain looks at an outlook and prints what it found, behind what is known
// of owners.
func printUncertain(cmd *cobra.Command, env Env, f caseFlags, u uncertainFlags, in *inputs, o cascade.Outlook, p *exchange.CascadeParameters, top int, known string) error {
	options := cascade.UncertainOptions{Options: in.options, Draws: u.draws}
	options.Top = top
	if !cmd.Flags().Changed("trials") {
		options.Trials = 0
	}
	done := watched(env, &options.Options, "draw parameters")
	v, err := cascade.Uncertainty(cmd.Context(), o, p.Laws, options)
	done()
	if err != nil {
		return err
	}
	if err := f.print(env, in, v, known+uncertainText(v, p)); err != nil || v.Complete {
		return err
	}
	say(env, "stopped after %d of %d draws; what is printed is of those, without a hash", v.Draws, v.Planned)
	for _, x := range []struct {
		less bool
		text string
	}{
		{len(v.Tornado) < cascade.Parameters, fmt.Sprintf("%d of %d parameters were moved by themselves", len(v.Tornado), cascade.Parameters)},
		{top > 0 && v.StableDraws == 0, "how stable the order is was not looked for long enough to say"},
	} {
		if x.less {
			say(env, "%s", x.text)
		}
	}
	return errors.Join(errs.New(errs.Unavailable, "the run was stopped", ""), cmd.Context().Err())
}

// uncertainText is bands, tornado and stability in words.
func uncertainText(v *cascade.Uncertain, p *exchange.CascadeParameters) string {
	evidence := make(map[string]string)
	for i, a := range p.About {
		evidence[cascade.Parameter(i).String()] = a.Evidence
	}
	band := func(b cascade.Band, write func(float64) string) string {
		return fmt.Sprintf("%s (80 %% of the draws %s to %s)", write(b.Median), write(b.P10), write(b.P90))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "lost at the worst moment   %s of critical service\n", band(v.Worst, percent))
	fmt.Fprintf(&b, "lost in all                %s of everything critical\n", band(v.Lost, hours))
	for _, m := range v.Missions {
		fmt.Fprintf(&b, "mission %-18s fails in %s of the trials, down %s\n", m.ID, band(m.Fails, percent), band(m.Hours, hours))
	}
	for _, s := range v.Tornado {
		fmt.Fprintf(&b, "hangs on %-17s %s to %s of critical service lost; evidence: %s\n", s.Parameter, percent(s.At10), percent(s.At90), evidence[s.Parameter])
	}
	for _, s := range v.Stability {
		fmt.Fprintf(&b, "%-26s in the top 5 in %s of %d draws\n", s.ID, percent(s.First), s.Draws)
	}
	if v.StableDraws > 0 {
		fmt.Fprintf(&b, "that no other service spares more is certain in %d of %d draws\n", v.StableCertain, v.StableDraws)
	}
	fmt.Fprintf(&b, "%d draws of %d trials, seed %d, engine %s, parameters %s\n", v.Draws, v.Trials, v.Seed, v.Engine, p.Version)
	if v.Hash != "" {
		fmt.Fprintf(&b, "result %s\n", v.Hash)
	}
	return b.String()
}

func newCascadeParametersCmd(env Env) *cobra.Command {
	var file, dir string
	cmd := &cobra.Command{
		Use:   "parameters",
		Short: "Print what the numbers hang on, or sign a changed file of it",
		Long: `Print the file of parameters that muster brings, every row with a range and where
it comes from; or check a changed one, and sign it as the coordinator.`,
		Example: `  muster cascade parameters
  muster cascade parameters --file parameters.yaml --dir coordinator`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				_, err := io.WriteString(env.Out, exchange.DefaultParameters())
				return err
			}
			body, err := readInput(file, "file of parameters")
			if err != nil {
				return err
			}
			p, err := exchange.ReadParameters(file, strings.NewReader(string(body)))
			if err != nil {
				return err
			}
			if dir == "" {
				_, err = fmt.Fprintf(env.Out, "%d parameters, version %s\n", len(p.Laws), p.Version)
				return err
			}
			own, err := openCoordinator(dir)
			if err != nil {
				return err
			}
			sig, err := keys.Sign(keys.KindParameters, body, own.signer)
			if err != nil {
				return err
			}
			return os.WriteFile(file+sigExt, sig, 0o644)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "the file to check")
	cmd.Flags().StringVar(&dir, "dir", "", "the coordinator's folder, to sign it")
	return cmd
}
