package aggregate_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/dap"
	"muster/internal/aggregate"
	"muster/internal/aggregate/aggregatetest"
	"muster/internal/coalition"
	"muster/internal/errs"
	"muster/internal/store"
	"muster/internal/store/pgtest"
)

// The names that these tests use most.
const (
	cohort   = aggregatetest.CohortID
	deadline = aggregatetest.Deadline
)

type submission = aggregatetest.Submission

// world is a cycle, see [aggregatetest.World].
type world struct {
	*aggregatetest.World
	t testing.TB
}

func newWorld(t testing.TB, n int) *world {
	t.Helper()
	return &world{aggregatetest.New(t, n), t}
}

var (
	must     = aggregatetest.Must
	member   = aggregatetest.Member
	answers  = aggregatetest.Answers
	plain    = aggregatetest.Plain
	errCrash = aggregatetest.ErrCrash
)

// run delivers n submissions and returns the measurements.
func (w *world) run(n int) [][]uint64 {
	w.t.Helper()
	var all [][]uint64
	for i := range n {
		all = append(all, answers(i))
		must(w.t, w.Deliver(w.Seal(member(i), 1, answers(i))))
	}
	return all
}

func TestTotalsAreThePlainSum(t *testing.T) {
	t.Parallel()
	for engine, on := range engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12)
			on(w)
			must(t, w.StartUp())
			all := w.run(11) // one is late
			count, cells, err := w.Finish()
			must(t, err)
			if count != 11 {
				t.Errorf("got %d submissions, want 11", count)
			}
			if diff := cmp.Diff(plain(all), cells); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestManyJobs(t *testing.T) {
	t.Parallel()
	const n = 2*dap.MaxJobReports + 40
	w := newWorld(t, n)
	must(t, w.StartUp())
	all := w.run(n)
	_, cells, err := w.Finish()
	must(t, err)
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

func TestHigherSequenceReplaces(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 6)
	must(t, w.StartUp())
	all := w.run(6)
	newer := w.Seal(member(2), 7, answers(40))
	older := w.Seal(member(2), 3, answers(50))
	must(t, w.Deliver(newer))
	must(t, w.Deliver(older)) // arrives later and counts for nothing
	all[2] = answers(40)
	count, cells, err := w.Finish()
	must(t, err)
	if count != 6 {
		t.Errorf("got %d submissions, want 6", count)
	}
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Error(diff)
	}
}

func TestMain(m *testing.M) { pgtest.Main(m) }

// engines are where the hosts' databases may be.
func engines() map[string]func(w *world) {
	return map[string]func(w *world){"SQLite": func(*world) {}, "PostgreSQL": func(w *world) { w.OnPostgres() }}
}

// TestCrashes stops the hosts before and after the commit of every single
// transaction of a cycle, restarts them, and wants the same totals. On
// PostgreSQL it is every seventh, unless there is time for all (MUSTER_LONG=1).
func TestCrashes(t *testing.T) {
	t.Parallel()
	for engine, on := range engines() {
		stride := 1
		if engine == "PostgreSQL" && os.Getenv("MUSTER_LONG") != "1" {
			stride = 7
		}
		for _, point := range []store.FaultPoint{store.BeforeCommit, store.AfterCommit} {
			t.Run(engine+", "+string(point), func(t *testing.T) {
				t.Parallel()
				if engine == "PostgreSQL" {
					pgtest.DSN(t) // skips here, not in every step, where there is none
				}
				seen := make(map[string]bool)
				for step, more := 0, true; more; step += stride {
					t.Run(fmt.Sprint(step), func(t *testing.T) { // so that its databases end with it
						more = false // unless this step ends
						at := crash(t, on, point, step)
						more = at != ""
						seen[at] = true
					})
				}
				if stride > 1 {
					if len(seen) < 5 {
						t.Errorf("crashes were tried at %v only", seen)
					}
					return
				}
				for _, name := range []string{
					"create task", "upload", "put receipt", "propose roster", "cosign roster", "freeze roster", "plan jobs",
					"prepare job", "commit job", "begin collection", "give aggregate share", "finish collection",
				} {
					if !seen[name] {
						t.Errorf("no crash was tried at %q", name)
					}
				}
			})
		}
	}
}

// crash runs a cycle that is stopped at one transaction, and returns that
// transaction's name, or nothing if the cycle has not so many.
func crash(t *testing.T, on func(*world), point store.FaultPoint, step int) string {
	t.Helper()
	const n = 5
	w := newWorld(t, n)
	on(w)
	var mu sync.Mutex // PostgreSQL runs transactions at the same time
	at := ""
	left := step
	w.Fault = func(name string, p store.FaultPoint) error {
		if p != point {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if left--; left == -1 {
			at = name
			return errCrash
		}
		return nil
	}
	all, cells := w.untilDone(n)
	if diff := cmp.Diff(plain(all), cells); diff != "" {
		t.Errorf("crash %s of transaction %d, %q: %s", point, step, at, diff)
	}
	w.Stop()
	return at
}

// untilDone drives a cycle to its end, restarting after every crash, and
// checks that no second, different collection is possible.
func (w *world) untilDone(n int) ([][]uint64, []uint64) {
	w.t.Helper()
	var sealed []submission
	var all [][]uint64
	for i := range n {
		all = append(all, answers(i))
		sealed = append(sealed, w.Seal(member(i), 1, answers(i)))
	}
	for range 3 {
		cells, err := w.attempt(sealed)
		if err == nil {
			w.Fault = nil
			again, err := w.attempt(sealed)
			must(w.t, err)
			if diff := cmp.Diff(cells, again); diff != "" {
				w.t.Errorf("a repeated collection differs: %s", diff)
			}
			return all, cells
		}
		if !errors.Is(err, errCrash) {
			w.t.Fatal(err)
		}
	}
	w.t.Fatal("three crashes where one was injected")
	return nil, nil
}

func (w *world) attempt(sealed []submission) ([]uint64, error) {
	if err := w.StartUp(); err != nil {
		return nil, err
	}
	if w.Now.Load() < deadline {
		for _, s := range sealed {
			if err := w.Deliver(s); err != nil {
				return nil, err
			}
		}
	}
	_, cells, err := w.Finish()
	return cells, err
}

func TestNothingIsTakenAfterTheDeadline(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	must(t, w.StartUp())
	w.run(2)
	late := w.Seal(member(2), 1, answers(2))
	w.Now.Store(deadline)
	if err := w.Upload(late.Report); err == nil || !strings.Contains(err.Error(), "report_dropped") {
		t.Errorf("upload: %v", err)
	}
	for name, host := range map[string]interface {
		PutReceipt(context.Context, coalition.SignedReceipt) error
	}{"Leader": w.Leader, "Helper": w.Helper} {
		if err := host.PutReceipt(t.Context(), late.Receipt); errs.KindOf(err) != errs.Conflict {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.Now.Store(deadline - 1)
	if _, err := w.Leader.Freeze(t.Context()); errs.KindOf(err) != errs.Conflict {
		t.Errorf("froze before the deadline: %v", err)
	}
}

func TestNothingIsAddedUpBeforeTheRoster(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	must(t, w.StartUp())
	w.run(3)
	if err := w.Leader.Aggregate(t.Context()); errs.KindOf(err) != errs.Conflict {
		t.Errorf("Aggregate: %v", err)
	}
	if _, _, err := w.Collected(); errs.KindOf(err) != errs.Conflict {
		t.Errorf("Collect: %v", err)
	}
}

func TestListsThatDiffer(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		break_ func(w *world, s submission) error
		want   string
	}{
		{"receipt at the Leader only", func(w *world, s submission) error {
			return errors.Join(w.Upload(s.Report), w.Leader.PutReceipt(w.t.Context(), s.Receipt))
		}, "m003 is missing at the Helper"},
		{"receipt at the Helper only", func(w *world, s submission) error {
			return errors.Join(w.Upload(s.Report), w.Helper.PutReceipt(w.t.Context(), s.Receipt))
		}, "m003 is missing at the Leader"},
		{"no upload", func(w *world, s submission) error {
			return errors.Join(w.Leader.PutReceipt(w.t.Context(), s.Receipt), w.Helper.PutReceipt(w.t.Context(), s.Receipt))
		}, "m003 is missing at the Leader"},
		{"another upload than the receipt says", func(w *world, s submission) error {
			s.Report.LeaderEncryptedInputShare.Payload = slices.Clone(s.Report.LeaderEncryptedInputShare.Payload)
			s.Report.LeaderEncryptedInputShare.Payload[0] ^= 1
			return w.Deliver(s)
		}, "m003 is missing at the Leader"},
		{"two submissions", func(w *world, s submission) error {
			second := w.Seal(s.Member, 2, answers(9))
			return errors.Join(w.Deliver(s), w.Upload(second.Report), w.Leader.PutReceipt(w.t.Context(), second.Receipt))
		}, "m003 has submission 2 at the Leader and 1 at the Helper"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4)
			must(t, w.StartUp())
			w.run(3)
			must(t, row.break_(w, w.Seal(member(3), 1, answers(3))))
			_, _, err := w.Finish()
			if errs.KindOf(err) != errs.Conflict || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if phase, err := w.Helper.Phase(t.Context()); err != nil || phase != aggregate.PhaseOpen {
				t.Errorf("the Helper is in phase %s, %v", phase, err)
			}
		})
	}
}

func TestUploadRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	must(t, w.StartUp())
	good := w.Seal(member(0), 1, answers(0)).Report
	must(t, w.Upload(good))
	must(t, w.Upload(good)) // the same again is the same
	rows := []struct {
		name   string
		change func(r *dap.Report)
		want   string
	}{
		{"another report under the same id", func(r *dap.Report) { r.HelperEncryptedInputShare = r.LeaderEncryptedInputShare }, "report_replayed"},
		{"before the task", func(r *dap.Report) { r.ReportMetadata.Time-- }, "task_not_started"},
		{"in the future", func(r *dap.Report) { r.ReportMetadata.Time++ }, "report_too_early"},
		{"an unknown key", func(r *dap.Report) { r.LeaderEncryptedInputShare.ConfigID = 9 }, "outdated_config"},
		{"an extension", func(r *dap.Report) { r.ReportMetadata.PublicExtensions = []dap.Extension{{Type: 77}} }, "invalid_message"},
		{"a public share of another size", func(r *dap.Report) { r.PublicShare = r.PublicShare[1:] }, "invalid_message"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			report := good
			row.change(&report)
			if err := w.Upload(report); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
	if _, err := w.Leader.Upload(t.Context(), w.Task().ID, []byte("rubbish")); !errors.Is(err, &dap.Problem{Type: dap.ProblemInvalidMessage}) {
		t.Errorf("rubbish: %v", err)
	}
	if _, err := w.Leader.Upload(t.Context(), dap.TaskID{}, nil); !errors.Is(err, &dap.Problem{Type: dap.ProblemUnrecognizedTask}) {
		t.Errorf("another task: %v", err)
	}
}

// TestMalformedSubmission: shares that do not verify are not accepted by
// either host, the totals stay closed, and the message names whom to ask.
func TestMalformedSubmission(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name  string
		spoil func(shares [][]byte)
		want  string
	}{
		{"Leader's share", func(shares [][]byte) { shares[0][3] ^= 1 }, "m003 (vdaf_verify_error)"},
		{"Helper's share", func(shares [][]byte) { shares[1][3] ^= 1 }, "m003 (vdaf_verify_error)"},
		{"Leader's share cut short", func(shares [][]byte) { shares[0] = shares[0][1:] }, "m003 (invalid_message)"},
		{"Helper's share cut short", func(shares [][]byte) { shares[1] = shares[1][1:] }, "m003 (vdaf_verify_error)"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4)
			must(t, w.StartUp())
			w.run(3)
			must(t, w.Deliver(w.spoiled(member(3), row.spoil)))
			for range 2 { // and again, for the same answer
				_, _, err := w.Finish()
				if errs.KindOf(err) != errs.Conflict || !strings.Contains(fmt.Sprint(err), row.want) {
					t.Fatalf("got %v, want %q", err, row.want)
				}
			}
			if _, _, err := w.Collected(); errs.KindOf(err) != errs.Conflict {
				t.Errorf("collected all the same: %v", err)
			}
		})
	}
}

// spoiled seals a submission whose shares were changed before encryption.
func (w *world) spoiled(member coalition.MemberID, spoil func(shares [][]byte)) submission {
	w.t.Helper()
	task, err := aggregate.NewTask(w.Charter, cohort, w.Seed)
	must(w.t, err)
	var id dap.ReportID
	rand.Read(id[:])
	random := make([]byte, task.VDAF.RandSize())
	rand.Read(random)
	nonce := [16]byte(id)
	publicShare, shares, err := task.VDAF.Shard(task.Variant.VdafContext(task.ID), answers(3), &nonce, random)
	must(w.t, err)
	spoil(shares)
	return w.SealShares(member, 1, id, publicShare, shares)
}

func TestCollectionHappensOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4)
	must(t, w.StartUp())
	w.run(4)
	_, first, err := w.Finish()
	must(t, err)
	_, again, err := w.Collected()
	must(t, err)
	if diff := cmp.Diff(first, again); diff != "" {
		t.Error(diff)
	}
	interval := w.Task().Interval
	interval.Duration--
	body, _ := w.CollectionRequest(interval)
	if _, err := w.Leader.CollectionJob(t.Context(), w.Task().ID, body); !errors.Is(err, &dap.Problem{Type: dap.ProblemBatchInvalid}) {
		t.Errorf("a part of the interval: %v", err)
	}
	if err := w.Deliver(w.Seal(member(3), 2, answers(8))); err == nil {
		t.Error("a submission was taken after the collection")
	}
}

func TestMinimumBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 9)
	must(t, w.StartUp())
	w.run(5) // six are needed
	_, _, err := w.Finish()
	if !errors.Is(err, &dap.Problem{Type: dap.ProblemInvalidBatchSize}) || !strings.Contains(fmt.Sprint(err), "5 of 9 members took part; the charter collects from 6 on") {
		t.Errorf("got %v", err)
	}
}

func TestNewTaskRefusesAnotherSeed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	seed := w.Seed
	seed[0] ^= 1
	if _, err := aggregate.NewTask(w.Charter, cohort, seed); errs.KindOf(err) != errs.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestHostRefusesAnotherKeyAndRole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	must(t, w.StartUp())
	task, err := aggregate.NewTask(w.Charter, cohort, w.Seed)
	must(t, err)
	cfg := w.Leader.Config
	cfg.Task, cfg.Signer = task, w.Host[1].Signer
	if _, err := aggregate.NewLeader(t.Context(), cfg, w.Helper); errs.KindOf(err) != errs.Invalid {
		t.Errorf("the Helper's key at the Leader: %v", err)
	}
	cfg = w.Helper.Config
	cfg.Store = w.Leader.Store
	if _, err := aggregate.NewHelper(t.Context(), cfg); errs.KindOf(err) != errs.Conflict {
		t.Errorf("both roles on one database: %v", err)
	}
}

// TestHostWantsTheCharterKeys: a host holds exactly the HPKE keys that the
// charter lists for it, or does not serve.
func TestHostWantsTheCharterKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	must(t, w.StartUp())
	foreign, err := dap.GenerateHpkeKeypair(1, dap.SuiteX25519)
	must(t, err)
	second, err := dap.GenerateHpkeKeypair(2, dap.SuiteX25519)
	must(t, err)
	for name, pairs := range map[string][]*dap.HpkeKeypair{
		"another key under the id": {foreign},
		"one too many":             {w.Host[1].HPKE, second},
		"the other host's":         {w.Host[0].HPKE},
	} {
		cfg := w.Helper.Config
		cfg.HPKE = pairs
		if _, err := aggregate.NewHelper(t.Context(), cfg); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
