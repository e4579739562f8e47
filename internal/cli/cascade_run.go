package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/rehearse"
)

type cascadeRunFlags struct {
	register registerFlags
	scenario string
	trials   int
	seed     uint64
	threads  int
	top      int
	days     int
	engine   string
	json     bool
}

func newCascadeRunCmd(env Env) *cobra.Command {
	var f cascadeRunFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Simulate a scenario: what is lost, for how long, and what that hangs on",
		Long: `Simulate a scenario: what share of critical service is lost at the worst moment,
which missions fail and for how long, and which services spare most if they cannot
fall.

One seed gives one result on any machine and any number of threads; result_hash
names it. Ctrl-C ends the run and prints what is known so far, without a hash.`,
		Example: `  muster cascade run --services services.csv --requirements requirements.csv --scenario scenario.csv --seed 7`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runCascade(cmd, env, f) },
	}
	f.register.add(cmd)
	cmd.Flags().StringVar(&f.scenario, "scenario", "", "who is hit, YAML or CSV")
	cmd.Flags().IntVar(&f.trials, "trials", 1<<16, "how many trials; whole blocks of 512 are done")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "what the random bits follow from")
	cmd.Flags().IntVar(&f.threads, "threads", runtime.GOMAXPROCS(0), "how many threads; the result is the same")
	cmd.Flags().IntVar(&f.top, "top", 5, "how many dependencies to name")
	cmd.Flags().IntVar(&f.days, "days", 30, "how far to look")
	cmd.Flags().StringVar(&f.engine, "engine", "", "event, grid or static; else a pilot run chooses event or grid")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as JSON")
	return cmd
}

func runCascade(cmd *cobra.Command, env Env, f cascadeRunFlags) error {
	if f.scenario == "" {
		return usageError(cmd, cmd.CommandPath()+" needs --scenario")
	}
	if f.days < 1 || f.days > 1000 {
		return usageError(cmd, fmt.Sprintf("--days cannot be %d; allowed: 1 to 1000", f.days))
	}
	register, g, err := f.register.read(cmd, env)
	if err != nil {
		return err
	}
	in, err := openTable(f.scenario)
	if err != nil {
		return err
	}
	defer in.Close()
	s, err := register.ReadScenario(f.scenario, in)
	if err != nil {
		return err
	}
	show, done := progressLine(env)
	o := cascade.Options{
		Trials: f.trials, Seed: f.seed, Threads: f.threads, Top: f.top, Engine: cascade.Engine(f.engine),
		Horizon: cascade.Minutes(f.days) * 24 * 60,
	}
	if show != nil {
		o.Progress = func(done, planned int) {
			show(rehearse.Progress{Step: "simulate trials", Done: done - 1, Total: planned})
		}
	}
	result, err := cascade.Run(cmd.Context(), g, s.Scenario, o)
	done()
	if err != nil {
		return err
	}
	if f.json {
		err = writeJSON(env.Out, result)
	} else {
		_, err = io.WriteString(env.Out, cascadeText(result))
	}
	if err == nil && !result.Complete {
		say(env, "stopped after %d of %d trials; what is printed is of those", result.Trials, result.Planned)
		return errors.Join(errs.New(errs.Unavailable, "the run was stopped", ""), cmd.Context().Err())
	}
	return err
}

// cascadeText is a result in words. Shares have two digits: more would claim more
// than anybody knows.
func cascadeText(r *cascade.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "lost at the worst moment   %s of critical service (half of the trials more than %s, one in twenty more than %s)\n",
		percent(r.Worst.Mean), percent(r.Worst.P50), percent(r.Worst.P95))
	if r.Engine != cascade.Static {
		fmt.Fprintf(&b, "90 %% restored              after %.0f h in half of the trials, %.0f h in nineteen of twenty\n", r.Restored.P50, r.Restored.P95)
	}
	for _, m := range r.Missions {
		fmt.Fprintf(&b, "mission %-18s fails in %s of the trials, %.0f h on average, more than %.0f h in one of twenty\n", m.ID, percent(m.Fails), m.Mean, m.P95)
	}
	for _, d := range r.Top {
		fmt.Fprintf(&b, "hangs on %-17s %s spared if it cannot fall (± %s)\n", d.ID, percent(d.Spared), percent(d.Error))
	}
	fmt.Fprintf(&b, "%d trials, seed %d, engine %s\n", r.Trials, r.Seed, r.Engine)
	if r.Hash != "" {
		fmt.Fprintf(&b, "result %s\n", r.Hash)
	}
	return b.String()
}

// percent writes a share with two significant digits.
func percent(share float64) string {
	x := 100 * share
	if x == 0 {
		return "0 %"
	}
	digits := max(0, 1-int(math.Floor(math.Log10(math.Abs(x)))))
	return fmt.Sprintf("%.*f %%", min(digits, 3), x)
}
