package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/framework"
	"muster/internal/keys"
	"muster/internal/rehearse"
)

type drillFlags struct {
	charter, framework string
	wait               time.Duration
}

func newRehearsalRunCmd(env Env) *cobra.Command {
	var f drillFlags
	cmd := &cobra.Command{
		Use:   "run DIR --charter FILE",
		Short: "Run the prepared rehearsal and write its report",
		Long: `Run the rehearsal that was prepared in DIR, under a charter marked REHEARSAL that
all three have signed: look at both hosts, seal and deliver what the test members
answer, replace one submission, wait for the deadline, deliver one too late, wait
for the freeze, collect, compare with the sum that is known, and make a release.

It writes rehearsal-report.json, signed by the coordinator, into DIR, also where
the rehearsal fails: with every step, how long it took, and what each side does
next. A run that was stopped or failed goes on when it is repeated; steps that
went well are not taken again.`,
		Example: `  muster cycle rehearsal run rehearsal --charter rehearsal/charter.json`,
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.charter == "" {
				return usageError(cmd, "muster cycle rehearsal run needs --charter FILE")
			}
			return runDrill(cmd.Context(), env, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.charter, "charter", "", "the charter of the rehearsal, its .sig beside it (required)")
	flags.StringVar(&f.framework, "framework", "", "path of the framework pack, where this muster does not bring the charter's")
	waitFlag(cmd, &f.wait)
	return cmd
}

// The files of a run.
const (
	drillReport    = "rehearsal-report.json"
	drillCollected = "collected"
	drillSealed    = "sealed"
	drillRelease   = "release.json"
)

// drill is a rehearsal on the hosts' machines that is being run.
type drill struct {
	env     Env
	dir     string
	flags   drillFlags
	own     *coordinatorFolder
	charter coalition.Charter
	task    coalition.OpenedTask
	pack    *framework.Pack
	layout  *framework.Layout
	names   []string // of the test members
	report  *rehearse.Report
}

func runDrill(ctx context.Context, env Env, dir string, f drillFlags) error {
	d, err := openDrill(env, dir, f)
	if err != nil {
		return err
	}
	failed := d.run(ctx)
	d.report.Passed = failed == nil
	switch {
	case ctx.Err() != nil:
		say(env, "the rehearsal goes on where it is when the command is repeated")
		d.report.Next = d.repeat("it was stopped")
	case failed != nil:
		d.report.Next = d.repeat("find the cause: " + errs.Describe(failed).Message)
	default:
		d.report.Next = d.next()
	}
	if err := d.keep(); err != nil {
		return errors.Join(failed, err)
	}
	if failed != nil {
		return failed
	}
	if err := writeReport(env, d.report); err != nil {
		return err
	}
	say(env, "the report is in %s, signed by the coordinator", d.path(drillReport))
	return nil
}

// openDrill reads what was prepared, and what an earlier run left.
func openDrill(env Env, dir string, f drillFlags) (*drill, error) {
	d := &drill{env: env, dir: dir, flags: f}
	if !exists(d.path(drillNotice)) {
		return nil, errs.New(errs.NotFound, fmt.Sprintf("no rehearsal was prepared in %s", strconv.Quote(dir)), "give the folder that muster cycle rehearsal prepare made")
	}
	var err error
	if d.own, err = openCoordinator(d.path(drillCoordinator)); err != nil {
		return nil, err
	}
	signed, charter, err := openCharter(f.charter)
	if err != nil {
		return nil, err
	}
	d.charter = charter
	if d.report, err = rehearse.NewReport(charter, readVersion().String()); err != nil {
		return nil, err
	}
	if err := d.own.match(charter); err != nil {
		return nil, err
	}
	cohort, err := chooseCohort(charter, "")
	if err != nil {
		return nil, err
	}
	if d.task, err = charter.OpenTask(cohort); err != nil {
		return nil, err
	}
	if d.pack, d.layout, err = charterPack(env, charter, f.framework); err != nil {
		return nil, err
	}
	if err := d.checkMembers(); err != nil {
		return nil, err
	}
	return d, d.goOn(signed.Digest())
}

func (d *drill) path(elements ...string) string {
	return filepath.Join(append([]string{d.dir}, elements...)...)
}

// checkMembers wants the test members of this folder in the charter, and nobody
// else: a rehearsal delivers for all of them.
func (d *drill) checkMembers() error {
	entries, err := os.ReadDir(d.path(drillMembers))
	if err != nil {
		return errs.Wrap(err, errs.Invalid, because("the folder of the test members cannot be read", err), "")
	}
	for _, e := range entries {
		m, err := openMember(d.path(drillMembers, e.Name()))
		if err != nil {
			return err
		}
		if key, ok := d.task.MemberKey(m.member); !ok || key != m.signer.Public() {
			return errs.New(errs.Conflict, fmt.Sprintf("the charter does not list %s with the key that was prepared", m.member), "make the charter with --members "+shellWord(d.path(drillMembersFile)))
		}
		d.names = append(d.names, string(m.member))
	}
	if n := len(d.task.Cohort.Members); n != len(d.names) {
		return errs.New(errs.Conflict, fmt.Sprintf("the charter lists %d members, and %d test members were prepared", n, len(d.names)), "make the charter with --members "+shellWord(d.path(drillMembersFile)))
	}
	slices.Sort(d.names)
	return nil
}

// goOn takes the steps that an earlier run under the same charter has behind it.
func (d *drill) goOn(charter string) error {
	if !exists(d.path(drillReport)) {
		return nil
	}
	file, err := readSigned(d.path(drillReport), "rehearsal report")
	if err != nil {
		return err
	}
	earlier, err := rehearse.ParseReport(file.Body)
	if err != nil {
		return inFile(d.path(drillReport), err)
	}
	if earlier.Charter != charter {
		return errs.New(errs.Conflict, "this folder holds the report of a rehearsal under another charter", "prepare another folder: the keys of a rehearsal are for it alone")
	}
	if earlier, err = rehearse.OpenReport(file, d.charter); err != nil {
		return err
	}
	d.report.Steps, d.report.Hosts, d.report.Submissions = earlier.Steps, earlier.Hosts, earlier.Submissions
	return nil
}

// keep writes the report as it stands, signed.
func (d *drill) keep() error {
	file, err := d.report.Sign(d.own.signer)
	if err != nil {
		return err
	}
	err = realDisk().writeOutput(d.dir, []outputFile{{drillReport + sigExt, file.Signature, 0o644}, {drillReport, file.Body, 0o644}}, nil)
	return placeError(err, d.dir, "make room there, and repeat the command")
}

// step is one step of the run: found is what is worth a line in the report.
type step struct {
	name  string
	again bool // it is taken again by a run that goes on
	take  func(context.Context) (found []string, err error)
}

// run takes the steps that are not taken yet, and stops at the first that fails.
func (d *drill) run(ctx context.Context) error {
	for _, s := range d.steps() {
		if d.report.Done(s.name) && !s.again {
			say(d.env, "%s: done before", s.name)
			continue
		}
		began := d.env.Now()
		found, err := s.take(ctx)
		if ctx.Err() != nil { // it was neither good nor bad
			return errors.Join(ctx.Err(), err)
		}
		took := max(d.env.Now().Sub(began), 0)
		taken := rehearse.Step{Name: s.name, Began: began.Unix(), Took: took.Milliseconds(), Good: err == nil, Found: found}
		if err != nil {
			taken.Found = append(taken.Found, errs.Describe(err).Message)
		}
		d.report.Put(taken)
		if keepErr := d.keep(); keepErr != nil {
			return errors.Join(err, keepErr)
		}
		if err != nil {
			return d.failed(s, err)
		}
		say(d.env, "%s: %s", s.name, took.Round(time.Millisecond))
	}
	return nil
}

// failed says at which step a rehearsal stopped.
func (d *drill) failed(s step, err error) error {
	e := errs.Describe(err)
	if e.Kind == errs.Internal {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	hint := "the rehearsal goes on where it is when the command is repeated"
	if e.Hint != "" {
		hint = e.Hint + "; " + hint
	}
	return errs.Wrap(err, e.Kind, s.name+": "+e.Message, hint)
}

// quiet is the world of the commands that the rehearsal runs for others.
func (d *drill) quiet() Env {
	return quietly(d.env)
}

// clients connect to both hosts: as the coordinator, or as anybody.
func (d *drill) clients(own *coordinatorFolder) (parties, error) {
	if own == nil {
		return newParties(d.charter, d.task, nil, d.flags.wait)
	}
	return newParties(d.charter, d.task, &own.certificate, d.flags.wait)
}

// look finds out how a host is reached and how its clock goes.
func (d *drill) look(ctx context.Context, role dap.Role) ([]string, error) {
	hosts, err := d.clients(d.own)
	if err != nil {
		return nil, err
	}
	defer hosts.close()
	member, url, ask := d.charter.Leader.Member, d.task.Configuration.LeaderAggregatorEndpoint, hosts.leader.Probe
	if role == dap.RoleHelper {
		member, url, ask = d.charter.Helper.Member, d.task.Configuration.HelperAggregatorEndpoint, hosts.helper.Probe
	}
	probe, err := ask(ctx)
	if err != nil {
		return nil, at(member, roleName(role), err)
	}
	// Against the clock by which this rehearsal goes, which a test may set.
	probe.Offset += time.Since(d.env.Now())
	found := hostFound(role, member, url, probe)
	d.report.Hosts = slices.DeleteFunc(d.report.Hosts, func(h rehearse.HostFound) bool { return h.Role == found.Role })
	d.report.Hosts = append(d.report.Hosts, found)
	clock, ok := found.Clock()
	words := []string{
		fmt.Sprintf("%s at %s, %s, shows the key that the charter pins", member, found.URL, found.Address),
		fmt.Sprintf("%s, %s, %s; %d µs there and back", found.TLS, found.Cipher, found.Protocol, found.RoundTrip),
		clock,
	}
	if !ok {
		return words, errs.New(errs.Conflict, fmt.Sprintf("%s, the %s: %s", member, roleName(role), clock), "set its clock from a time server, and restart muster host serve there")
	}
	return words, nil
}

func hostFound(role dap.Role, member coalition.MemberID, url dap.URL, p daphttp.Probe) rehearse.HostFound {
	return rehearse.HostFound{
		Role: roleName(role), Member: member, URL: string(url), Address: p.Address, Pin: p.Pin.String(), TLS: p.TLS, Cipher: p.Cipher, Protocol: p.Protocol,
		RoundTrip: p.RoundTrip.Microseconds(), Offset: p.Offset.Milliseconds(),
	}
}

// stranger asks both hosts without a certificate for what is the coordinator's.
func (d *drill) stranger(ctx context.Context) ([]string, error) {
	hosts, err := d.clients(nil)
	if err != nil {
		return nil, err
	}
	defer hosts.close()
	for _, ask := range []struct {
		member coalition.MemberID
		roster func(context.Context, dap.TaskID) (coalition.FrozenRoster, error)
	}{{d.charter.Leader.Member, hosts.leader.FrozenRoster}, {d.charter.Helper.Member, hosts.helper.FrozenRoster}} {
		_, err := ask.roster(ctx, d.task.ID)
		switch errs.KindOf(err) {
		case errs.Denied:
		case errs.Unavailable:
			return nil, err
		default:
			return nil, errs.New(errs.Conflict, fmt.Sprintf("%s does not refuse to show the roster to somebody without a certificate: %v", ask.member, err), "nothing may stand before muster host serve that speaks TLS for it")
		}
	}
	return []string{"what is the coordinator's is refused to others by both"}, nil
}

// digest returns a file's SHA-256 for the report.
func (d *drill) digest(name string) (string, error) {
	body, err := readInput(d.path(name), "file")
	return keys.Digest(body), err
}
