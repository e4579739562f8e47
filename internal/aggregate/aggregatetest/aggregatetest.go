// Package aggregatetest sets up a cycle with two real hosts on databases of
// their own, for the tests of package aggregate and of what stands around it.
//
//	w := aggregatetest.New(t, 6)
//	aggregatetest.Must(t, w.StartUp())
//	for i := range 6 {
//		aggregatetest.Must(t, w.Deliver(w.Seal(aggregatetest.Member(i), 1, aggregatetest.Answers(i))))
//	}
//	count, cells, err := w.Finish()
//
// Everything is the real thing but the measurement, which means nothing, and
// the clock, which a test sets.
package aggregatetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/coalition"
	"muster/internal/keys"
	"muster/internal/ledger"
	"muster/internal/store"
	"muster/internal/store/hostdb"
	"muster/vdaf"
)

// What every world has in common; times in seconds since 1970.
const (
	CohortID = "members"
	Start    = int64(1_790_000_000)
	Deadline = Start + 28*24*3600

	precision = 7 * 24 * 3600
)

// Blocks returns the sizes of the blocks of every measurement, where [Options]
// do not say otherwise.
func Blocks() []uint16 { return []uint16{7, 7, 3, 5} }

// World is a cycle with two hosts on databases of their own: everything that a
// restart does not lose, and the means to restart.
type World struct {
	t           testing.TB
	dbs         []*hostdb.DB
	Databases   [2]hostdb.Config // where the hosts' databases are; SQLite files unless a test says otherwise
	Lease       *aggregate.Lease // of the Leader, from the next StartUp on
	Admission   [2]aggregate.Admission
	Charter     coalition.Charter
	Seed        coalition.Seed
	Members     map[coalition.MemberID]*keys.Signer
	Host        [2]HostKeys // the Leader's and the Helper's
	Coordinator *keys.Signer
	Collector   *dap.HpkeKeypair
	Now         atomic.Int64 // Unix seconds
	Log         *MemoryLog
	Fault       store.Fault // of both databases, from the next StartUp on

	Leader *aggregate.Leader
	Helper *aggregate.Helper

	// What stands between the parties, where a test puts something there: what
	// the Leader talks to, and what members and coordinator talk to. It survives
	// a restart. Where it is nil, they call each other directly.
	Peer       aggregate.Peer
	LeaderDoor LeaderDoor
	HelperDoor HelperDoor
}

// LeaderDoor is the Leader as members and coordinator reach it.
type LeaderDoor interface {
	HelperDoor
	Upload(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
	CollectionJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error)
}

// HelperDoor is the Helper as members reach it.
type HelperDoor interface {
	PutReceipt(ctx context.Context, r coalition.SignedReceipt) error
}

// HostKeys is what a host holds outside its database.
type HostKeys struct {
	Signer *keys.Signer
	HPKE   *dap.HpkeKeypair
	cycle  [hostdb.CycleKeySize]byte
}

// MemoryLog is a record that keeps the promise of aggregate.Log.
type MemoryLog struct {
	mu      sync.Mutex
	entries []ledger.Entry
}

// NewLog returns a record without entries.
func NewLog() *MemoryLog { return new(MemoryLog) }

// Entries returns what was logged, in its order.
func (l *MemoryLog) Entries() []ledger.Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// Append keeps the entry; another one with the same id is an error.
func (l *MemoryLog) Append(_ context.Context, e ledger.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, old := range l.entries {
		if old.ID != e.ID {
			continue
		}
		if fmt.Sprint(old) != fmt.Sprint(e) {
			return fmt.Errorf("two entries %s: %v and %v", e.ID, old, e)
		}
		return nil
	}
	l.entries = append(l.entries, e)
	return nil
}

// StartUp opens databases and hosts anew, as after a restart.
func (w *World) StartUp() error {
	w.Stop()
	var configs [2]aggregate.Config
	for i := range configs {
		place := w.Databases[i]
		place.CycleKey, place.Fault = w.Host[i].cycle, w.Fault
		db, err := hostdb.Open(w.t.Context(), place)
		if err != nil {
			return err
		}
		w.dbs = append(w.dbs, db)
		task, err := aggregate.NewTask(w.Charter, CohortID, w.Seed)
		if err != nil {
			return err
		}
		configs[i] = aggregate.Config{
			Task: task, Store: db, HPKE: []*dap.HpkeKeypair{w.Host[i].HPKE}, Signer: w.Host[i].Signer, Log: w.Log,
			Now: func() time.Time { return time.Unix(w.Now.Load(), 0) },
		}
	}
	configs[0].Lease = w.Lease
	configs[0].Admission, configs[1].Admission = w.Admission[0], w.Admission[1]
	var err error
	if w.Helper, err = aggregate.NewHelper(w.t.Context(), configs[1]); err != nil {
		return err
	}
	if w.Leader, err = aggregate.NewLeader(w.t.Context(), configs[0], between{w}); err != nil {
		return err
	}
	return nil
}

// between hands the Leader's calls to w.Peer if a test has set one.
type between struct{ w *World }

func (b between) to() aggregate.Peer {
	if b.w.Peer != nil {
		return b.w.Peer
	}
	return b.w.Helper
}

func (b between) CosignRoster(ctx context.Context, r coalition.SignedRoster) (coalition.SignedRoster, error) {
	return b.to().CosignRoster(ctx, r)
}

func (b between) CosignAmendment(ctx context.Context, a coalition.SignedAmendment) (coalition.SignedAmendment, error) {
	return b.to().CosignAmendment(ctx, a)
}

func (b between) AggregationJob(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	return b.to().AggregationJob(ctx, task, body)
}

func (b between) AggregateShare(ctx context.Context, task dap.TaskID, body []byte) ([]byte, error) {
	return b.to().AggregateShare(ctx, task, body)
}

func (w *World) leaderDoor() LeaderDoor {
	if w.LeaderDoor != nil {
		return w.LeaderDoor
	}
	return w.Leader
}

func (w *World) helperDoor() HelperDoor {
	if w.HelperDoor != nil {
		return w.HelperDoor
	}
	return w.Helper
}

// Stop closes the databases; the end of the test does it, too.
func (w *World) Stop() {
	for _, db := range w.dbs {
		if err := db.Close(); err != nil {
			w.t.Error(err)
		}
	}
	w.dbs = nil
}

// Task returns the task that the charter defines.
func (w *World) Task() coalition.OpenedTask {
	w.t.Helper()
	task, err := w.Charter.OpenTask(CohortID)
	Must(w.t, err)
	return task
}

// Submission is what a member sends, in parts that a test can exchange.
type Submission struct {
	Member  coalition.MemberID
	Report  dap.Report
	Receipt coalition.SignedReceipt
}

// Seal seals one index a block, as package submit does.
func (w *World) Seal(member coalition.MemberID, sequence uint64, measurement []uint64) Submission {
	w.t.Helper()
	task := w.Task()
	prio3, err := vdaf.FromConfig(2, vdaf.ID(task.Configuration.VdafType), task.Configuration.VdafConfiguration)
	Must(w.t, err)
	var id dap.ReportID
	rand.Read(id[:])
	random := make([]byte, prio3.RandSize())
	rand.Read(random)
	nonce := [16]byte(id)
	publicShare, shares, err := prio3.Shard(task.Variant.VdafContext(task.ID), measurement, &nonce, random)
	Must(w.t, err)
	return w.SealShares(member, sequence, id, publicShare, shares)
}

// SealShares encrypts shares, good or bad, and signs the receipt over them.
func (w *World) SealShares(member coalition.MemberID, sequence uint64, id dap.ReportID, publicShare []byte, shares [][]byte) Submission {
	w.t.Helper()
	task := w.Task()
	taskAad, err := dap.NewTaskAad(task.Variant, task.ID, task.Configuration)
	Must(w.t, err)
	report := dap.Report{ReportMetadata: dap.ReportMetadata{ReportID: id, Time: task.Interval.Start}, PublicShare: publicShare}
	aad, err := taskAad.Report(report.ReportMetadata, publicShare)
	Must(w.t, err)
	report.LeaderEncryptedInputShare, err = aad.Seal(w.Host[0].HPKE.Config(), dap.RoleLeader, dap.PlaintextInputShare{Payload: shares[0]})
	Must(w.t, err)
	report.HelperEncryptedInputShare, err = aad.Seal(w.Host[1].HPKE.Config(), dap.RoleHelper, dap.PlaintextInputShare{Payload: shares[1]})
	Must(w.t, err)
	return Submission{Member: member, Report: report, Receipt: w.Sign(member, sequence, report)}
}

// Sign signs the receipt over a report.
func (w *World) Sign(member coalition.MemberID, sequence uint64, report dap.Report) coalition.SignedReceipt {
	w.t.Helper()
	leader, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.LeaderEncryptedInputShare)
	Must(w.t, err)
	helper, err := coalition.PartDigest(report.ReportMetadata, report.PublicShare, report.HelperEncryptedInputShare)
	Must(w.t, err)
	receipt, err := coalition.NewReceipt(w.Task().ID, member, sequence, w.Now.Load(), report.ReportMetadata.ReportID, leader, helper).Sign(w.Members[member])
	Must(w.t, err)
	return receipt
}

// Deliver does what a member does; it may be repeated.
func (w *World) Deliver(s Submission) error {
	ctx := w.t.Context()
	if err := w.Upload(s.Report); err != nil {
		return err
	}
	if err := w.leaderDoor().PutReceipt(ctx, s.Receipt); err != nil {
		return err
	}
	return w.helperDoor().PutReceipt(ctx, s.Receipt)
}

// Upload uploads reports in one request; what the Leader refuses is an error.
func (w *World) Upload(reports ...dap.Report) error {
	body, err := dap.Encode(dap.Variant18, dap.UploadRequest{Reports: reports})
	if err != nil {
		return err
	}
	answer, err := w.leaderDoor().Upload(w.t.Context(), w.Task().ID, body)
	if err != nil || len(answer) == 0 {
		return err
	}
	refused, err := dap.Decode[dap.UploadErrors](dap.Variant18, answer)
	if err != nil {
		return err
	}
	return fmt.Errorf("upload refused: %v", refused.Status[0].Error)
}

// Collected asks the Leader as the coordinator would and opens the totals.
func (w *World) Collected() (uint64, []uint64, error) {
	task := w.Task()
	body, req := w.CollectionRequest(task.Interval)
	answer, err := w.leaderDoor().CollectionJob(w.t.Context(), task.ID, body)
	if err != nil {
		return 0, nil, err
	}
	return w.Open(req, answer)
}

// CollectionRequest returns the request for an interval, encoded and as it is.
func (w *World) CollectionRequest(interval dap.Interval) ([]byte, dap.CollectionJobReq) {
	w.t.Helper()
	query, err := dap.NewTimeIntervalQuery(interval)
	Must(w.t, err)
	req := dap.CollectionJobReq{Query: query}
	body, err := dap.Encode(dap.Variant18, req)
	Must(w.t, err)
	return body, req
}

// Open decrypts both shares of an answer and adds them up.
func (w *World) Open(req dap.CollectionJobReq, answer []byte) (uint64, []uint64, error) {
	task := w.Task()
	resp, err := dap.Decode[dap.CollectionJobResp](dap.Variant18, answer)
	if err != nil {
		return 0, nil, err
	}
	taskAad, err := dap.NewTaskAad(task.Variant, task.ID, task.Configuration)
	if err != nil {
		return 0, nil, err
	}
	aad, err := taskAad.Collection(req)
	if err != nil {
		return 0, nil, err
	}
	prio3, err := vdaf.FromConfig(2, vdaf.ID(task.Configuration.VdafType), task.Configuration.VdafConfiguration)
	if err != nil {
		return 0, nil, err
	}
	var shares []*vdaf.Aggregate
	for role, ciphertext := range map[dap.Role]dap.HpkeCiphertext{dap.RoleLeader: resp.LeaderEncryptedAggShare, dap.RoleHelper: resp.HelperEncryptedAggShare} {
		encoded, err := aad.Open(w.Collector, role, ciphertext)
		if err != nil {
			return 0, nil, err
		}
		share, err := prio3.DecodeAggregate(encoded)
		if err != nil {
			return 0, nil, err
		}
		shares = append(shares, share)
	}
	cells, err := prio3.Unshard(shares, resp.ReportCount)
	return resp.ReportCount, cells, err
}

// Finish takes the cycle from the deadline to the totals, whatever step it is at.
func (w *World) Finish() (uint64, []uint64, error) {
	w.Now.Store(Deadline)
	if _, err := w.Leader.Freeze(w.t.Context()); err != nil {
		return 0, nil, err
	}
	if err := w.Leader.Aggregate(w.t.Context()); err != nil {
		return 0, nil, err
	}
	return w.Collected()
}

// Plain adds up measurements in clear.
func Plain(measurements [][]uint64) []uint64 {
	var cells []uint64
	for i, size := range Blocks() {
		block := make([]uint64, size)
		for _, m := range measurements {
			block[m[i]]++
		}
		cells = append(cells, block...)
	}
	return cells
}

// Answers returns a different measurement for every i.
func Answers(i int) []uint64 {
	m := make([]uint64, len(Blocks()))
	for b, size := range Blocks() {
		m[b] = uint64(i*(b+3)+b) % uint64(size)
	}
	return m
}

// Member returns the name of member i: m000, m001, ...
func Member(i int) coalition.MemberID { return coalition.MemberID(fmt.Sprintf("m%03d", i)) }

// Must ends the test if there is an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ErrCrash is what a [World.Fault] returns to stop a host.
var ErrCrash = errors.New("crash")
