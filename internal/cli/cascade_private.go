package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"muster/internal/assess"
	"muster/internal/cascade"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/exchange"
	"muster/internal/keys"
	"muster/internal/release"
	"muster/internal/workspace"
)

// aroundFlags name what is known of owners besides parameters: a release of all, and
// what only one member knows of itself.
type aroundFlags struct {
	release      string
	workspace    string
	lock         lockFlags
	services     string // of the member's own
	requirements string
	keepPrivate  bool
	opened       *openWorkspace // that is open already, in place of workspace
}

func (f *aroundFlags) add(cmd *cobra.Command) {
	f.addKnown(cmd)
	cmd.Flags().BoolVar(&f.keepPrivate, "private", false, "print JSON though it holds what only the member knows")
}

// addKnown adds the flags of a command that prints no JSON.
func (f *aroundFlags) addKnown(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.release, "release", "", "a release.json: how its members stand, together and none alone")
	cmd.Flags().StringVar(&f.workspace, "workspace", "", "a member's workspace: its own answers as they are, and what its bodies depend on")
	cmd.Flags().StringVar(&f.services, "own-services", "", "more services, of the member's own; goes with --workspace")
	cmd.Flags().StringVar(&f.requirements, "own-requirements", "", "more of what is required; goes with --own-services")
	f.lock.addLock(cmd)
}

// wanted reports whether there is anything.
func (f *aroundFlags) wanted() bool { return f.release != "" || f.member() }

// member reports whether a member's workspace is looked into.
func (f *aroundFlags) member() bool { return f.workspace != "" || f.opened != nil }

func (f *aroundFlags) check(cmd *cobra.Command, asJSON bool) error {
	switch {
	case f.workspace == "" && (f.services != "" || f.requirements != "" || f.keepPrivate || f.lock != lockFlags{}):
		return usageError(cmd, "--own-services, --own-requirements, --private and what opens a workspace go with --workspace")
	case (f.services == "") != (f.requirements == ""):
		return usageError(cmd, "--own-services and --own-requirements go together")
	case f.workspace != "" && asJSON && !f.keepPrivate:
		return usageError(cmd, "--json of a run with --workspace holds what only the member knows; --private prints it all the same")
	}
	return nil
}

// private is what only the member knows.
type private struct {
	member  string
	answers map[string]assess.Answer
	pack    string
	sealed  bool // and so counted in the release, if that is of the same survey
}

// readRelease reads the release, and whose it is if a coordinator is named.
func (f *aroundFlags) readRelease(env Env, coordinator string) (*release.Release, error) {
	if coordinator == "" {
		warn(env, "nobody's signature of %s was asked for; --coordinator names whose", f.release)
		return readRelease(f.release)
	}
	file, err := readSigned(f.release, "release")
	if err != nil {
		return nil, err
	}
	if err := verifyCoordinator(coordinator, keys.KindRelease, file); err != nil {
		return nil, err
	}
	return release.Parse(file.Body)
}

// verifyCoordinator refuses a file that the coordinator of a card did not sign.
func verifyCoordinator(path string, kind keys.Kind, file coalition.SignedFile) error {
	card, err := readSigned(path, "coordinator card")
	if err != nil {
		return err
	}
	who, err := coalition.OpenCoordinatorCard(card)
	if err != nil {
		return err
	}
	return keys.Verify(kind, file.Body, file.Signature, who.Key)
}

// overlay lays what the member has of its own over a register, and returns what it
// answered. What it returns stays on this machine: it is printed and kept nowhere.
func (f *aroundFlags) overlay(ctx context.Context, env Env, in *inputs, c registerFlags, p *exchange.CascadeParameters, r *release.Release) (own *private, err error) {
	w := f.opened
	if w == nil {
		if w, err = openWorkspaceDir(ctx, env, f.workspace, f.lock); err != nil {
			return nil, err
		}
		defer w.close(&err)
	}
	if own, err = w.private(ctx, p, r); err != nil {
		return nil, err
	}
	d, err := w.dependencies(ctx, env.Now())
	if err != nil {
		return nil, err
	}
	shared, err := readRows(c.services, c.requirements)
	if err != nil {
		return nil, err
	}
	form, left, err := in.register.Dependencies(d)
	if err != nil {
		return nil, err
	}
	warnEach(env, left, "substitute was left out", "substitutes were left out")
	rows := []exchange.RegisterRows{form}
	if f.services != "" {
		more, err := readRows(f.services, f.requirements)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more)
	}
	if in.register, err = exchange.Overlay(shared, rows...); err != nil {
		return nil, err
	}
	if c.undisputed {
		in.register = in.register.WithoutDisputed()
	}
	if in.graph, err = in.register.Graph(); err != nil {
		return nil, errs.Wrap(err, errs.Invalid, err.Error(), "mend the tables and run the command again")
	}
	services, requirements := 0, 0
	for _, r := range rows {
		services, requirements = services+len(r.Services), requirements+len(r.Requirements)
	}
	say(env, "%s and %s of the member's own are laid over the register", plural(services, "1 service", "%d services"), plural(requirements, "1 row of requirements", "%d rows of requirements"))
	in.private = true
	return own, nil
}

func readRows(services, requirements string) (rows exchange.RegisterRows, err error) {
	s, err := openTable(services)
	if err != nil {
		return rows, err
	}
	defer s.Close()
	q, err := openTable(requirements)
	if err != nil {
		return rows, err
	}
	defer q.Close()
	return exchange.ReadRegisterRows(services, s, requirements, q)
}

// private returns what the member answered: in the survey that the release is of, or
// in the latest that the parameters speak of.
func (w *openWorkspace) private(ctx context.Context, p *exchange.CascadeParameters, r *release.Release) (*private, error) {
	member, err := w.Member(ctx)
	if err != nil {
		return nil, err
	}
	own := &private{member: string(member)}
	var id workspace.SurveyID
	if r != nil {
		own.pack, id = r.Framework.ID, workspace.NewSurveyID(r.Cycle, r.Framework.ID)
	} else {
		surveys, err := w.Surveys(ctx, w.person)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(surveys, func(s workspace.Survey) bool {
			return slices.ContainsFunc(p.Levels, func(l exchange.OutcomeLevels) bool { return l.Framework == s.Pack.ID })
		})
		if i < 0 {
			return nil, errs.New(errs.NotFound, "the workspace has no survey that the parameters speak of", "muster cascade parameters prints of which frameworks they do, under levels")
		}
		own.pack, id = surveys[i].Pack.ID, surveys[i].ID
	}
	c, err := w.Compare(ctx, w.person, id, r)
	if err != nil {
		return nil, err
	}
	sealings, err := w.Sealings(ctx, w.person, id)
	if err != nil {
		return nil, err
	}
	own.sealed = len(sealings) > 0
	own.answers = make(map[string]assess.Answer)
	for _, s := range c.Standings {
		own.answers[s.Outcome] = s.Answer
	}
	return own, nil
}

// outlook completes an outlook by what the flags name: the crowd of the release, less
// the member whose workspace it is if it sealed anything, which stands where it stands.
func (own *private) outlook(o *cascade.Outlook, in *inputs, p *exchange.CascadeParameters) error {
	levels, stand, err := p.MemberLevels(own.pack, own.answers)
	if err != nil {
		return err
	}
	if o.Crowd != nil && own.sealed {
		if o.Crowd, err = o.Crowd.Without(levels); err != nil {
			return err
		}
	}
	owns := false
	for i := range in.register.Services {
		if coalition.Fold(in.register.Owner(i)) == coalition.Fold(own.member) {
			o.Levels[o.Owner[i]] = stand
			owns = true
		}
	}
	if !owns {
		return errs.New(errs.Invalid, fmt.Sprintf("no service of the register has the owner %s, whose workspace this is", errs.Quote(own.member)), "write the member's name in the column owner of its services")
	}
	return nil
}

// known is a case with what is known of owners.
type known struct {
	in         *inputs
	outlook    cascade.Outlook
	parameters *exchange.CascadeParameters
	text       string // how much is known of whom
}

// words says how much is known of whom; nothing where nothing was asked.
func (k *known) words() string {
	if k == nil {
		return ""
	}
	return "at the median of every parameter\n" + k.text
}

// owners is what is known of how owners stand, before a scenario says what for.
type owners struct {
	flags      uncertainFlags
	parameters *exchange.CascadeParameters
	release    *release.Release
	crowd      *cascade.Crowd
	own        *private
}

// readOwners reads what is known of the owners of a register, and lays what a member
// has of its own over it.
func readOwners(ctx context.Context, env Env, in *inputs, c registerFlags, u uncertainFlags, around aroundFlags) (k *owners, err error) {
	k = &owners{flags: u}
	if k.parameters, err = u.readParameters(env); err != nil {
		return nil, err
	}
	if around.release != "" {
		if k.release, err = around.readRelease(env, u.coordinator); err != nil {
			return nil, err
		}
		if k.crowd, err = k.parameters.Crowd(k.release); err != nil {
			return nil, err
		}
		in.invented = in.invented || k.release.Marking != ""
		in.standBy = append(in.standBy, "release")
	}
	if around.member() {
		in.standBy = append(in.standBy, "workspace")
		if k.own, err = around.overlay(ctx, env, in, c, k.parameters, k.release); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// outlook returns what the numbers of a scenario hang on.
func (k *owners) outlook(in *inputs) (o cascade.Outlook, err error) {
	if o, err = k.flags.outlook(in); err != nil {
		return o, err
	}
	o.Crowd = k.crowd
	if k.own != nil {
		err = k.own.outlook(&o, in, k.parameters)
	}
	return o, err
}

// readKnown reads what the flags of a case name, and what is known of its owners.
func readKnown(cmd *cobra.Command, env Env, f caseFlags, u uncertainFlags, around aroundFlags) (*known, error) {
	if err := around.check(cmd, f.json); err != nil {
		return nil, err
	}
	if u.parameters == "" {
		u.parameters = "default"
	}
	in, err := f.readRegister(cmd, env)
	if err != nil {
		return nil, err
	}
	k, err := readOwners(cmd.Context(), env, in, f.register, u, around)
	if err != nil {
		return nil, err
	}
	if err := f.readScenario(in); err != nil { // one may be of what the member has of its own
		return nil, err
	}
	o, err := k.outlook(in)
	if err != nil {
		return nil, err
	}
	return &known{in, o, k.parameters, crowdText(k.release, o)}, nil
}

// readLikeliest reads a case at the medians of its parameters where something is known
// of owners, or there is a file of parameters of one's own: those of whom nothing else is stand where a release says that its members
// do on average. of makes the same of another scenario. Else the case is as the scenario
// has it, which the medians of the default file leave, and known is nil.
func readLikeliest(cmd *cobra.Command, env Env, f caseFlags, u uncertainFlags, around aroundFlags) (in *inputs, k *known, of func(*exchange.Scenario) (cascade.Case, error), err error) {
	if !around.wanted() && u.levels == "" && (u.parameters == "" || u.parameters == "default") {
		if err := around.check(cmd, f.json); err != nil {
			return nil, nil, nil, err
		}
		in, err := f.read(cmd, env)
		return in, nil, func(s *exchange.Scenario) (cascade.Case, error) {
			return cascade.Case{Graph: in.graph, Scenario: s.Scenario}, nil
		}, err
	}
	if k, err = readKnown(cmd, env, f, u, around); err != nil {
		return nil, nil, nil, err
	}
	return k.in, k, func(s *exchange.Scenario) (cascade.Case, error) {
		o := k.outlook
		o.Scenario, o.Controls = s.Scenario, s.Controls
		return o.Likeliest(k.parameters.Laws)
	}, nil
}

// runAround is muster cascade run with what is known of owners.
func runAround(cmd *cobra.Command, env Env, f caseFlags, u uncertainFlags, around aroundFlags, top int) error {
	k, err := readKnown(cmd, env, f, u, around)
	if err != nil {
		return err
	}
	return printUncertain(cmd, env, f, u, k.in, k.outlook, k.parameters, top, k.text)
}

// crowdText says how much is known of whom.
func crowdText(r *release.Release, o cascade.Outlook) string {
	if r == nil {
		return ""
	}
	unknown := make(map[int32]bool)
	for _, owner := range o.Owner {
		if l := o.Levels[owner]; l.Resistance < 0 && l.Recovery < 0 {
			unknown[owner] = true
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s stand as %d members of %s do together in %s; who is who, and how far who is low in one outcome is low in others, is drawn anew each time\n",
		plural(min(len(unknown), o.Crowd.Owners), "1 owner", "%d owners"), o.Crowd.Owners, r.Cohort, r.Cycle)
	if more := len(unknown) - o.Crowd.Owners; more > 0 {
		fmt.Fprintf(&b, "nothing is known of %s\n", plural(more, "1 owner more", "%d owners more"))
	}
	return b.String()
}
