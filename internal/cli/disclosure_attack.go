package cli

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/coalition"
	"muster/internal/disclosure/attack"
	"muster/internal/errs"
)

type attackFlags struct {
	known     []string
	colluders int
	framework string
	bounds    bool
	json      bool
}

func newAttackCmd(env Env) *cobra.Command {
	var f attackFlags
	cmd := &cobra.Command{
		Use:   "attack DIR",
		Short: "Try to work out one member's answers from everything that was published",
		Long: `Try to work out one member's answers from everything that was published, and say
what could be learnt and what could not.

The folder holds releases, each release.json in a folder of its own with its
charter.json and roster.json, or tables from anywhere: CSV files of counts, shares
and means, with groups.csv, who was counted, and where there is one known.csv,
answers that the attacker knows. docs/spec/published.md specifies these files.

--known names members whose answers the attacker knows. Where known.csv does not
have them, whatever they answered is tried. --colluders is how many more tell the
attacker theirs, whoever they are. Without either, releases are attacked by as many
as their rule reckons with, and tables by one reader.

--bounds adds between which whole numbers the count of every set of members that
nobody can tell apart lies, unit by unit: of totals whose groups overlap, what their
differences give away.

Exit code 3 means that something was learnt.`,
		Example: `  muster disclosure attack published
  muster disclosure attack published --known Ostmere,Calverra --colluders 1 --json`,
		Args: oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.colluders < 0 {
				return usageError(cmd, fmt.Sprintf("--colluders cannot be %d; allowed: 0 or more", f.colluders))
			}
			if !cmd.Flags().Changed("colluders") && len(f.known) == 0 {
				f.colluders = -1 // as the releases' rule reckons
			}
			return runAttack(env, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.known, "known", nil, "members whose answers the attacker knows; a name with a comma in quotes")
	flags.IntVar(&f.colluders, "colluders", 0, "how many more tell the attacker their answers, whoever they are")
	flags.StringVar(&f.framework, "framework", "", "id or path of the pack of the tables: of what an area consists")
	flags.BoolVar(&f.bounds, "bounds", false, "print the bounds of every count, too")
	flags.BoolVar(&f.json, "json", false, "print what was tried and found, as JSON")
	return cmd
}

// attackReport is what muster disclosure attack prints as data.
type attackReport struct {
	Cycles     []string         `json:"cycles"`
	Members    int              `json:"members"`    // on any roster
	Statements int              `json:"statements"` // printed numbers, and what a rule says besides
	Known      []string         `json:"known"`      // whose answers are known, by name
	Colluders  int              `json:"colluders"`  // and how many more, whatever they answered
	Examined   int              `json:"examined"`   // questions that were put
	Safe       bool             `json:"safe"`       // nothing was learnt and nothing is open
	Findings   []attack.Finding `json:"findings"`
	Open       []attack.Open    `json:"open"`
	Bounds     []attack.Bound   `json:"bounds,omitempty"` // where they were asked for
}

func runAttack(env Env, dir string, f attackFlags) error {
	var names []string
	for _, name := range f.known {
		id, err := coalition.ParseMemberID(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		names = append(names, string(id))
	}
	problems, err := readPublished(env, dir, f.framework)
	if err != nil {
		return err
	}
	report := attackReport{Cycles: []string{}, Known: []string{}, Findings: []attack.Finding{}, Open: []attack.Open{}}
	members := make(map[string]bool)
	for _, name := range names {
		if !slices.ContainsFunc(problems, func(p *problem) bool { return p.has(name) }) {
			return errs.New(errs.NotFound, fmt.Sprintf("--known names %s, who is on no roster", errs.Quote(name)), "names as charters, rosters and groups.csv have them")
		}
	}
	for _, p := range problems {
		known, colluders := p.adversary(names, f.colluders)
		result, err := attack.Run(p.Problem, attack.Options{Workers: runtime.GOMAXPROCS(0)})
		if err != nil {
			return err
		}
		for _, cycle := range p.Cycles {
			if !slices.Contains(report.Cycles, cycle) {
				report.Cycles = append(report.Cycles, cycle)
			}
			for _, m := range p.Rosters[cycle] {
				members[m] = true
			}
		}
		report.Statements += len(p.Statements)
		report.Known = append(report.Known, known...)
		report.Colluders = max(report.Colluders, colluders)
		report.Examined += result.Examined
		report.Findings = append(report.Findings, result.Findings...)
		report.Open = append(report.Open, result.Open...)
		if f.bounds {
			bounds, err := attack.Reconstruct(p.Problem, attack.Options{})
			if err != nil {
				return err
			}
			report.Bounds = append(report.Bounds, bounds...)
		}
	}
	slices.Sort(report.Known)
	report.Known = slices.Compact(report.Known)
	report.Members = len(members)
	report.Safe = len(report.Findings) == 0 && len(report.Open) == 0
	if f.json {
		err = writeJSON(env.Out, report)
	} else {
		err = report.write(env.Out)
	}
	if err != nil || report.Safe {
		return err
	}
	if len(report.Findings) == 0 {
		return refused{errs.New(errs.Conflict, plural(len(report.Open), "1 question could not be decided", "%d questions could not be decided"), "what is open is not safe: publish less, or ask with fewer colluders")}
	}
	return refused{errs.New(errs.Conflict, "what was published says more than its numbers: "+plural(len(report.Findings), "1 finding", "%d findings"), "what is out cannot be taken back; nothing more should be published of these members before it is understood")}
}

// problem is everything that was published of one framework.
type problem struct{ attack.Problem }

// has reports whether a member is on a roster.
func (p *problem) has(name string) bool {
	for _, roster := range p.Rosters {
		if slices.Contains(roster, name) {
			return true
		}
	}
	return false
}

// adversary sets how many members are known whatever they answered, and returns
// who is known by name, because their answers are in the folder, and the most that
// are known of a cycle besides. Where colluders is below zero nobody said, and it is
// as the rules of the releases reckon, or one reader of tables.
func (p *problem) adversary(names []string, colluders int) (known []string, more int) {
	told := make(map[string]bool)
	for _, f := range p.Facts {
		if !told[f.Member] {
			told[f.Member] = true
			known = append(known, f.Member)
		}
	}
	if colluders >= 0 {
		p.Told, p.Colluders = nil, colluders
		for i, name := range names {
			if p.has(name) && !told[name] && !slices.Contains(names[:i], name) {
				p.Colluders++
			}
		}
	}
	more = p.Colluders
	for _, t := range p.Told {
		more = max(more, t.Most)
	}
	return known, more
}

// errNothingPublished is the error of a folder without anything to attack.
func errNothingPublished(dir string) error {
	return errs.New(errs.NotFound, fmt.Sprintf("there is nothing to attack in %s", errs.Quote(dir)),
		"a folder with releases, each release.json in a folder of its own, or with groups.csv and tables; docs/spec/published.md says how they read")
}

// joinFaults collects the faults of several files; any other error ends it.
func joinFaults(all errs.Faults, err error) (errs.Faults, error) {
	if faults, ok := errors.AsType[errs.Faults](err); ok {
		return append(all, faults...), nil
	}
	return all, err
}
