package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/config"
	"muster/internal/daphttp"
	"muster/internal/errs"
	"muster/internal/rehearse"
	"muster/internal/submit"
)

// hostProcesses is the stage on which each host is a process of its own, as two
// nations would run it: its folder made by what muster host init, ceremony and
// approve do, served by muster host serve on an address of this machine alone,
// and reached over TLS with the keys that the charter pins.
type hostProcesses struct {
	env         Env
	dir         string // holds what this stage writes
	program     string // of a host: this one
	suite       dap.Suite
	certificate tls.Certificate // the coordinator's
	hosts       [2]*hostProcess
	charter     coalition.SignedCharter

	whenBroken func(error) // called when a host is no more although nobody stopped it
}

// newHostProcesses returns the stage, whose folders will be in dir.
func newHostProcesses(env Env, dir string, suite dap.Suite) (*hostProcesses, error) {
	program, err := env.Program()
	if err != nil {
		return nil, noProcess(err)
	}
	return &hostProcesses{env: env, dir: dir, program: program, suite: suite}, nil
}

// inProcessHint is the way out where no process or no address is to be had.
const inProcessHint = "with --in-process both hosts run in this process, without a network"

func noProcess(err error) error {
	return errs.Wrap(err, errs.Unavailable, because("the process of a host cannot be started", err), inProcessHint)
}

// quietly is the world of commands that people would run, and whose words nobody
// reads here.
func quietly(env Env) Env {
	env.In, env.Out, env.Err = bytes.NewReader(nil), io.Discard, io.Discard
	return env
}

func (s *hostProcesses) quiet() Env { return quietly(s.env) }

// Prepare makes both hosts' folders and holds their ceremony.
func (s *hostProcesses) Prepare(ctx context.Context, cast rehearse.Cast) (rehearse.Introduction, error) {
	var in rehearse.Introduction
	var err error
	if s.certificate, err = daphttp.NewCertificate(daphttp.CertificateConfig{Name: "coordinator", Now: s.env.Now(), Rand: s.env.Rand}); err != nil {
		return in, err
	}
	in.Coordinator = coalition.Pin(s.certificate.Leaf.RawSubjectPublicKeyInfo)
	for i, role := range []dap.Role{dap.RoleLeader, dap.RoleHelper} {
		if s.hosts[i], err = s.makeHost(role, cast.Hosts[i]); err != nil {
			return in, err
		}
	}
	if err := s.holdCeremony(ctx, cast.Cycle); err != nil {
		return in, err
	}
	if in.Leader, _, err = openCard(s.hosts[0].path(hostCardFile)); err != nil {
		return in, err
	}
	if in.Helper, _, err = openCard(s.hosts[1].path(hostCardFile)); err != nil {
		return in, err
	}
	seed, err := keyFolder(s.hosts[0].dir).Seed()
	in.Seed = seed.Digest()
	return in, err
}

func (s *hostProcesses) makeHost(role dap.Role, member coalition.MemberID) (*hostProcess, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	h := newHostProcess(s.program, s.dir, role, s.whenBroken)
	url := "https://" + address + "/"
	if err := os.MkdirAll(h.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of a host: %w", err)
	}
	if err := config.CreateSecret(h.path(config.HostFile), rehearsalYAML(member, url, address)); err != nil {
		return nil, err
	}
	suite := map[dap.Suite]string{dap.SuiteX25519: "x25519", dap.SuiteMLKEM768X25519: "hybrid"}[s.suite]
	return h, runHostInit(s.quiet(), h.dir, hostInitFlags{member: string(member), url: url, suite: suite})
}

// rehearsalYAML is the configuration of a host of a rehearsal.
func rehearsalYAML(member coalition.MemberID, url, address string) []byte {
	return fmt.Appendf(nil, "format: %s\nmember: %s\nurl: %s\nlisten: %s\noperations: %s\nfreeze: at_deadline\nlimits:\n  uploads_per_hour: 1000000 # all members have one address\n",
		config.HostFormat, strconv.Quote(string(member)), strconv.Quote(url), strconv.Quote(address), strconv.Quote("127.0.0.1:0"))
}

// freeAddress returns an address of this machine that nobody serves at. Somebody
// may before the host does, see [errTaken].
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		cause := err
		if op, ok := errors.AsType[*net.OpError](err); ok {
			cause = op.Err
		}
		return "", errs.Wrap(err, errs.Unavailable, fmt.Sprintf("no address of this machine can be served: %v", cause), inProcessHint)
	}
	return l.Addr().String(), l.Close()
}

// holdCeremony runs the three steps of the ceremony at both hosts, and carries
// the files between them.
func (s *hostProcesses) holdCeremony(ctx context.Context, cycle string) error {
	leader, helper := s.hosts[0], s.hosts[1]
	steps := []func(own, other *hostProcess) error{
		func(own, _ *hostProcess) error {
			return runCommit(s.quiet(), commitFlags{dir: own.dir, cycle: cycle, leader: leader.path(hostCardFile), helper: helper.path(hostCardFile)})
		},
		func(own, other *hostProcess) error { return runReveal(s.quiet(), own.dir, other.path(commitmentFile)) },
		func(own, other *hostProcess) error { return runFinish(s.quiet(), own.dir, other.path(revealFile)) },
	}
	for _, step := range steps {
		for _, pair := range [][2]*hostProcess{{leader, helper}, {helper, leader}} {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := step(pair[0], pair[1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Approve has both hosts check and sign the charter, and gives it to each.
func (s *hostProcesses) Approve(ctx context.Context, charter coalition.SignedCharter) (coalition.SignedCharter, error) {
	path := filepath.Join(s.dir, "charter.json")
	if err := keepSigned(path, coalition.SignedFile(charter), errors.New("another charter is there")); err != nil {
		return charter, err
	}
	for _, h := range s.hosts {
		if err := runApprove(ctx, s.quiet(), path, approveFlags{dir: h.dir, yes: true}); err != nil {
			return charter, err
		}
	}
	signed, err := readCharter(path)
	if err != nil {
		return charter, err
	}
	for _, h := range s.hosts {
		if err := keepSigned(h.path("charter.json"), coalition.SignedFile(signed), errors.New("another charter is there")); err != nil {
			return charter, err
		}
	}
	s.charter = signed
	return signed, nil
}

// Open starts both processes and connects to them.
func (s *hostProcesses) Open(ctx context.Context, world rehearse.World) (rehearse.Hosts, error) {
	r := &runningProcesses{stage: s}
	if err := r.open(ctx, world.Now); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Wipe has both hosts end the cycle as their people would.
func (s *hostProcesses) Wipe(ctx context.Context, at time.Time) ([]coalition.SignedFile, error) {
	env := s.quiet()
	env.Now = func() time.Time { return at }
	var files []coalition.SignedFile
	for _, h := range s.hosts {
		if err := runHostWipe(ctx, env, hostWipeFlags{dir: h.dir, yes: true}); err != nil {
			return nil, err
		}
		file, err := readSigned(h.path(attestationFile), "wipe attestation")
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// keepLogs keeps what the hosts said where it can be read afterwards, if they
// said anything.
func (s *hostProcesses) keepLogs() {
	var files []outputFile
	for _, h := range s.hosts {
		if h == nil {
			continue
		}
		if body, err := os.ReadFile(h.log); err == nil && len(body) > 0 {
			files = append(files, outputFile{filepath.Base(h.log), body, 0o600})
		}
	}
	if files == nil {
		return
	}
	dir, err := os.MkdirTemp("", "muster-host-logs-*")
	if err == nil {
		err = realDisk().writeOutput(dir, files, nil)
	}
	if err != nil {
		warn(s.env, "the logs of the hosts cannot be kept: %v", err)
		return
	}
	say(s.env, "the logs of the hosts are in %s", strconv.Quote(dir))
}

// runningProcesses are both hosts as members and coordinator reach them.
type runningProcesses struct {
	stage   *hostProcesses
	leader  *daphttp.LeaderClient
	helper  *daphttp.HelperClient
	task    coalition.OpenedTask
	charter coalition.Charter
}

func (r *runningProcesses) open(ctx context.Context, now func() time.Time) error {
	charter, err := r.stage.charter.Open()
	if err != nil {
		return err
	}
	r.charter = charter
	if r.task, err = charter.OpenTask(charter.Cohorts[0].ID); err != nil {
		return err
	}
	var endpoints []daphttp.ClientConfig
	for _, host := range []struct {
		endpoint    dap.URL
		certificate string
	}{
		{r.task.Configuration.LeaderAggregatorEndpoint, charter.Leader.Certificate},
		{r.task.Configuration.HelperAggregatorEndpoint, charter.Helper.Certificate},
	} {
		pin, err := daphttp.ParsePin(host.certificate)
		if err != nil {
			return err
		}
		// As long as a host that is started again needs, and no longer.
		endpoints = append(endpoints, daphttp.ClientConfig{
			Endpoint: host.endpoint, TLS: daphttp.ClientTLS(&r.stage.certificate, pin),
			Attempts: 12, Backoff: 50 * time.Millisecond, MaxPause: time.Second,
		})
	}
	if r.leader, err = daphttp.NewLeaderClient(endpoints[0]); err != nil {
		return err
	}
	if r.helper, err = daphttp.NewHelperClient(endpoints[1]); err != nil {
		return err
	}
	// Both at once: starting takes most of the time of a small rehearsal.
	started := make(chan error, len(r.stage.hosts))
	for _, h := range r.stage.hosts {
		go func() { started <- h.start(ctx, now) }() // waited for below
	}
	for range r.stage.hosts {
		err = errors.Join(err, <-started)
	}
	return err
}

func (r *runningProcesses) Leader() rehearse.Leader { return r.leader }

func (r *runningProcesses) Helper() submit.Receipts { return r.helper }

func (r *runningProcesses) SetClock(context.Context) error {
	for _, h := range r.stage.hosts {
		if err := h.setClock(); err != nil {
			return err
		}
	}
	return nil
}

// Postpone has both hosts approve the addendum as their people would: each signs
// it, and takes it once all three have signed.
func (r *runningProcesses) Postpone(ctx context.Context, addendum coalition.SignedAddendum) (coalition.SignedAddendum, error) {
	path := filepath.Join(r.stage.dir, "addendum-"+addendum.Digest()+".json")
	if err := keepSigned(path, coalition.SignedFile(addendum), errors.New("another addendum is there")); err != nil {
		return addendum, err
	}
	leader, helper := r.stage.hosts[0], r.stage.hosts[1]
	for _, h := range []*hostProcess{leader, helper, leader} { // the Leader signed before the Helper had
		if err := runApprove(ctx, r.stage.quiet(), path, approveFlags{dir: h.dir, yes: true}); err != nil {
			return addendum, err
		}
	}
	signed, err := readSigned(path, "addendum")
	return coalition.SignedAddendum(signed), err
}

// Sign has both hosts sign the release as their people would.
func (r *runningProcesses) Sign(ctx context.Context, release coalition.SignedFile) (coalition.SignedFile, error) {
	path := filepath.Join(r.stage.dir, "release.json")
	if err := keepSigned(path, release, errors.New("another release is there")); err != nil {
		return release, err
	}
	for _, h := range r.stage.hosts {
		if err := runApprove(ctx, r.stage.quiet(), path, approveFlags{dir: h.dir, yes: true}); err != nil {
			return release, err
		}
	}
	return readSigned(path, "release")
}

// The pauses before hosts are asked again, and how long altogether.
const (
	poll     = 10 * time.Millisecond
	patience = 10 * time.Minute
)

// Freeze waits until both hosts have frozen, which the Leader does by itself at
// the deadline, and returns what they show the coordinator.
func (r *runningProcesses) Freeze(ctx context.Context) (leader, helper coalition.FrozenRoster, err error) {
	err = until(ctx, "both hosts have frozen", func() (bool, error) {
		if leader, err = r.leader.FrozenRoster(ctx, r.task.ID); err == nil {
			helper, err = r.helper.FrozenRoster(ctx, r.task.ID)
		}
		if errs.KindOf(err) == errs.Conflict { // not yet
			return false, nil
		}
		return true, err
	})
	return leader, helper, err
}

// AddUp waits until everything on the roster is settled, which is what the
// Leader goes on with, and looks at it as its people would: by its status.
func (r *runningProcesses) AddUp(ctx context.Context) error {
	return until(ctx, "every submission is verified", func() (bool, error) {
		s, err := readStatus(ctx, r.stage.quiet(), r.stage.hosts[0].dir)
		if err != nil {
			return false, err
		}
		c := s.Cohorts[0]
		if c.Roster == nil || c.Accepted+len(c.NotAccepted) < c.Roster.Submissions {
			return false, nil
		}
		if len(c.NotAccepted) > 0 {
			return false, errs.New(errs.Conflict, fmt.Sprintf("%s of %s was not accepted: %s", "the submission", c.NotAccepted[0].Member, c.NotAccepted[0].Reason), "")
		}
		return true, nil
	})
}

// until calls fn until it is done, with pauses. what is what is waited for.
func until(ctx context.Context, what string, fn func() (done bool, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errs.New(errs.Unavailable, fmt.Sprintf("%v passed before %s", patience, what), inProcessHint))
	defer cancel()
	for {
		done, err := fn()
		if done || err != nil {
			return err
		}
		if !sleep(ctx, poll) {
			return context.Cause(ctx)
		}
	}
}

// Records returns what each host entered in its record.
func (r *runningProcesses) Records() ([]rehearse.Record, error) {
	var records []rehearse.Record
	for _, h := range r.stage.hosts {
		body, err := h.record(context.Background())
		if err != nil {
			return nil, err
		}
		records = append(records, rehearse.Record{Keeper: strings.ToLower(roleName(h.role)), Body: body})
	}
	return records, nil
}

// Close stops both hosts.
func (r *runningProcesses) Close() error {
	if r.leader != nil {
		r.leader.Close()
	}
	if r.helper != nil {
		r.helper.Close()
	}
	stopped := make(chan error, len(r.stage.hosts))
	for _, h := range r.stage.hosts {
		go func() { stopped <- h.stop() }() // waited for below
	}
	var failed []error
	for range r.stage.hosts {
		failed = append(failed, <-stopped)
	}
	return errors.Join(failed...)
}
