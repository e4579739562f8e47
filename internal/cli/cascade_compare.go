package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/exchange"
)

func newCascadeCompareCmd(env Env) *cobra.Command {
	var (
		f        caseFlags
		against  string
		measures string
		take     []string
		u        uncertainFlags
		a        aroundFlags
	)
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Two runs beside each other: what differs, and how sure that is",
		Long: `Run two cases with the same random bits, so that the intervals are those of
differences trial by trial: two scenarios, or one without and with measures.

With --levels, --release or --workspace owners stand as in muster cascade run, both
times at the median of every parameter; who is known by a release alone stands as its
members do on average.`,
		Example: `  muster cascade compare --services services.csv --requirements requirements.csv --scenario a.yaml --against b.yaml
  muster cascade compare --services services.csv --requirements requirements.csv --scenario a.yaml --measures measures.yaml --take patching`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (against == "") == (measures == "") {
				return usageError(cmd, cmd.CommandPath()+" needs --against or --measures")
			}
			if err := u.check(cmd, a); err != nil {
				return err
			}
			if cmd.Flags().Changed("uncertainty") && u.levels == "" && !a.wanted() {
				return usageError(cmd, "--uncertainty goes with --levels, --release or --workspace")
			}
			in, k, of, err := readLikeliest(cmd, env, f, u, a)
			if err != nil {
				return err
			}
			before, err := of(in.scenario)
			if err != nil {
				return err
			}
			after := before
			if against != "" {
				s, err := readScenario(in.register, against)
				if err != nil {
					return err
				}
				if after, err = of(s); err != nil {
					return err
				}
				in.invented = in.invented || s.Synthetic
			} else if after, err = takeMeasures(in, before, measures, take); err != nil {
				return err
			}
			done := watched(env, &in.options, "compare trials")
			c, err := cascade.Compare(cmd.Context(), before, after, in.options)
			done()
			if err != nil {
				return err
			}
			err = f.print(env, in, c, k.words()+comparisonText(c))
			return stopped(cmd, env, err, c.Complete, c.Trials, c.Planned)
		},
	}
	f.add(cmd, 1<<15)
	u.addKnown(cmd, "default", "a file of parameters, or default for that of muster; counts where levels are known")
	a.add(cmd)
	cmd.Flags().StringVar(&against, "against", "", "another scenario")
	cmd.Flags().StringVar(&measures, "measures", "", "a file of measures to take")
	cmd.Flags().StringSliceVar(&take, "take", nil, "the ids of those to take; else all")
	return cmd
}

// takeMeasures returns the case with measures taken.
func takeMeasures(in *inputs, c cascade.Case, path string, ids []string) (cascade.Case, error) {
	m, err := readMeasures(in.register, path)
	if err != nil {
		return cascade.Case{}, err
	}
	in.invented = in.invented || m.Synthetic
	list := m.List
	if len(ids) > 0 {
		if list, err = measuresNamed(m, ids); err != nil {
			return cascade.Case{}, err
		}
	}
	return c.Apply(list...)
}

func measuresNamed(m *exchange.Measures, ids []string) (list []cascade.Measure, err error) {
	for _, id := range ids {
		i := slices.IndexFunc(m.List, func(x cascade.Measure) bool { return x.ID == id })
		if i < 0 {
			return nil, errs.New(errs.Invalid, "there is no measure "+errs.Quote(id), "give --take an id of the file")
		}
		list = append(list, m.List[i])
	}
	return list, nil
}

// stopped ends a command whose run may have been stopped.
func stopped(cmd *cobra.Command, env Env, err error, complete bool, trials, planned uint64) error {
	if err != nil || complete {
		return err
	}
	say(env, "stopped after %d of %d trials; what is printed is of those", trials, planned)
	return errors.Join(errs.New(errs.Unavailable, "the run was stopped", ""), cmd.Context().Err())
}

func comparisonText(c *cascade.Comparison) string {
	var b strings.Builder
	d := c.Worst
	fmt.Fprintf(&b, "lost at the worst moment   %s before, %s after: %s (± %s); less in %s of the trials, more in %s\n",
		percent(d.Before), percent(d.After), signed(d.Change, percent), percent(d.Error), percent(d.Less), percent(d.More))
	fmt.Fprintf(&b, "lost in all                %s before, %s after: %s (± %s) of everything critical\n",
		hours(c.Lost.Before), hours(c.Lost.After), signed(c.Lost.Change, hours), hours(c.Lost.Error))
	for _, m := range c.Missions {
		fmt.Fprintf(&b, "mission %-18s down %s before, %s after: %s (± %s); fails in %s, then %s of the trials\n",
			m.ID, hours(m.Hours.Before), hours(m.Hours.After), signed(m.Hours.Change, hours), hours(m.Hours.Error), percent(m.Fails[0]), percent(m.Fails[1]))
	}
	fmt.Fprintf(&b, "%d trials, seed %d, engine %s\n", c.Trials, c.Seed, c.Engine)
	if c.Hash != "" {
		fmt.Fprintf(&b, "result %s\n", c.Hash)
	}
	return b.String()
}

// hours writes a time with two significant digits.
func hours(x float64) string { return digits2(x) + " h" }

// digits2 writes a number with two significant digits, three decimals at most.
func digits2(x float64) string {
	if x == 0 {
		return "0"
	}
	return fmt.Sprintf("%.*f", min(max(0, 1-int(math.Floor(math.Log10(math.Abs(x))))), 3), x)
}

// signed writes a change.
func signed(x float64, write func(float64) string) string {
	if x > 0 {
		return "+" + write(x)
	}
	return write(x)
}
