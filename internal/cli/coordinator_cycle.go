package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/cycle"
)

func newCoordinatorCycleCmd(env Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cycle",
		Short: "Run a cycle through its phases",
		Long: `Run a cycle through its phases: begin and plan it, invite to it, keep the charter that
was adopted, say where members stand, go on, postpone, move the deadline. A
cancellation and a release are asked for, and approved by others on the pages.`,
		Args: noSubcommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(
		newCycleBeginCmd(env), newCyclePlanCmd(env), newCycleInviteCmd(env), newCycleAdoptCmd(env), newCycleStepCmd(env), newCycleExtendCmd(env),
		newCycleStatusCmd(env), newCycleCancelCmd(env), newCycleReleaseCmd(env), newCycleShowCmd(env),
	)
	return cmd
}

// planFlags say what is planned.
type planFlags struct{ framework, leader, helper, opens, deadline, wipe string }

func (f *planFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.framework, "framework", "", "a pack that comes with muster, or a folder with one")
	flags.StringVar(&f.leader, "leader", "", "the id of the member that hosts as Leader")
	flags.StringVar(&f.helper, "helper", "", "the id of the member that hosts as Helper")
	flags.StringVar(&f.opens, "opens", "", "from when on members deliver: a day, or a time in RFC 3339")
	flags.StringVar(&f.deadline, "deadline", "", "until when")
	flags.StringVar(&f.wipe, "wipe", "", "when what the cycle leaves is wiped")
}

func (f planFlags) plan(env Env) (cycle.Plan, error) {
	plan := cycle.Plan{Leader: cycle.PartyID(f.leader), Helper: cycle.PartyID(f.helper)}
	for _, t := range []struct {
		flag, text string
		into       *time.Time
	}{{"opens", f.opens, &plan.Opens}, {"deadline", f.deadline, &plan.Deadline}, {"wipe", f.wipe, &plan.Wipe}} {
		if t.text == "" {
			continue
		}
		var err error
		if *t.into, err = parseTime(t.flag, t.text); err != nil {
			return plan, err
		}
	}
	if f.framework == "" {
		return plan, nil
	}
	pack, err := openPack(env, f.framework)
	if err != nil {
		return plan, err
	}
	ref := pack.Ref()
	plan.Framework = coalition.FrameworkRef{ID: ref.ID, Version: ref.Version, Digest: ref.Digest}
	return plan, nil
}

func newCycleBeginCmd(env Env) *cobra.Command {
	var path string
	var f planFlags
	cmd := &cobra.Command{
		Use:   "begin CYCLE",
		Short: "Begin a cycle, as a draft",
		Example: `  muster coordinator cycle begin 2031 --config year/coordinator.yaml --framework muster-core --leader ostmere --helper brennholm \
      --opens 2031-05-01 --deadline 2031-05-31T12:00:00Z --wipe 2032-05-31`,
		Args: oneArg("CYCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := f.plan(env)
			if err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				if err := c.Make(cmd.Context(), c.person, cycle.ID(args[0]), plan); err != nil {
					return err
				}
				say(env, "the cycle %s is a draft; invite to it: muster coordinator cycle invite %s", args[0], args[0])
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	f.add(cmd)
	return cmd
}

func newCyclePlanCmd(env Env) *cobra.Command {
	var path string
	var f planFlags
	cmd := &cobra.Command{
		Use:     "plan CYCLE",
		Short:   "Change what is planned of a cycle whose charter is not adopted yet",
		Example: `  muster coordinator cycle plan 2031 --config year/coordinator.yaml --helper calder-reach`,
		Args:    oneArg("CYCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, err := f.plan(env)
			if err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				return c.Plan(cmd.Context(), c.person, cycle.ID(args[0]), plan)
			})
		},
	}
	configFlag(cmd, &path)
	f.add(cmd)
	return cmd
}

func newCycleInviteCmd(env Env) *cobra.Command {
	var path string
	var parties []string
	cmd := &cobra.Command{
		Use:     "invite CYCLE",
		Short:   "Invite members and partners to a cycle; without --party all of them",
		Example: `  muster coordinator cycle invite 2031 --config year/coordinator.yaml`,
		Args:    oneArg("CYCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ids []cycle.PartyID
			for _, p := range parties {
				ids = append(ids, cycle.PartyID(p))
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				n, err := c.Invite(cmd.Context(), c.person, cycle.ID(args[0]), ids)
				if err == nil {
					say(env, "%s invited to the cycle %s", plural(n, "1 more is", "%d more are"), args[0])
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringSliceVar(&parties, "party", nil, "ids, with commas between them")
	return cmd
}

func newCycleExtendCmd(env Env) *cobra.Command {
	var path, until, reason string
	cmd := &cobra.Command{
		Use:   "extend CYCLE --until TIME --reason TEXT",
		Short: "Move the deadline of a cycle, only later",
		Long: `Move the deadline of a cycle whose charter is adopted, only later. The charter stays:
what the hosts enforce is an addendum that coordinator and hosts sign, which muster
collect postpone begins.`,
		Example: `  muster coordinator cycle extend 2031 --config year/coordinator.yaml --until 2031-06-14T12:00:00Z --reason "a storm at sea"`,
		Args:    oneArg("CYCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "until", "reason"); err != nil {
				return err
			}
			deadline, err := parseTime("until", until)
			if err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				if err := c.Extend(cmd.Context(), c.person, cycle.ID(args[0]), deadline, reason); err != nil {
					return err
				}
				say(env, "the deadline of %s is %s; have the addendum signed: muster collect postpone", args[0], dayText(deadline))
				return nil
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&until, "until", "", "the new deadline (required)")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for all to read (required)")
	return cmd
}

func newCycleStatusCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:     "status CYCLE ID STATUS",
		Short:   "Say where a member stands: not-started, under-way, signed-off, delivered, declined",
		Example: `  muster coordinator cycle status 2031 ostmere delivered --config year/coordinator.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 3 {
				return usageError(cmd, "muster coordinator cycle status needs CYCLE, ID and STATUS")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				return c.Say(cmd.Context(), c.person, cycle.ID(args[0]), cycle.PartyID(args[1]), cycle.Status(strings.ReplaceAll(args[2], "-", " ")))
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func newCycleCancelCmd(env Env) *cobra.Command {
	var path, reason string
	cmd := &cobra.Command{
		Use:     "cancel CYCLE --reason TEXT",
		Short:   "Ask for a cycle to be cancelled; a second of the staff approves it on the pages",
		Example: `  muster coordinator cycle cancel 2031 --config year/coordinator.yaml --reason "too few can take part"`,
		Args:    oneArg("CYCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := missingFlags(cmd, "reason"); err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				number, err := c.AskCancellation(cmd.Context(), c.person, cycle.ID(args[0]), reason)
				if err == nil {
					say(env, "request %d waits for a second person on the pages", number)
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().StringVar(&reason, "reason", "", "why, for all to read (required)")
	return cmd
}

func newCycleReleaseCmd(env Env) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "release CYCLE FILE",
		Short: "Ask both hosts to approve a release, as it is",
		Long: `Ask an engineer of each host to approve exactly this release, by its digest. When both
have, on the pages, the cycle is released.`,
		Example: `  muster coordinator cycle release 2031 release.json --config year/coordinator.yaml`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError(cmd, "muster coordinator cycle release needs CYCLE and FILE")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			digest, err := fileDigest(args[1])
			if err != nil {
				return err
			}
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				number, err := c.AskRelease(cmd.Context(), c.person, cycle.ID(args[0]), digest)
				if err == nil {
					say(env, "request %d, of the release %s, waits for an engineer of each host on the pages", number, digest)
				}
				return err
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// shownCycle is what muster coordinator cycle show --json prints.
type shownCycle struct {
	ID       cycle.ID             `json:"id"`
	Phase    coalition.Phase      `json:"phase"`
	Opens    *time.Time           `json:"opens,omitempty"`
	Deadline *time.Time           `json:"deadline,omitempty"`
	Wipe     *time.Time           `json:"wipe,omitempty"`
	Charter  string               `json:"charter,omitempty"`
	Release  string               `json:"release,omitempty"`
	Members  map[cycle.Status]int `json:"members"`
	Partners map[cycle.Status]int `json:"partners"`
	Board    []shownParty         `json:"board"`
	Ways     map[string][]string  `json:"ways"` // by phase, what keeps it from there
	Steps    []shownStep          `json:"steps"`
}

type shownParty struct {
	ID     cycle.PartyID `json:"id"`
	Status cycle.Status  `json:"status"`
	Keyed  bool          `json:"key_enrolled"`
	At     time.Time     `json:"at"`
	By     string        `json:"by"`
}

type shownStep struct {
	From   coalition.Phase `json:"from"`
	To     coalition.Phase `json:"to"`
	Reason string          `json:"reason,omitempty"`
	By     string          `json:"by"`
	At     time.Time       `json:"at"`
}

func newCycleShowCmd(env Env) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show [CYCLE]",
		Short:   "Show where a cycle stands and what keeps it from going on; without CYCLE all of them",
		Example: `  muster coordinator cycle show 2031 --config year/coordinator.yaml`,
		Args:    atMostOneArg("CYCLE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return coordinate(cmd.Context(), env, path, func(c *coordination) error {
				if len(args) == 0 {
					return c.listCycles(cmd.Context(), env, asJSON)
				}
				v, err := c.Cycle(cmd.Context(), c.person, cycle.ID(args[0]))
				if err != nil {
					return err
				}
				if asJSON {
					return json.NewEncoder(env.Out).Encode(shown(v))
				}
				return writeCycle(env, v)
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func shown(v cycle.View) shownCycle {
	s := shownCycle{ID: v.ID, Phase: v.Phase, Charter: v.Charter, Release: v.Release, Members: v.Members.By, Partners: v.Partners.By, Ways: make(map[string][]string), Board: []shownParty{}, Steps: []shownStep{}}
	if !v.Deadline.IsZero() {
		s.Opens, s.Deadline, s.Wipe = &v.Opens, &v.Deadline, &v.Wipe
	}
	for _, p := range v.Board {
		s.Board = append(s.Board, shownParty{p.ID, p.Participation.Status, p.Keyed, p.Participation.At, p.Participation.By})
	}
	for _, w := range v.Ways {
		s.Ways[string(w.To)] = []string{}
		for _, o := range w.Obstacles {
			s.Ways[string(w.To)] = append(s.Ways[string(w.To)], o.String())
		}
	}
	for _, step := range v.Steps {
		s.Steps = append(s.Steps, shownStep{step.From, step.To, step.Reason, step.By, step.At})
	}
	return s
}

func (c *coordination) listCycles(ctx context.Context, env Env, asJSON bool) error {
	all, err := c.Cycles(ctx, c.person)
	if err != nil {
		return err
	}
	list := make([]shownCycle, len(all))
	for i, v := range all {
		list[i] = shown(v)
	}
	if asJSON {
		return json.NewEncoder(env.Out).Encode(map[string]any{"cycles": list})
	}
	if len(list) == 0 {
		say(env, "no cycle was begun yet: muster coordinator cycle begin CYCLE")
	}
	for _, s := range list {
		line := fmt.Sprintf("%s: %s", s.ID, s.Phase)
		if s.Deadline != nil {
			line += ", deadline " + dayText(*s.Deadline)
		}
		if _, err := fmt.Fprintln(env.Out, line); err != nil {
			return err
		}
	}
	return nil
}

func writeCycle(env Env, v cycle.View) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s\n", v.ID, v.Phase)
	if !v.Deadline.IsZero() {
		fmt.Fprintf(&b, "opens %s, deadline %s, wiped %s\n", dayText(v.Opens), dayText(v.Deadline), dayText(v.Wipe))
	}
	for _, w := range v.Ways {
		if len(w.Obstacles) == 0 {
			fmt.Fprintf(&b, "it can be %s\n", w.To)
			continue
		}
		for _, o := range w.Obstacles {
			fmt.Fprintf(&b, "not yet %s: %s\n", w.To, o)
		}
	}
	for _, p := range v.Board {
		fmt.Fprintf(&b, "%s: %s\n", p.ID, p.Participation.Status)
	}
	for _, q := range v.Requests {
		fmt.Fprintf(&b, "request %d, %s, asked by %s, waits for %s\n", q.Number, q.Kind, q.By, plural(len(q.Waits), "1 other", "%d others"))
	}
	_, err := fmt.Fprint(env.Out, b.String())
	return err
}
