package rehearse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/internal/submit"
)

// InProcess is the stage that needs nothing but this process: the hosts are two
// values with a database and keys of their own, and call each other directly. It
// is for tests, and for machines on which no process can be started or no
// address be served.
type InProcess struct {
	Dir   string // of the databases
	Suite dap.Suite
	Rand  io.Reader
	Fault store.Fault // for tests; nil otherwise

	hosts   [2]hostKeys // Leader, Helper
	seed    coalition.Seed
	charter coalition.Charter
	wiped   [2]*coalition.SignedFile
}

// hostKeys is what one host keeps outside its database.
type hostKeys struct {
	database string
	signer   *keys.Signer
	hpke     *dap.HpkeKeypair
	cycleKey [hostdb.CycleKeySize]byte
	part     coalition.SeedPart
	record   *hostRecord
}

// hostRecord is the record that a host in this process keeps of its own, in memory: it
// outlives the host, as a file would.
type hostRecord struct {
	mu   sync.Mutex
	body bytes.Buffer
}

// Append takes a line.
func (r *hostRecord) Append(b []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.body.Write(b)
	return nil
}

func (r *hostRecord) read() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.body.Bytes())
}

// bothLogs enters what a host says in its own record, and in the coordinator's.
type bothLogs struct {
	own    *ledger.File
	shared aggregate.Log
}

func (l bothLogs) Append(ctx context.Context, e ledger.Entry) error {
	if err := l.own.Append(ctx, e); err != nil {
		return err
	}
	return l.shared.Append(ctx, e)
}

// Prepare draws all keys and the seed.
func (s *InProcess) Prepare(_ context.Context, cast Cast) (Introduction, error) {
	var in Introduction
	var commitments [2][32]byte
	for i := range s.hosts {
		if err := s.draw(i, cast.Hosts[i]); err != nil {
			return in, err
		}
		commitments[i] = s.hosts[i].part.Commitment()
	}
	// Both have committed; both reveal.
	var err error
	if s.seed, err = coalition.CombineSeed(s.hosts[0].part, s.hosts[1].part, commitments[0], commitments[1]); err != nil {
		return in, err
	}
	in.Seed = s.seed.Digest()
	// No server stands behind these addresses, and no certificate.
	if in.Leader, err = s.card(0, cast.Hosts[0], "https://leader.invalid/"); err != nil {
		return in, err
	}
	in.Helper, err = s.card(1, cast.Hosts[1], "https://helper.invalid/")
	return in, err
}

func (s *InProcess) draw(i int, host coalition.MemberID) error {
	h := &s.hosts[i]
	h.database = []string{"leader.db", "helper.db"}[i]
	var err error
	if h.signer, err = keys.Generate(s.Rand, "host "+string(host)); err != nil {
		return err
	}
	h.record = new(hostRecord)
	if h.hpke, err = dap.GenerateHpkeKeypair(1, s.Suite); err != nil {
		return err
	}
	if _, err = io.ReadFull(s.Rand, h.cycleKey[:]); err != nil {
		return fmt.Errorf("draw a cycle key: %w", err)
	}
	h.part, err = coalition.NewSeedPart(s.Rand)
	return err
}

func (s *InProcess) card(i int, host coalition.MemberID, address string) (coalition.HostCard, error) {
	h := s.hosts[i]
	return coalition.NewHostCard(host, address, h.signer.Public(), dap.HpkeConfigList{h.hpke.Config()}, "")
}

// Approve signs as both hosts.
func (s *InProcess) Approve(_ context.Context, charter coalition.SignedCharter) (coalition.SignedCharter, error) {
	var err error
	for _, h := range s.hosts {
		if charter, err = charter.Approve(h.signer); err != nil {
			return charter, err
		}
	}
	s.charter, err = charter.Open()
	return charter, err
}

// Open opens the hosts' databases.
func (s *InProcess) Open(ctx context.Context, world World) (Hosts, error) {
	h := &pair{charter: s.charter, signers: [2]*keys.Signer{s.hosts[0].signer, s.hosts[1].signer}}
	if err := s.connect(ctx, world, h); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

func (s *InProcess) connect(ctx context.Context, world World, h *pair) error {
	var configs [2]aggregate.Config
	for i, host := range s.hosts {
		db, err := hostdb.Open(ctx, hostdb.Config{
			Path: filepath.Join(s.Dir, host.database), CycleKey: host.cycleKey, Fault: s.Fault,
		})
		if err != nil {
			return err
		}
		h.databases = append(h.databases, db)
		task, err := aggregate.NewTask(s.charter, s.charter.Cohorts[0].ID, s.seed)
		if err != nil {
			return err
		}
		h.task = task.ID
		own, _, err := ledger.Open(bytes.NewReader(host.record.read()), host.record, host.signer)
		if err != nil {
			return err
		}
		h.records[i] = host.record
		configs[i] = aggregate.Config{
			Task: task, Store: db, HPKE: []*dap.HpkeKeypair{host.hpke}, Signer: host.signer, Log: bothLogs{own, world.Record}, Now: world.Now,
		}
	}
	var err error
	if h.helper, err = aggregate.NewHelper(ctx, configs[1]); err != nil {
		return err
	}
	h.leader, err = aggregate.NewLeader(ctx, configs[0], h.helper)
	return err
}

// Wipe deletes what both databases hold, and forgets what opened it.
func (s *InProcess) Wipe(ctx context.Context, at time.Time) ([]coalition.SignedFile, error) {
	var files []coalition.SignedFile
	for i, role := range []dap.Role{dap.RoleLeader, dap.RoleHelper} {
		if s.wiped[i] == nil {
			file, err := s.wipe(ctx, i, role, at)
			if err != nil {
				return nil, err
			}
			s.wiped[i] = &file
		}
		files = append(files, *s.wiped[i])
	}
	s.seed = coalition.Seed{}
	return files, nil
}

func (s *InProcess) wipe(ctx context.Context, i int, role dap.Role, at time.Time) (_ coalition.SignedFile, err error) {
	h := &s.hosts[i]
	db, err := hostdb.Open(ctx, hostdb.Config{Path: filepath.Join(s.Dir, h.database), CycleKey: h.cycleKey, Fault: s.Fault})
	if err != nil {
		return coalition.SignedFile{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	own, _, err := ledger.Open(bytes.NewReader(h.record.read()), h.record, h.signer)
	if err != nil {
		return coalition.SignedFile{}, err
	}
	err = aggregate.Wipe(ctx, aggregate.WipeConfig{
		Charter: s.charter, Cohort: s.charter.Cohorts[0].ID, Role: role, Store: db, Log: own, Now: func() time.Time { return at },
	}, aggregate.CycleOver)
	if err != nil {
		return coalition.SignedFile{}, err
	}
	h.hpke, h.cycleKey, h.part = nil, [hostdb.CycleKeySize]byte{}, coalition.SeedPart{}
	a, err := coalition.NewWipeAttestation(s.charter, strings.ToLower(role.String()), coalition.EndingOver, coalition.SumLeft,
		[]string{"submissions", "cycle key", "HPKE keys", "seed", "seed part"}, at)
	if err != nil {
		return coalition.SignedFile{}, err
	}
	return a.Sign(h.signer)
}

// pair is both hosts in this process.
type pair struct {
	signers   [2]*keys.Signer // Leader, Helper
	charter   coalition.Charter
	task      dap.TaskID
	leader    *aggregate.Leader
	helper    *aggregate.Helper
	databases []*hostdb.DB
	records   [2]*hostRecord
}

func (h *pair) Leader() Leader { return h.leader }

func (h *pair) Helper() submit.Receipts { return h.helper }

// SetClock has nothing to do: the hosts read the rehearsal's clock.
func (h *pair) SetClock(context.Context) error { return nil }

// Postpone signs as both hosts, and both take it.
func (h *pair) Postpone(ctx context.Context, addendum coalition.SignedAddendum) (coalition.SignedAddendum, error) {
	var err error
	for _, signer := range h.signers {
		if addendum, err = addendum.Approve(h.charter, signer); err != nil {
			return addendum, err
		}
	}
	if err := h.leader.Postpone(ctx, addendum); err != nil {
		return addendum, err
	}
	return addendum, h.helper.Postpone(ctx, addendum)
}

func (h *pair) Freeze(ctx context.Context) (leader, helper coalition.FrozenRoster, err error) {
	if _, err := h.leader.Freeze(ctx); err != nil {
		return leader, helper, err
	}
	if leader, err = h.leader.FrozenRoster(ctx, h.task); err != nil {
		return leader, helper, err
	}
	helper, err = h.helper.FrozenRoster(ctx, h.task)
	return leader, helper, err
}

func (h *pair) AddUp(ctx context.Context) error { return h.leader.Aggregate(ctx) }

// Sign signs as both hosts.
func (h *pair) Sign(_ context.Context, release coalition.SignedFile) (coalition.SignedFile, error) {
	var err error
	for _, signer := range h.signers {
		if release.Signature, err = keys.Cosign(keys.KindRelease, release.Body, release.Signature, signer); err != nil {
			return release, err
		}
	}
	return release, nil
}

// Records returns what each host keeps of its own; both write into the coordinator's
// as well.
func (h *pair) Records() ([]Record, error) {
	return []Record{{"leader", h.records[0].read()}, {"helper", h.records[1].read()}}, nil
}

func (h *pair) Close() error {
	var failed []error
	for _, db := range h.databases {
		failed = append(failed, db.Close())
	}
	return errors.Join(failed...)
}
