package cli

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/cascade"
	"muster/internal/errs"
	"muster/internal/exchange"
)

// maxInvestTrials keeps what an investment remembers of its trials in memory.
const maxInvestTrials = 1 << 18

func newCascadeInvestCmd(env Env) *cobra.Command {
	var (
		f        caseFlags
		measures string
		budget   string
		aim      string
		confirm  int
		u        uncertainFlags
		a        aroundFlags
	)
	cmd := &cobra.Command{
		Use:   "invest",
		Short: "Which measures to take first within a budget, and what they are worth together",
		Long: `Choose measures within a budget: by gain for cost, by gain, from the best pair, and
by exchanges, each tried in the timed engine with the same random bits. What is
printed was measured on trials that did not take part in choosing. What measures
gain together is neither at most nor at least the sum of what they gain alone, so
nothing is promised of how near to the best the choice is.

With --levels, --release or --workspace owners stand as in muster cascade run, for the
choice at the median of every parameter; who is known by a release alone stands there
as its members do on average, and in the draws of --uncertainty as its bands allow.

Ctrl-C ends the search and prints the best that was tried until then, without a
hash.`,
		Example: `  muster cascade invest --services services.csv --requirements requirements.csv --scenario a.yaml --measures measures.yaml --budget 40`,
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if measures == "" || budget == "" {
				return usageError(cmd, cmd.CommandPath()+" needs --measures and --budget")
			}
			if f.trials > maxInvestTrials {
				return usageError(cmd, fmt.Sprintf("--trials cannot be %d; allowed: 1 to %d", f.trials, maxInvestTrials))
			}
			units, err := exchange.ParseBudget(budget)
			if err != nil {
				return err
			}
			if err := u.check(cmd, a); err != nil {
				return err
			}
			in, k, of, err := readLikeliest(cmd, env, f, u, a)
			if err != nil {
				return err
			}
			c, err := of(in.scenario)
			if err != nil {
				return err
			}
			m, err := readMeasures(in.register, measures)
			if err != nil {
				return err
			}
			o := cascade.InvestOptions{Options: in.options, Budget: units, Objective: cascade.Objective(aim), Confirm: confirm}
			for i := range in.register.Services {
				o.Owners = append(o.Owners, in.register.Owner(i))
			}
			words := k.words()
			done := watched(env, &o.Options, "try sets of measures")
			v, err := cascade.Invest(cmd.Context(), c, m.List, o)
			done()
			if err != nil {
				return err
			}
			var (
				drawn  error // of the look at draws, if it was stopped
				looked int   // at so many draws
			)
			if u.parameters != "" && v.Complete {
				if k == nil {
					outlook, p, err := u.read(env, in)
					if err != nil {
						return err
					}
					k = &known{outlook: outlook, parameters: p}
				}
				draws := cascade.UncertainOptions{Options: in.options, Draws: u.draws}
				draws.Trials = 0
				show := draws.Progress
				draws.Progress = func(done, planned int) {
					looked = done
					if show != nil {
						show(done, planned)
					}
				}
				drawn = v.Stable(cmd.Context(), k.outlook, k.parameters.Laws, m.List, draws)
				if drawn != nil && cmd.Context().Err() == nil {
					return drawn
				}
			}
			in.invented = in.invented || m.Synthetic
			err = f.print(env, in, investmentView{v, looked}, words+investmentText(v, m, looked))
			if err == nil && drawn != nil {
				say(env, "stopped before it was known how stable the order is; what is printed is the choice")
				return errors.Join(errs.New(errs.Unavailable, "the look at draws was stopped", ""), drawn)
			}
			if err != nil || v.Complete {
				return err
			}
			say(env, "stopped after %s; what is printed is the best of them, on %d trials", plural(v.Tried, "1 set of measures", "%d sets of measures"), v.Trials)
			return errors.Join(errs.New(errs.Unavailable, "the search was stopped", ""), cmd.Context().Err())
		},
	}
	f.add(cmd, 1<<13)
	u.add(cmd)
	a.add(cmd)
	cmd.Flags().StringVar(&measures, "measures", "", "what could be done, a YAML file")
	cmd.Flags().StringVar(&budget, "budget", "", "what it may cost together: units, or money such as 400k")
	cmd.Flags().StringVar(&aim, "aim", string(cascade.AtWorst), "what is to become less: worst, hours, or mission: and its id")
	cmd.Flags().IntVar(&confirm, "confirm", 48, "how many measures to try at most; a ranking leaves out the others")
	return cmd
}

// investmentView is a choice, with in how many draws it was looked at how stable it is.
type investmentView struct {
	*cascade.Investment
	StableDraws int `json:"stability_draws,omitempty"`
}

// investmentText is the staircase of a choice, with a sentence of reason each. How stable
// the order is was looked at in so many draws.
func investmentText(v *cascade.Investment, m *exchange.Measures, looked int) string {
	title := make(map[string]string)
	for i, x := range m.List {
		title[x.ID] = m.Titles[i]["en"]
	}
	amount := hours
	what := "hours of everything critical"
	switch {
	case v.Objective == cascade.AtWorst:
		amount, what = percent, "share lost at the worst moment"
	case strings.HasPrefix(string(v.Objective), "mission:"):
		what = "hours for which it is down"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "aim %s: %s, %s without any measure; budget %d units\n", v.Objective, what, amount(v.Before), v.Budget)
	if len(v.Steps) == 0 {
		b.WriteString("no measure within the budget helps\n")
	}
	for i, s := range v.Steps {
		fmt.Fprintf(&b, "%d. %s: %s\n", i+1, s.Measure, title[s.Measure])
		fmt.Fprintf(&b, "   cost %d, together %d; this step %s (± %s), together %s (± %s), which leaves %s\n",
			s.Cost, s.Total, signed(s.Gain.Change, amount), amount(s.Gain.Error), signed(s.Joint.Change, amount), amount(s.Joint.Error), amount(s.Joint.After))
		fmt.Fprintf(&b, "   %s\n", reasonText(s))
	}
	for _, g := range v.Alone {
		if g.Stable != nil && *g.Stable > 0 {
			fmt.Fprintf(&b, "%-26s in the top 5 by gain for cost in %.0f of %d draws\n", g.Measure, math.Round(*g.Stable*float64(looked)), looked)
		}
	}
	if d := v.Dividend; d != nil {
		fmt.Fprintf(&b, "collective dividend        %s (± %s): together %s, the sum of %d owners alone %s\n",
			signed(d.Extra, amount), amount(d.Error), amount(d.Joint), len(d.Owner), amount(d.Sum))
	}
	fmt.Fprintf(&b, "%d measures, %d tried; %d trials, seed %d, engine %s\n", v.Measures, v.Confirmed, v.Trials, v.Seed, v.Engine)
	if v.Hash != "" {
		fmt.Fprintf(&b, "result %s\n", v.Hash)
	}
	return b.String()
}

func reasonText(s cascade.Step) string {
	r := s.Reason
	text := fmt.Sprintf("by itself it spares %s of what is lost, at %s", percent(r.Share), plural(r.Services, "1 service", "%d services"))
	if r.Owners > 1 {
		text += fmt.Sprintf(" of %d owners", r.Owners)
	}
	if r.Mission != "" {
		text += fmt.Sprintf("; mission %s is down %s less", r.Mission, hours(r.Hours))
	}
	if s.Gain.Change+s.Gain.Error > 0 {
		text += "; the step's own gain is not sure"
	}
	return text
}
