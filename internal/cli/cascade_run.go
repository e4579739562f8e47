package cli

import (
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
)

func newCascadeRunCmd(env Env) *cobra.Command {
	var (
		f   caseFlags
		top int
		u   uncertainFlags
		a   aroundFlags
	)
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Simulate a scenario: what is lost, for how long, and what that hangs on",
		Long: `Simulate a scenario: what share of critical service is lost at the worst moment,
which missions fail and for how long, and which services spare most if they cannot
fall.

One seed gives one result on any machine and any number of threads; result_hash
names it. Ctrl-C ends the run and prints what is known so far, without a hash.

With --uncertainty the same runs under 200 draws of what nobody knows exactly, of
512 trials each: medians with the 80 per cent of draws around them, what each
parameter moves by itself, and how often a service is among the five that matter
most. Ctrl-C prints these of the draws that are done, where ten are.

With --levels owners stand as a file says of each, and the runs are such draws, too.

With --release the owners of whom nothing else is known stand as its members do
together: each draw gives them levels that its bands allow, and says anew how far who
is low in one outcome is low in others. With --workspace a member runs the same on its
own machine: it stands where its answers put it, is taken out of the release, and what
its bodies depend on is laid over the register. Nothing of that leaves the machine;
the result is marked.`,
		Example: `  muster cascade run --services services.csv --requirements requirements.csv --scenario scenario.csv --seed 7`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := u.check(cmd, a); err != nil {
				return err
			}
			if a.wanted() {
				return runAround(cmd, env, f, u, a, top)
			}
			if err := a.check(cmd, f.json); err != nil {
				return err
			}
			if u.parameters == "" && u.levels != "" {
				u.parameters = "default"
			}
			if u.parameters != "" {
				return runUncertain(cmd, env, f, u, top)
			}
			return runCascade(cmd, env, f, top)
		},
	}
	f.add(cmd, 1<<16)
	u.add(cmd)
	a.add(cmd)
	cmd.Flags().IntVar(&top, "top", 5, "how many dependencies to name")
	return cmd
}

func runCascade(cmd *cobra.Command, env Env, f caseFlags, top int) error {
	in, err := f.read(cmd, env)
	if err != nil {
		return err
	}
	in.options.Top = top
	done := watched(env, &in.options, "simulate trials")
	result, err := cascade.Run(cmd.Context(), in.graph, in.scenario.Scenario, in.options)
	done()
	if err != nil {
		return err
	}
	err = f.print(env, in, result, cascadeText(result))
	return stopped(cmd, env, err, result.Complete, result.Trials, result.Planned)
}

// cascadeText is a result in words. Shares have two digits: more would claim more
// than anybody knows.
func cascadeText(r *cascade.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "lost at the worst moment   %s of critical service (half of the trials at least %s, one in twenty at least %s)\n",
		percent(r.Worst.Mean), percent(r.Worst.P50), percent(r.Worst.P95))
	if r.Engine != cascade.Static {
		fmt.Fprintf(&b, "90 %% restored              %s\n", restoredText(r))
	}
	for _, m := range r.Missions {
		fmt.Fprintf(&b, "mission %-18s fails in %s of the trials, %.0f h on average, at least %.0f h in one of twenty\n", m.ID, percent(m.Fails), m.Mean, m.P95)
	}
	if r.Restored.Never > 0 && len(r.Missions) > 0 {
		fmt.Fprintf(&b, "hours down are counted for %s and no further: where something stays down longer, averages are too low\n", horizonText(r))
	}
	for _, d := range r.Top {
		fmt.Fprintf(&b, "hangs on %-17s %s spared if it cannot fall (± %s); %s more is lost when it is hit (± %s), %s of all loss goes back to that (± %s)\n",
			d.ID, percent(d.Spared), percent(d.Error), percent(d.Birnbaum), percent(d.BirnbaumError), percent(d.Criticality), percent(d.CriticalityError))
	}
	if len(r.Top) > 0 {
		certain := "no other spares more in these trials"
		if !r.Certain {
			certain = "whether another spares more is not certain"
		}
		fmt.Fprintf(&b, "run without %s: %s; more when hit is Birnbaum's importance, what goes back to hits is criticality importance\n", plural(r.Tried, "1 service", "%d services"), certain)
	}
	fmt.Fprintf(&b, "input-output bound         %s: the expected loss is never above it\n", percent(r.Bound))
	fmt.Fprintf(&b, "%d trials, seed %d, engine %s\n", r.Trials, r.Seed, r.Engine)
	if r.Hash != "" {
		fmt.Fprintf(&b, "result %s\n", r.Hash)
	}
	return b.String()
}

// restoredText says when most of a loss is back. Where more trials than a quantile leaves
// out never are, that is no time, but the end of what was looked at.
func restoredText(r *cascade.Result) string {
	d := r.Restored
	after := fmt.Sprintf("after %.0f h in half of the trials", d.P50)
	switch {
	case d.Never > 0.5:
		return fmt.Sprintf("in %s of the trials not within %s", percent(d.Never), horizonText(r))
	case d.Never > 0.05:
		return fmt.Sprintf("%s; in %s of the trials not within %s", after, percent(d.Never), horizonText(r))
	}
	return fmt.Sprintf("%s, %.0f h in nineteen of twenty", after, d.P95)
}

// horizonText says how far a run looked.
func horizonText(r *cascade.Result) string {
	return plural(int(math.Round(r.Horizon/24)), "1 day", "%d days")
}

// percent writes a share with two significant digits.
func percent(share float64) string { return digits2(100*share) + " %" }
